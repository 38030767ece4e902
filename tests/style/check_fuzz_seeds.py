#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The seeds of fuzz_models are what their script makes of fixtures and code."""

import pathlib
import sys

import tree

TOP = pathlib.Path(tree.root_argument())
sys.path.insert(0, str(TOP / "tests/fuzz"))
sys.dont_write_bytecode = True

import make_models_corpus as maker  # noqa: E402

made, there = maker.files_of(TOP), maker.files_there(TOP)
findings = tree.Findings()
for name in sorted(made.keys() | there.keys()):
    if made.get(name) != there.get(name):
        findings.add(name, 1, "is not what make_models_corpus.py makes")
findings.finish()
