# SPDX-License-Identifier: MIT
"""Runs programs of this folder where TensorFlow, Keras and h5py are.

TensorFlow is large and comes in versions that differ; so it is not among the
requirements of the tests.  OMNIHUB_TENSORFLOW_PYTHON is an interpreter that
has it; without that it is the one the tests run in.
"""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
VARIABLE = "OMNIHUB_TENSORFLOW_PYTHON"
SECONDS_MAX = 600  # the import alone takes 20 s on a busy machine


def interpreter():
    return os.environ.get(VARIABLE) or sys.executable


def has(module):
    """Without importing it: that would take seconds."""
    code = "import importlib.util, sys; " \
           "sys.exit(importlib.util.find_spec(%r) is None)" % module
    return subprocess.run([interpreter(), "-c", code]).returncode == 0


def run(program, *arguments, given=None, seconds_max=SECONDS_MAX):
    """What the program printed, @given on its standard input; an
    AssertionError with all of it where it did not end well."""
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3",
                       CUDA_VISIBLE_DEVICES="", TF_ENABLE_ONEDNN_OPTS="0",
                       PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([interpreter(), HERE / program,
                           *map(str, arguments)],
                          env=environment, timeout=seconds_max, text=True,
                          input=given,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, "%s (%s is %s): %s%s" % (
        program, VARIABLE, interpreter(), done.stdout, done.stderr[-2000:])
    return done.stdout
