#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each header compiles alone, and twice in a row."""

import concurrent.futures
import os
import re
import subprocess

import tree

LIBRARIES = ["fuse3", "libcurl", "lmdb", "libcjson", "cmocka", "inih",
             "snappy"]
# cmocka's header asks for these to be included before it.
BEFORE_CMOCKA = "#include <setjmp.h>\n#include <stdarg.h>\n#include <stddef.h>\n" \
                "#include <stdint.h>\n"


def include_flags():
    flags = []
    for library in LIBRARIES:
        told = subprocess.run(["pkg-config", "--cflags", library],
                              capture_output=True, text=True)
        flags += told.stdout.split()
    return flags


def compile_alone(root, path, flags):
    """What the compiler says, or ''."""
    program = '#include "%s"\n#include "%s"\n' % (path, path)
    if path.startswith("tests/"):
        program = BEFORE_CMOCKA + program
    command = [os.environ.get("CC", "cc"), "-std=gnu11", "-fsyntax-only", "-Wall",
               "-Wextra", "-Werror", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64",
               "-I", root, "-x", "c", "-"] + flags
    done = subprocess.run(command, input=program, capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    errors = re.findall(r"error: .*", done.stderr)
    return errors[0] if errors else done.stderr.strip().split("\n")[0]


def main():
    root = tree.root_argument()
    headers = [p for p in tree.sources(root) if p.endswith(".h")]
    flags = include_flags()
    findings = tree.Findings()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        told = workers.map(lambda path: compile_alone(root, path, flags), headers)
        for path, why in zip(headers, told):
            if why:
                findings.add(path, 1, "does not compile alone: " + why)
    findings.finish()


main()
