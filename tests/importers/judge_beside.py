# SPDX-License-Identifier: MIT
"""Judges another importer beside ONNX Runtime: of the same file and the same
inputs they make the same."""

import numpy as np

SAME = 1e-4  # of the largest value, or of 1


class Session:
    """What judge.py takes for a session of ONNX Runtime: the ports of @known,
    which is one; @compute(inputs, names) gives arrays by name."""

    def __init__(self, known, compute):
        self.get_inputs = known.get_inputs
        self.get_outputs = known.get_outputs
        self.compute = compute

    def run(self, names, inputs):
        found = self.compute(inputs, names)
        return [found[name] for name in names]


def assert_same(got, want):
    for name, values in want.items():
        assert got[name].shape == values.shape, "%s has the shape %s, not %s" \
            % (name, got[name].shape, values.shape)
        error = np.abs(got[name].astype(np.float64) - values).max()
        limit = SAME * max(1, float(np.abs(values).max()))
        assert error <= limit, "%s differs by %.3g" % (name, error)


def in_both(run, compute):
    """@run in either; what the other one makes of it."""
    def run_in_both(session, inputs):
        want = run(session, inputs)
        got = run(Session(session, compute), inputs)
        assert_same(got, want)
        return got

    return run_in_both
