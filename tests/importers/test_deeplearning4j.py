# SPDX-License-Identifier: MIT
"""Deeplearning4j itself reads what is staged for it: outputs are equal to
ONNX Runtime's of the same file, and to what the real library computed.

Needs OMNIHUB_DL4J_CLASSPATH (dl4j/README.md).
"""

import os

import pytest

import deeplearning4j
import elsewhere as places
import fixture_runs
import judge
import judge_torch
from judge_beside import SAME, in_both
from served import FIXTURES, SPECS, TINY, view_of

REAL_SIZE = ["full-all-MiniLM-L6-v2"]
TOLERANCE = {"atol": SAME, "rtol": SAME}

# Fixtures that have no dl4j form, and words of the reason in staged.status.
NO_FORM = {}
# What Deeplearning4j fails on or computes otherwise, and its own words.
# Whatever of these works is a fault of this table.
NOT_READ = {}


@pytest.fixture(scope="module")
def library(record_testsuite_property):
    library = deeplearning4j.Deeplearning4j()
    yield library
    library.close()
    record_testsuite_property("deeplearning4j_aborts", library.aborts)


def is_refused(folder, name):
    """Whether a form that is known to be impossible is so."""
    if name not in NO_FORM:
        return False
    assert "staged.onnx" not in os.listdir(folder)
    status = places.status_of(folder)
    assert NO_FORM[name] in "%(reason)s %(detail)s" % status
    return True


@pytest.mark.parametrize("name", TINY + [
    pytest.param(name, marks=pytest.mark.slow) for name in REAL_SIZE])
def test_transformers(served, library, name):
    folder = served.model(name) / view_of(SPECS[name]) / "dl4j"
    if is_refused(folder, name):
        return
    path = folder / "staged.onnx"
    run = in_both(judge.run_rows, library.of(path))
    if name not in NOT_READ:
        judge.assert_right(path, FIXTURES / name, run)
        return
    with pytest.raises((deeplearning4j.Failed, AssertionError),
                       match=NOT_READ[name]):
        judge.assert_right(path, FIXTURES / name, run)


@pytest.mark.parametrize("kind, name", [
    ("torchvision", "resnet18"), ("torchvision", "mobilenet_v3_large"),
    ("timm", "vit_small_patch16_224.augreg_in21k_ft_in1k")])
def test_images(elsewhere, library, kind, name):
    path = getattr(elsewhere, kind)(name) / "dl4j/staged.onnx"
    judge_torch.assert_right(path, places.FIXTURES / kind / name,
                             in_both(judge.run_rows, library.of(path)))


def assert_runs(library, path, fixture, keys=None):
    """@keys: what the outputs are called in the file; None: by order."""
    spec = fixture_runs.load_spec(fixture)
    arrays = fixture_runs.load_arrays(fixture)
    for run in fixture_runs.runs_of(spec):
        inputs = {each["key"]: fixture_runs.input_array(each, arrays)
                  for each in run["inputs"]}
        wanted = [each["key"] for each in run["outputs"]]
        got = library.run(path, inputs, wanted)
        for output in run["outputs"]:
            fixture_runs.compare(output, got[output["key"]], arrays,
                                 TOLERANCE)


def test_keras_model(elsewhere, library):
    path = elsewhere.keras("MobileNetV2") / "staged.h5"
    assert_runs(library, path, places.FIXTURES / "keras/MobileNetV2")


@pytest.mark.parametrize("name", ["keras_cnn_k2", "MobileNetV2_full_k2"])
def test_frozen_graph(elsewhere, library, name):
    path = elsewhere.saved_model(name) / "staged.pb"
    assert_runs(library, path, places.FIXTURES / "tensorflow" / name)
