#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The catalogues in providers/catalogues/ are what tools/catalogues/make makes
of its tables: nobody has changed one by hand, or forgotten to make it."""

import os
import subprocess
import sys

import tree


def main():
    root = tree.root_argument()
    make = os.path.join(root, "tools/catalogues/make")
    sys.exit(subprocess.run([sys.executable, make, "--check"]).returncode)


main()
