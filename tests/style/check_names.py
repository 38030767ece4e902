#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""File names say one thing each: unique in the tree, a licence line first, a
README.md in every folder, header guards named after their path."""

import os
import re

import tree

LICENCE = "/* SPDX-License-Identifier: MIT */"


def check_unique(paths, findings):
    seen = {}
    for path in paths:
        name = os.path.basename(path)
        if name in seen:
            findings.add(path, 1, "there is %s already" % seen[name])
        seen.setdefault(name, path)


def guard_of(path):
    return re.sub(r"[^A-Z0-9]", "_", path.upper())


def check_file(path, text, findings):
    if not text.startswith(LICENCE + "\n"):
        findings.add(path, 1, "the first line must be " + LICENCE)
    if path.endswith(".h") and "#ifndef %s\n" % guard_of(path) not in text:
        findings.add(path, 1, "the guard must be " + guard_of(path))


def rooms(root):
    """Folders that must say what lives in them."""
    layers = ("base", "cache", "providers", "staging", "fs", "tools")
    found = set()
    for path in tree.files(root):
        parts = path.split("/")[:-1]
        if not parts or parts[0].startswith("."):
            continue
        if parts[0] in layers and path.endswith((".c", ".h", ".py")):
            found.add("/".join(parts))
        elif parts[0] == "tests":
            found.add("/".join(parts[:2]))
        else:
            found.add(parts[0])
    return sorted(found)


def main():
    root = tree.root_argument()
    findings = tree.Findings()
    paths = tree.sources(root)
    check_unique(paths, findings)
    for path in paths:
        check_file(path, tree.read(root, path), findings)
    for folder in rooms(root):
        if not os.path.isfile(os.path.join(root, folder, "README.md")):
            findings.add(folder, 1, "no README.md says what lives here")
    findings.finish()


main()
