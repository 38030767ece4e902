#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clang-format has nothing to say.

Its versions lay out code differently, so one of them judges: 14, Debian 12's.
Where the distribution has another, tools/test puts it into build/venv.
"""

import os
import re
import shutil
import subprocess
import sys

import tree

VERSION = 14
HOW = ("no clang-format %d found: apt-get install clang-format-%d, or\n"
       "python3 -m venv build/venv && build/venv/bin/pip install "
       "clang-format==%d.0.6" % (VERSION, VERSION, VERSION))


def version(program):
    try:
        told = subprocess.run([program, "--version"], capture_output=True,
                              text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"version (\d+)\.", told)
    return int(found.group(1)) if found else None


def clang_format(root):
    for name in ("clang-format-%d" % VERSION, "clang-format",
                 os.path.join(root, "build/venv/bin/clang-format")):
        program = shutil.which(name)
        if program and version(program) == VERSION:
            return program
    sys.exit(HOW)


def main():
    root = tree.root_argument()
    program = clang_format(root)
    told = subprocess.run([program, "--dry-run", "-Werror", "--style=file"]
                          + tree.sources(root),
                          cwd=root, stderr=subprocess.PIPE, text=True).stderr
    findings = tree.Findings()
    for path, line in sorted(set(re.findall(r"^([^\s:]+):(\d+):\d+: error", told,
                                            re.M))):
        findings.add(path, int(line), "laid out otherwise by clang-format -i")
    findings.finish()


main()
