# SPDX-License-Identifier: MIT
"""Weights of TensorFlow and Flax give what PyTorch computes with its own.

What files hold is what transformers' classes wrote (frameworks.py); values
and judges are those of the fixtures.
"""

import json
import os

import numpy as np
import pytest

import frameworks
import judge
import repack
import synth_rule
from served import FIXTURES, SPECS, view_of

FLAX, TF = (frameworks.names(framework) for framework in ("flax", "tf"))
ONE_OF_EACH = ["albert-fill-mask", "bert-fill-mask", "gpt2",
               "vit-image-classification"]


def flax(name, change=lambda spec: spec):
    """What is to be served; @change: of the specification of the file."""
    return lambda spec: change(frameworks.as_saved(spec, name, "flax"))


def jax_view(served, name, variant="-flax", change=lambda spec: spec):
    folder = served.model(name, variant, flax(name, change))
    return folder / view_of(SPECS[name]).replace("pytorch", "jax")


@pytest.mark.parametrize("name", FLAX)
def test_flax_computes_what_pytorch_does(served, name):
    view = jax_view(served, name)
    judge.assert_right(view / "staged.onnx", FIXTURES / name)
    info = json.loads((view / "info.json").read_text())
    assert [each["path"] for each in info["sources"]] \
        == ["flax_model.msgpack"]


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_dl4j_form_of_flax(served, name):
    path = jax_view(served, name) / "dl4j/staged.onnx"
    judge.assert_right(path, FIXTURES / name, judge.run_rows)


def test_flax_alone_is_no_model_of_pytorch(served):
    name = "bert-base"
    jax_view(served, name)
    folder = served.model(name, "-flax")
    assert "jax" in os.listdir(folder) and "pytorch" not in os.listdir(folder)


@pytest.mark.parametrize("framework, name",
                         [("flax", name) for name in ONE_OF_EACH]
                         + [("tf", name) for name in TF])
def test_safetensors_of_other_frameworks(served, framework, name):
    """Their metadata say whose names they hold."""
    folder = served.model(
        name, "-safetensors-" + framework,
        lambda spec: frameworks.as_safetensors(spec, name, framework))
    path = folder / view_of(SPECS[name]) / "staged.onnx"
    judge.assert_right(path, FIXTURES / name)


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_halves_are_widened(served, dtype):
    """A file of Flax and one of PyTorch side by side give the same bits."""
    name = "bert-base"

    def both(spec):
        narrow = repack.cast(spec, dtype)
        saved = frameworks.as_saved(narrow, name, "flax")
        files = [dict(saved["files"][0],
                      tensors=[each["name"] for each in saved["tensors"]]),
                 {"file": "model.safetensors", "container": "safetensors",
                  "tensors": [each["name"] for each in narrow["tensors"]]}]
        return dict(spec, files=files,
                    tensors=narrow["tensors"] + saved["tensors"])

    folder = served.model(name, "-both-" + dtype, both)
    inputs = {each["name"]: synth_rule.input_array(each)
              for each in SPECS[name]["inputs"]}
    got = [judge.run_whole(judge.open_session(folder / view / "staged.onnx"),
                           inputs) for view in ("jax", "pytorch")]
    for output in got[0]:
        np.testing.assert_allclose(got[0][output], got[1][output], atol=1e-5)


def without(end):
    return lambda spec: dict(spec, tensors=[
        tensor for tensor in spec["tensors"]
        if not tensor["name"].endswith(end)])


def with_more(name, shape):
    more = {"name": name, "shape": shape, "dtype": "F32", "scale": 1.0}
    return lambda spec: dict(spec, tensors=[*spec["tensors"], more])


def turned(spec):
    """A kernel stored as PyTorch would."""
    def change(tensor):
        is_it = tensor["name"].endswith("layer/0/intermediate/dense/kernel")
        return dict(tensor, shape=tensor["shape"][::-1]) if is_it else tensor

    return repack.changed(spec, change)


REFUSALS = {
    "missing": (without("layer/0/output/dense/kernel"), "missing-tensor"),
    "unknown": (with_more("adapter/kernel", [4, 4]), "unknown-tensor"),
    "turned": (turned, "shape-mismatch"),
    "chunked": (with_more("x/__msgpack_chunked_array__", [4]),
                "flax-chunked"),
    "kernel": (with_more("adapter/kernel", [4]), "tensor-name"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_refused_rather_than_guessed(served, what):
    change, code = REFUSALS[what]
    view = jax_view(served, "bert-base", "-flax-" + what, change)
    assert "staged.onnx" not in os.listdir(view)
    status = json.loads((view / "staged.status").read_text())
    assert status["code"] == code
