#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Functions of at most 70 lines, files of at most 600, lines of at most 80.

What is longer does more than one thing.  Tests' files may be longer: a table
of cases is no reason to split one.
"""

import tree

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
LINE_COLUMNS_MAX = 80

# Findings that are known.  These may only go down.
RATCHET = 0


def check_functions(path, text, findings):
    """A function's braces are the only ones alone in the first column."""
    start = None
    for number, line in enumerate(tree.code_only(text).split("\n"), 1):
        if line.rstrip() == "{":
            start = number
        elif line.startswith("}") and start is not None:
            length = number - start + 1
            if length > FUNCTION_LINES_MAX:
                findings.add(path, start, "a function of %d lines, %d allowed"
                             % (length, FUNCTION_LINES_MAX))
            start = None


def check_lines(path, text, findings):
    for number, line in enumerate(text.split("\n"), 1):
        columns = len(line.expandtabs(8))
        if columns > LINE_COLUMNS_MAX:
            findings.add(path, number, "%d columns, %d allowed"
                         % (columns, LINE_COLUMNS_MAX))


def main():
    root = tree.root_argument()
    findings = tree.Findings()
    for path in tree.sources(root):
        text = tree.read(root, path)
        lines = text.count("\n")
        if lines > FILE_LINES_MAX and not path.startswith("tests/"):
            findings.add(path, lines, "a file of %d lines, %d allowed"
                         % (lines, FILE_LINES_MAX))
        check_functions(path, text, findings)
        check_lines(path, text, findings)
    findings.finish(RATCHET)


main()
