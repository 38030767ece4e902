# SPDX-License-Identifier: MIT
"""Deeplearning4j itself reads what is staged for it: outputs are equal to
ONNX Runtime's of the same file, and to what the real library computed.

Needs OMNIHUB_DL4J_CLASSPATH (dl4j/README.md).
"""

import os

import numpy as np
import pytest

import deeplearning4j
import elsewhere as places
import fixture_runs
import judge
import judge_torch
import synth_rule
from judge_beside import SAME, in_both
from served import FIXTURES, SPECS, TINY, view_of

def smallest(*keys):
    """Names of fixtures: of what has the same @keys in its spec, one."""
    found = {}
    for name in TINY:
        spec = SPECS[name]
        each = sum(map(synth_rule.size, spec["tensors"])), name
        kind = tuple(spec[key] for key in keys)
        found[kind] = min(found.get(kind, each), each)
    return [name for _, (_, name) in sorted(found.items())]


# All of them take some ten minutes.
CHOSEN = TINY if os.environ.get("OMNIHUB_DL4J_ALL") else smallest(
    "family", "task")
REAL_SIZE = ["full-all-MiniLM-L6-v2"]
TOLERANCE = {"atol": SAME, "rtol": SAME}

# Families that have no dl4j form, and words of the reason in staged.status.
NO_FORM = {}
# Families, or tasks of one, that have to be imported with an example of their
# inputs, by the construct.  Without one every length that is not known is 1
# while a graph is imported: it fails or dies, or a size of that time stays.
WITH_EXAMPLE = {
    "wav2vec2": "Conv with a kernel longer than the sound",
    "hubert": "Conv with a kernel longer than the sound",
}
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
    family = SPECS[name]["family"]
    if family not in NO_FORM:
        return False
    assert not {"staged.onnx", "staged.pb"} & set(os.listdir(folder))
    status = places.status_of(folder)
    assert NO_FORM[family] in "%(reason)s %(detail)s" % status
    return True


def needs_example(name):
    spec = SPECS[name]
    return not WITH_EXAMPLE.keys().isdisjoint(
        (spec["family"], "%(family)s/%(task)s" % spec))


@pytest.mark.parametrize("name", CHOSEN + [
    pytest.param(name, marks=pytest.mark.slow) for name in REAL_SIZE])
def test_transformers(served, library, name):
    folder = served.model(name) / view_of(SPECS[name]) / "dl4j"
    if is_refused(folder, name):
        return
    path = folder / "staged.onnx"
    run = in_both(judge.run_rows, library.of(
        path, example=needs_example(name)))
    if name not in NOT_READ:
        judge.assert_right(path, FIXTURES / name, run)
        return
    with pytest.raises((deeplearning4j.Failed, AssertionError),
                       match=NOT_READ[name]):
        judge.assert_right(path, FIXTURES / name, run)


@pytest.mark.parametrize("name", [
    name for name in smallest("family") if needs_example(name)])
def test_needs_an_example(served, library, name):
    path = served.staged(name, form="dl4j")
    run = in_both(judge.run_rows, library.of(path))
    with pytest.raises((deeplearning4j.Failed, AssertionError)):
        judge.assert_right(path, FIXTURES / name, run)


def narrowed(run):
    """Ids of a GraphDef are of 32 bits."""
    return lambda inputs, names: run(
        {name: each.astype(np.int32) if each.dtype == np.int64 else each
         for name, each in inputs.items()}, names)


@pytest.mark.parametrize("name", smallest("family"))
def test_transformers_as_graphs(served, library, name):
    path = served.graphdef(name, form="dl4j")
    if is_refused(path.parent, name):
        return
    run = in_both(judge.run_rows, narrowed(library.of(
        path, example=needs_example(name))))
    judge.assert_right(served.staged(name, form="dl4j"), FIXTURES / name, run)


@pytest.mark.parametrize("kind, name", [
    ("torchvision", "resnet18"), ("torchvision", "mobilenet_v3_large"),
    ("timm", "efficientnet_b0.ra_in1k")])
def test_images(apart, library, kind, name):
    path = getattr(apart, kind)(name) / "dl4j/staged.onnx"
    judge_torch.assert_right(path, places.FIXTURES / kind / name,
                             in_both(judge.run_rows, library.of(path)))


def assert_runs(library, path, fixture):
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


def test_keras_model(apart, library):
    path = apart.keras("MobileNetV2") / "staged.h5"
    assert_runs(library, path, places.FIXTURES / "keras/MobileNetV2")


@pytest.mark.parametrize("name", ["keras_cnn_k2", "MobileNetV2_full_k2"])
def test_frozen_graph(apart, library, name):
    path = apart.saved_model(name) / "staged.pb"
    assert_runs(library, path, places.FIXTURES / "tensorflow" / name)
