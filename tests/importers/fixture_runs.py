# SPDX-License-Identifier: MIT
"""The fixtures of tensorflow/, keras/ and onnx/: runs, and what comes out.

A run is a set of inputs and what the real library made of them.  Numpy is
all that this needs, so that it works beside any importer.
"""

import json
import pathlib

import numpy as np

import synth_rule


class Wrong(Exception):
    """The staged file is not what the fixture says."""


def load_spec(fixture):
    return json.loads((pathlib.Path(fixture) / "spec.json").read_text())


def load_arrays(fixture):
    """Of a fixture that must be refused there may be none."""
    path = pathlib.Path(fixture) / "expected.npz"
    return dict(np.load(path)) if path.exists() else {}


def rule_array(entry):
    """Values by formula.  Unlike those of transformers/, the offset and the
    scale are doubles, and only the value becomes a float."""
    count = int(np.prod(entry["shape"], dtype=np.int64))
    values = synth_rule.uniform(entry["name"], 0, count)
    values = (values * entry["scale"] + entry["offset"]).astype(np.float32)
    if np.dtype(entry["dtype"]).kind in "iu":
        values = np.rint(values)
    return values.astype(entry["dtype"]).reshape(entry["shape"])


def input_array(entry, arrays):
    if "array" in entry:
        return arrays[entry["array"]]
    return rule_array(entry["synth"])


def runs_of(spec, signature=None):
    """Those of a signature; without one, of the default.  Elsewhere: all."""
    runs = spec["runs"]
    if "default_signature" in spec:
        wanted = signature or spec["default_signature"]
        runs = [run for run in runs if run["signature"] == wanted]
    if not runs:
        raise Wrong("the fixture has no signature %s" % signature)
    return runs


def _texts(values):
    return [value if isinstance(value, bytes) else str(value).encode()
            for value in values.ravel().tolist()]


def _compare_floats(name, got, want, tolerance):
    got, want = got.astype(np.float64), want.astype(np.float64)
    if not np.isfinite(got).all() and np.isfinite(want).all():
        raise Wrong("%s: not finite" % name)
    error = np.abs(got - want)
    allowed = tolerance["atol"] + tolerance["rtol"] * np.abs(want)
    if not (error <= allowed).all():
        raise Wrong("%s: differs by %.3g, of values up to %.3g"
                    % (name, error.max(), np.abs(want).max()))
    return float(error.max()) if error.size else 0.0


def compare(output, got, arrays, tolerance):
    """The largest difference; Wrong where it is too large."""
    name, got, want = output["key"], np.asarray(got), arrays[output["array"]]
    if got.shape != want.shape:
        raise Wrong("%s: shape %s, not %s" % (name, got.shape, want.shape))
    if got.dtype == object or want.dtype.kind in "SUO":
        if _texts(got) != _texts(want):
            raise Wrong("%s: the texts differ" % name)
        return 0.0
    if got.dtype != want.dtype:
        raise Wrong("%s: %s, not %s" % (name, got.dtype, want.dtype))
    if want.dtype.kind in "biu":
        if not np.array_equal(got, want):
            raise Wrong("%s: the integers differ" % name)
        return 0.0
    return _compare_floats(name, got, want, tolerance)
