#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Calls that cannot be used well enough, and marks of work left undone."""

import re

import tree

# name: what to use instead
BANNED = {
    "strcpy": "str_append()", "strcat": "str_append()",
    "stpcpy": "str_append()", "strncpy": "mem_strndup()",
    "strncat": "str_append()",
    "sprintf": "str_printf() or snprintf()", "vsprintf": "str_vprintf()",
    "atoi": "parse_u64()", "atol": "parse_u64()", "atoll": "parse_u64()",
    "strtok": "strcspn()", "gets": "fgets()",
    "alloca": "mem_alloc(), bounded", "system": "posix_spawn()",
    "popen": "posix_spawn()", "mktemp": "mkostemp()", "tmpnam": "mkostemp()",
}
# Allowed in tests, and in the one file that wraps them.
MEMORY = {
    "malloc": "mem_alloc()", "calloc": "mem_array()",
    "realloc": "mem_resize()", "strdup": "mem_strdup()",
    "strndup": "mem_strndup()", "asprintf": "mem_printf()",
    "vasprintf": "mem_printf()", "reallocarray": "mem_resize()",
}
# The daemon has no terminal; the command line (tools/) has.
TERMINAL = {name: "log_line()" for name in
            ("printf", "fprintf", "puts", "putchar", "perror", "vprintf",
             "vfprintf")}

CALL = re.compile(r"(?<![\w.>])([a-z]\w*)\s*\(")
MARK = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK"))
                  + r")\b")


def banned_in(path):
    names = dict(BANNED)
    if not path.startswith("tests/"):
        if path != "base/mem.c":
            names.update(MEMORY)
        if not path.startswith("tools/"):
            names.update(TERMINAL)
    return names


def check_calls(path, text, findings):
    names = banned_in(path)
    code = tree.code_only(text)
    for match in CALL.finditer(code):
        name = match.group(1)
        if name in names and not code[:match.start()].endswith("(format("):
            findings.add(path, tree.line_of(code, match.start()),
                         "%s(): use %s" % (name, names[name]))


def check_comments(path, text, findings):
    for match in tree.TOKEN.finditer(text):
        if match.group().startswith("//"):
            findings.add(path, tree.line_of(text, match.start()),
                         "a // comment: write /* */")


def main():
    root = tree.root_argument()
    findings = tree.Findings()
    for path in tree.sources(root):
        text = tree.read(root, path)
        check_calls(path, text, findings)
        check_comments(path, text, findings)
    for path, text in tree.text_files(root):
        for match in MARK.finditer(text):
            findings.add(path, tree.line_of(text, match.start()),
                         "%s: do it, or write an issue" % match.group())
    findings.finish()


main()
