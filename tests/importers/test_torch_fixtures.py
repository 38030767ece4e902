# SPDX-License-Identifier: MIT
"""Models of torchvision and timm give what these libraries computed."""

import os
import pathlib

import numpy as np
import onnx
import pytest

import dl4j_rules
import elsewhere as places
import judge
import judge_torch
import synth
import synth_rule
from safetensors_file import SafetensorsFile

TORCHVISION, TIMM = places.names("torchvision"), places.names("timm")
ALL = [("torchvision", name) for name in TORCHVISION] + [
    ("timm", name) for name in TIMM]
LARGE = 200 << 20
# What cannot be said in the dl4j form, and why.
NO_DL4J = {"swin_t": "matrices", "swin_tiny_patch4_window7_224.ms_in1k":
           "matrices"}
# The dl4j form is of images of one size, which is not the fixture's.
OTHER_SIZE = {"fcn_resnet50"}
SAME = 2e-5  # of the largest value
# Some 600 tensors: the pickle and the directory of the zip are past 130 KB
# by themselves, and are read in blocks of 64 KiB.
LONG_HEADERS = {"densenet121": 290_000, "inception_v3": 260_000}
TENSORS = 4  # of a file, compared bit by bit


class Model:
    """A fixture, and its folder in the mount."""

    def __init__(self, elsewhere, ecosystem, name):
        self.name = name
        self.ecosystem = ecosystem
        self.elsewhere = elsewhere
        self.fixture = places.FIXTURES / ecosystem / name
        self.folder = getattr(elsewhere, ecosystem)(name)

    def tensors(self):
        return synth.load_spec(self.fixture)["tensors"]


def size_of(ecosystem, name):
    spec = synth.load_spec(places.FIXTURES / ecosystem / name)
    return sum(synth_rule.size(tensor) for tensor in spec["tensors"])


# Of the module: so all tests of one model follow each other, and its files
# are there for no longer.
@pytest.fixture(scope="module", params=[
    pytest.param(each, id="-".join(each), marks=pytest.mark.slow
                 if size_of(*each) > LARGE else ()) for each in ALL])
def model(elsewhere, request):
    yield Model(elsewhere, *request.param)
    elsewhere.forget(*request.param)


def test_size_is_known_from_headers(model):
    """Nobody has looked at the model before: it is the first test of it."""
    cost = places.cost_of(model.elsewhere.hub, model.folder / "staged.onnx")
    assert cost.bytes <= LONG_HEADERS.get(model.name, places.SIZE_KNOWN_BYTES)


def test_plain_form_computes_what_the_library_does(model):
    path = model.folder / "staged.onnx"
    onnx.checker.check_model(str(path), full_check=True)
    judge_torch.assert_right(path, model.fixture)


def assert_same(path, plain):
    """Both forms compute the same of an image as large as @path takes."""
    session = judge.open_session(path)
    image, = session.get_inputs()
    values = synth_rule.input_array({
        "name": "image", "shape": image.shape, "scale": 1.5, "offset": 0.0})
    got = judge.run_whole(session, {image.name: values})
    want = judge.run_whole(judge.open_session(plain), {image.name: values})
    assert list(got) == list(want)
    for name, each in want.items():
        scale = np.abs(each).max()
        assert np.abs(got[name] - each).max() <= SAME * scale, name


def test_dl4j_form(model):
    """An image at a time, within its rules; or a reason why there is none."""
    folder = model.folder / "dl4j"
    if model.name in NO_DL4J:
        assert "staged.onnx" not in os.listdir(folder)
        assert NO_DL4J[model.name] in places.status_of(folder)["reason"] \
            + str(places.status_of(folder)["detail"])
        return
    path = folder / "staged.onnx"
    if model.name in OTHER_SIZE:
        assert_same(path, model.folder / "staged.onnx")
    else:
        judge_torch.assert_right(path, model.fixture, judge.run_rows)
    assert dl4j_rules.broken(onnx.load(path)) == []


def test_as_a_repository_of_the_hub(model):
    """timm's models are at Hugging Face: the same file; torchvision's have
    a safetensors view, for they are pickles."""
    if model.ecosystem == "timm":
        same = model.elsewhere.timm_hub(model.name) / "staged.onnx"
        path = model.folder / "staged.onnx"
        assert same.stat().st_size == path.stat().st_size
        judge_torch.assert_right(same, model.fixture)
        return
    got = SafetensorsFile(model.folder / "safetensors/model.safetensors")
    tensors = model.tensors()
    assert sorted(got.tensors) == sorted(each["name"] for each in tensors)
    small = sorted(tensors, key=synth_rule.size)
    for each in [*small[:TENSORS // 2], *small[-TENSORS // 2:]]:
        head = got.tensors[each["name"]]
        assert (head["dtype"], head["shape"]) == (each["dtype"],
                                                  each["shape"])
        assert got.raw(each["name"]) == synth_rule.raw_bytes(each)


# ---- changed: weights of the user's own, a folder in place of the host ----

def of_classes(spec, count):
    """The head's first rows only."""
    tensors = [dict(each, shape=[count, *each["shape"][1:]])
               if each["shape"][:1] == [1000] else each
               for each in spec["tensors"]]
    return dict(spec, tensors=tensors)


def in_container(spec, container):
    entry = dict(spec["files"][0], container=container)
    return dict(spec, files=[entry])


@pytest.fixture
def changed(make_mount, tmp_path):
    """changed(name, spec) -> the folder of the torchvision model @name."""
    def make(name, spec):
        there = tmp_path / "host/models"
        there.mkdir(parents=True)
        synth.write_weights(spec, there)
        file = there / spec["files"][0]["file"]
        file.rename(there / pathlib.PurePosixPath(spec["url"]).name)
        mount = make_mount(None, "--verify", "off", "--endpoint",
                           "%s=%s" % (places.TORCH_HOST, there.parent))
        return mount.start().path / "pytorch/torchvision" / name / \
            places.weights_name(name, spec["url"])

    return make


def spec_of(name):
    return synth.load_spec(places.FIXTURES / "torchvision" / name)


def first_case(path, name):
    """(what the staged file computes, what the library did, the output)"""
    spec = spec_of(name)
    inputs = {each["name"]: synth_rule.input_array(each)
              for each in spec["inputs"]}
    run = judge_torch.renamed(judge.run_whole, spec)
    expected = np.load(places.FIXTURES / "torchvision" / name
                       / "expected.npz")
    output = spec["outputs"][0]
    got = run(judge.open_session(path), inputs)[output["name"]]
    return got, expected[output["key"]], output


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1",
                                  "mobilenet_v2", "regnet_y_400mf"])
def test_of_seven_classes(changed, name):
    """A head of another size: the first seven rows, so the first seven
    outputs."""
    folder = changed(name, of_classes(spec_of(name), 7))
    got, want, output = first_case(folder / "staged.onnx", name)
    assert got.shape == (want.shape[0], 7)
    assert not judge.far(got, want[:, :7], output)[1]


@pytest.mark.parametrize("container", ["torch-legacy", "torch-zip"])
@pytest.mark.parametrize("name", ["squeezenet1_1", "mnasnet1_0"])
def test_of_either_container(changed, name, container):
    folder = changed(name, in_container(spec_of(name), container))
    judge_torch.assert_right(folder / "staged.onnx",
                             places.FIXTURES / "torchvision" / name)


CULPRIT = "layer3.1.conv2.weight"


def missing(spec):
    return dict(spec, tensors=[each for each in spec["tensors"]
                               if each["name"] != CULPRIT])


def more(spec):
    tensor = dict(spec["tensors"][-1], name="head.extra.weight")
    return dict(spec, tensors=[*spec["tensors"], tensor])


def misshaped(spec):
    """As many numbers, in another order."""
    return dict(spec, tensors=[
        dict(each, shape=[*each["shape"][:2], 9, 1])
        if each["name"] == CULPRIT else each for each in spec["tensors"]])


REFUSALS = {
    "missing": (missing, "missing-tensor", CULPRIT),
    "more": (more, "unknown-tensor", "head.extra.weight"),
    "misshaped": (misshaped, "shape-mismatch", CULPRIT),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_refused_rather_than_guessed(changed, what):
    change, code, culprit = REFUSALS[what]
    folder = changed("resnet18", change(spec_of("resnet18")))
    names = os.listdir(folder)
    assert "staged.status" in names and "staged.onnx" not in names
    status = places.status_of(folder)
    assert status["state"] == "refused"
    assert (status["code"], culprit in str(status["detail"])) == (code, True)
    with pytest.raises(FileNotFoundError):
        open(folder / "staged.onnx", "rb")
