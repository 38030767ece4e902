#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The repository stands alone: nothing in it names one machine's folders or a
package registry's host.  A clone anywhere must work."""

import re

import tree

# Not part of a longer path or a URL.
START = r"(?<![\w.:/~$}>-])"
HERE = [
    (START + r"/home/\w+", "somebody's home"),
    (START + r"/(root|work)/", "one machine's folder"),
    (START + r"/tmp/(b-|venv)", "one machine's folder"),
    (r"\.\./shared\b", "outside of the repository"),
    (r"\b(pypi\.org|pythonhosted\.org|registry\.npmjs\.org|crates\.io|rubygems\.org"
     r"|proxy\.golang\.org|conda\.anaconda\.org|deb\.debian\.org|pkg\.dev"
     r"|artifactory|snapshot\.debian\.org)\b", "a package registry's host"),
]


def main():
    root = tree.root_argument()
    findings = tree.Findings()
    for path, text in tree.text_files(root):
        if path.startswith("tests/style/"):
            continue
        for pattern, what in HERE:
            for match in re.finditer(pattern, text):
                findings.add(path, tree.line_of(text, match.start()),
                             "%s: %s" % (match.group(), what))
    findings.finish()


main()
