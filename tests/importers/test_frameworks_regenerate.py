# SPDX-License-Identifier: MIT
"""The layouts of fixtures/frameworks are what transformers' classes write.

It needs tests/requirements-frameworks.txt, in the interpreter that
OMNIHUB_FRAMEWORKS_PYTHON names, or in this one.
"""

import os
import pathlib
import subprocess
import sys

import pytest

import frameworks

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = os.environ.get("OMNIHUB_FRAMEWORKS_PYTHON") or sys.executable
SAMPLE = ["bert-fill-mask", "gpt2"]
SECONDS_MAX = 600  # the imports alone take 30 s on a busy machine


@pytest.mark.slow
def test_layouts_are_made_again(tmp_path):
    done = subprocess.run(
        [PYTHON, HERE / "make_framework_fixtures.py", tmp_path, *SAMPLE],
        timeout=SECONDS_MAX, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    assert done.returncode == 0, "%s: %s" % (PYTHON, done.stderr[-2000:])
    made = sorted(tmp_path.iterdir())
    assert len(made) == 2 * len(SAMPLE)
    for path in made:
        assert path.read_text() == (frameworks.FOLDER / path.name).read_text()
