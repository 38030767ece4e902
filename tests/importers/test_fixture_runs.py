# SPDX-License-Identifier: MIT
"""The fixtures of tensorflow/, keras/ and onnx/ hold together, and what
judges by them can say no."""

import pathlib

import numpy as np
import pytest

import fixture_runs
import synth_tensorflow
from fixture_runs import Wrong

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"
RUNS = sorted(path.parent for kind in ("tensorflow", "keras", "onnx")
              for path in FIXTURES.glob(kind + "/*/spec.json"))
TENSORFLOW = [path for path in RUNS if path.parent.name == "tensorflow"]
TOLERANCE = {"atol": 1e-5, "rtol": 1e-5}
OUTPUT = {"key": "y", "array": "y"}


def names(path):
    return path.name


@pytest.mark.parametrize("fixture", RUNS, ids=names)
def test_arrays_are_there(fixture):
    spec = fixture_runs.load_spec(fixture)
    arrays = fixture_runs.load_arrays(fixture)
    for run in spec["runs"]:
        if run.get("expect") == "refuse":
            assert run["reason"]
            continue
        for entry in run["inputs"]:
            fixture_runs.input_array(entry, arrays)
        for output in run["outputs"]:
            fixture_runs.compare(output, arrays[output["array"]], arrays,
                                 spec["tolerance"])


@pytest.mark.parametrize("fixture", TENSORFLOW, ids=names)
def test_saved_models_are_written(fixture, tmp_path):
    """Those with variables by the rule are held against their MD5."""
    synth_tensorflow.write_model(fixture, tmp_path / "model")
    assert (tmp_path / "model/saved_model.pb").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


WRONG = {
    "a value": np.float32([1.0, 2.001]),
    "not finite": np.float32([1.0, np.nan]),
    "the shape": np.float32([[1.0, 2.0]]),
    "fewer": np.float32([1.0]),
    "the type": np.float64([1.0, 2.0]),
    "an integer": np.int64([1, 2]),
}


@pytest.mark.parametrize("what", WRONG)
def test_differences_are_found(what):
    arrays = {"y": np.float32([1.0, 2.0])}
    assert fixture_runs.compare(OUTPUT, arrays["y"] + np.float32(1e-6),
                                arrays, TOLERANCE) < 2e-6
    with pytest.raises(Wrong):
        fixture_runs.compare(OUTPUT, WRONG[what], arrays, TOLERANCE)


def test_integers_and_texts_are_exact():
    arrays = {"y": np.int64([7]), "t": np.array([b"a", b"b"])}
    text = {"key": "t", "array": "t"}
    fixture_runs.compare(OUTPUT, np.int64([7]), arrays, TOLERANCE)
    fixture_runs.compare(text, np.array([b"a", b"b"], object), arrays,
                         TOLERANCE)
    with pytest.raises(Wrong):
        fixture_runs.compare(OUTPUT, np.int64([8]), arrays, TOLERANCE)
    with pytest.raises(Wrong):
        fixture_runs.compare(text, np.array([b"a", b"c"], object), arrays,
                             TOLERANCE)


def test_an_unknown_signature_is_no_run():
    spec = fixture_runs.load_spec(FIXTURES / "tensorflow/tf1_refvars")
    assert len(fixture_runs.runs_of(spec, "hidden")) == 1
    with pytest.raises(Wrong):
        fixture_runs.runs_of(spec, "nothing")
