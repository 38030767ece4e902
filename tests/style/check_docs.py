#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links between the documents lead somewhere; the manual knows every option.

The options are those of `omnihub mount --help`, where the program was built
(OMNIHUB_BINARY, else build/omnihub).
"""

import os
import re
import subprocess

import tree

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


def anchors(text):
    """The names by which headings can be linked to."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        name = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(name.replace(" ", "-"))
    return found


def check_links(root, path, text, findings):
    text = re.sub(r"```.*?```", lambda m: tree.blank(m.group()), text, flags=re.S)
    for match in LINK.finditer(text):
        link = match.group(1)
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(path), name)) \
            if name else path
        line = tree.line_of(text, match.start())
        if not os.path.exists(os.path.join(root, target)):
            findings.add(path, line, "the link %s leads nowhere" % link)
        elif anchor and target.endswith(".md") \
                and anchor not in anchors(tree.read(root, target)):
            findings.add(path, line, "no heading for the link %s" % link)


def mount_options(root):
    binary = os.environ.get("OMNIHUB_BINARY") or os.path.join(root, "build/omnihub")
    if not os.access(binary, os.X_OK):
        return []
    told = subprocess.run([binary, "mount", "--help"], capture_output=True,
                          text=True, timeout=30)
    return sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", told.stdout)))


def check_manual(root, findings):
    pages = tree.files(os.path.join(root, "packaging/man"))
    if not pages:
        return
    manual = "\n".join(tree.read(root, "packaging/man/" + p) for p in pages)
    manual = manual.replace("\\-", "-")
    for option in mount_options(root):
        if not re.search(re.escape(option) + r"(?![\w-])", manual):
            findings.add("packaging/man/" + pages[0], 1,
                         "does not tell of the option " + option)


def main():
    root = tree.root_argument()
    findings = tree.Findings()
    for path in tree.files(root, ".md"):
        check_links(root, path, tree.read(root, path), findings)
    check_manual(root, findings)
    findings.finish()


main()
