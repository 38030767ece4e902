#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Folders are layers: who may include what, and who alone uses which library.

Also: includes are written from the root and exist; a .c file includes its own
header first, then the system's, then ours; headers include each other in no
circle.
"""

import os
import re

import tree

# A folder may include its own headers and these.
LAYERS = {
    "base": [],
    "cache": ["base"],
    "providers": ["base"],
    "staging": ["base"],
    "fs": ["base", "cache/cache.h", "cache/readahead.h",
           "providers/provider.h", "staging/converter.h", "staging/jobs.h",
           "staging/staging.h"],
    "tools": ["base", "fs/config.h", "fs/daemon.h", "fs/mount_point.h",
              "fs/stage_folder.h", "cache/cache.h",
              "providers/provider.h", "staging/staging.h"],
}

# Headers of others: the only files that may include them.
SOLE_USERS = [
    (r"cjson/", ("base/json.c",)),
    (r"xxhash\.h|openssl/", ("base/hash.c",)),
    (r"lmdb\.h", ("cache/",)),
    (r"curl/", ("providers/",)),
    (r"(fuse3?/)?(fuse|cuse)\w*\.h", ("fs/",)),
    (r"ini\.h", ("fs/config.c", "fs/config_")),
    (r"snappy(-\w+)?\.h", ("staging/weights/bundle_block.c",)),
    (r"zlib\.h", ("base/gunzip.c", "staging/archive/")),
    (r"archive(_entry)?\.h", ("staging/archive/worker/",)),
    (r"seccomp\.h", ("staging/archive/worker/", "staging/external/box/")),
]

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)


def includes(text):
    """(line, is ours, name) of each include."""
    for match in INCLUDE.finditer(tree.code_only(text, strings=True)):
        at = tree.line_of(text, match.start(1))
        yield at, match.group(1) == '"', match.group(2)


def may_include(path, name):
    folder = path.split("/")[0]
    if folder == "tests":
        return True
    allowed = LAYERS.get(folder)
    if allowed is None:
        return False
    return name.split("/")[0] in allowed + [folder] or name in allowed


def check_ours(root, path, line, name, findings):
    if not os.path.isfile(os.path.join(root, name)):
        findings.add(path, line, '"%s" is no path from the root' % name)
    elif not may_include(path, name):
        findings.add(path, line, "%s/ may not include %s"
                     % (path.split("/")[0], name))


def check_system(path, line, name, findings):
    for pattern, users in SOLE_USERS:
        if re.fullmatch("(%s).*" % pattern if pattern.endswith("/") else pattern,
                        name) and not path.startswith(users + ("tests/",)):
            findings.add(path, line, "<%s> is for %s alone"
                         % (name, ", ".join(users)))


def check_order(root, path, found, findings):
    """Own header, then the system's, then ours."""
    own = path[:-2] + ".h"
    if path.endswith(".c") and os.path.isfile(os.path.join(root, own)):
        if not found or found[0][2] != own:
            findings.add(path, 1, 'the first include must be "%s"' % own)
    elif path.endswith(".c") and found and found[0][1]:
        own = found[0][2]   # one of several files behind one header
    rest = [f for f in found if f[2] != own]
    for before, after in zip(rest, rest[1:]):
        if before[1] and not after[1]:
            findings.add(path, after[0], "<%s> comes after our own headers"
                         % after[2])
            return


def circle(graph):
    """Some circle of the graph as a list of names, or None."""
    state = {}

    def visit(name, trail):
        state[name] = "open"
        for next_name in graph.get(name, ()):
            if state.get(next_name) == "open":
                return trail[trail.index(next_name):] + [next_name]
            if next_name not in state:
                found = visit(next_name, trail + [next_name])
                if found:
                    return found
        state[name] = "done"
        return None

    for name in sorted(graph):
        if name not in state:
            found = visit(name, [name])
            if found:
                return found
    return None


def main():
    root = tree.root_argument()
    findings = tree.Findings()
    graph = {}
    for path in tree.sources(root):
        found = list(includes(tree.read(root, path)))
        if path.endswith(".h"):
            graph[path] = [name for _, ours, name in found if ours]
        for line, ours, name in found:
            if ours:
                check_ours(root, path, line, name, findings)
            else:
                check_system(path, line, name, findings)
        check_order(root, path, found, findings)
    found = circle(graph)
    if found:
        findings.add(found[0], 1, "headers in a circle: " + " -> ".join(found))
    findings.finish()


main()
