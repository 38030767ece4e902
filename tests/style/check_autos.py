#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A local that cleans up after itself (auto_*) holds something, or is handed to
its init, before the function may return: else what is released is garbage."""

import re

import tree

DECLARED = re.compile(r"^\t+auto_\w+ (?:struct )?\w+ ([^=;]+);$", re.M)
ENDS = re.compile(r"\breturn\b[^;]*;|^}", re.M)


def names_of(declarators):
    return [name.strip(" *\n\t") for name in declarators.split(",")]


def check(path, text, findings):
    code = tree.code_only(text)
    for match in DECLARED.finditer(code):
        for name in names_of(match.group(1)):
            end = ENDS.search(code, match.end())
            before = code[match.end():end.end() if end else len(code)]
            if not re.search(r"\b%s\b" % re.escape(name), before):
                findings.add(path, tree.line_of(code, match.start()),
                             "%s: not set before a return" % name)


def main():
    root = tree.root_argument()
    findings = tree.Findings()
    for path in tree.sources(root):
        check(path, tree.read(root, path), findings)
    findings.finish()


main()
