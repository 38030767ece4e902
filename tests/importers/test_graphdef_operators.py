# SPDX-License-Identifier: MIT
"""Each operator in TensorFlow's words computes what ONNX Runtime does.

operator-graphs, built with the tests, writes small graphs both ways;
TensorFlow runs once for all of them.
"""

import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

import in_tensorflow
import judge
from mounted import BINARY

PROGRAM = pathlib.Path(BINARY).parent / "tests/operator-graphs"


def write_graphs(folder):
    """(name, shape of the input) of each."""
    done = subprocess.run([PROGRAM, folder], check=True, text=True,
                          stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def answers(folder):
    """Of each graph what both say; None where TensorFlow cannot run it."""
    random = np.random.default_rng(1)
    found = {}
    for case in write_graphs(folder):
        ids = random.integers(0, 10, case["shape"], dtype=np.int64)
        np.save(folder / (case["name"] + ".npy"), ids)
        session = judge.open_session(folder / (case["name"] + ".onnx"))
        found[case["name"]] = session.run(None, {"ids": ids})[0]
    said = in_tensorflow.run("judge_operators.py", folder)
    return said, {name: (value, got_of(folder, name))
                  for name, value in found.items()}


def got_of(folder, name):
    path = folder / (name + ".out.npy")
    return np.load(path) if os.path.exists(path) else None


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    return answers(tmp_path_factory.mktemp("operators"))


def differs(want, got):
    if got is None:
        return "does not run"
    if got.shape != want.shape:
        return "shape %s, not %s" % (got.shape, want.shape)
    if not np.allclose(got, want, rtol=2e-6, atol=2e-6):
        return "differs by %.3g" % np.abs(got - want).max()
    return None


def test_operators_compute_the_same(answered):
    said, both = answered
    wrong = {name: why for name, (want, got) in both.items()
             if (why := differs(want, got))}
    assert not wrong, said
    assert len(both) > 100


def test_operators_were_given_something_to_tell(answered):
    """Outputs of one value would show nothing; those that are so are known."""
    flat = {name for name, (want, _) in answered[1].items()
            if want.size > 1 and np.ptp(want) == 0}
    assert flat == set()
