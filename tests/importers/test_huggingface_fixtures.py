# SPDX-License-Identifier: MIT
"""Staged models give what the library they come from computed.

A fixture holds the outputs of the real library for weights that follow a
formula (fixtures/README.md).  The files are opened through the mount.
"""

import errno
import json
import os

import numpy as np
import onnx
import pytest

import judge
import repack
from served import FIXTURES, FULL, REFUSED, SPECS, TINY, view_of

ALL = TINY + [pytest.param(name, marks=pytest.mark.slow) for name in FULL]
OPSET, IR = 13, 7

# What a checkpoint of one base model may come with: (base, head) fixtures.
HEADS = [("%s-base" % family, "%s-%s" % (family, head))
         for family, head in (
             ("albert", "fill-mask"), ("bert", "fill-mask"),
             ("bert", "token-classification"), ("camembert", "fill-mask"),
             ("dinov2", "image-classification"), ("distilbert", "fill-mask"),
             ("electra", "discriminator"), ("vit", "image-classification"),
             ("mpnet", "fill-mask"), ("roberta", "fill-mask"),
             ("xlm-roberta", "token-classification"))]


@pytest.mark.parametrize("name", ALL)
def test_plain_form_computes_what_the_library_does(served, name):
    judge.assert_right(served.staged(name), FIXTURES / name)


@pytest.mark.parametrize("name", ALL)
def test_onnx_accepts_the_file(served, name):
    path = served.staged(name)
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(path)
    assert [(each.domain, each.version) for each in model.opset_import] \
        == [("", OPSET)]
    assert model.ir_version == IR


@pytest.mark.parametrize("base, head", HEADS)
def test_base_model_of_a_checkpoint_with_a_head(served, base, head):
    """Both are staged, and the base is not touched by what comes with it."""
    folder = served.model(base, "-of-" + head, lambda spec: {
        **repack.with_head(spec, SPECS[head]),
        "config": {"architectures": architectures(head)}})
    judge.assert_right(folder / "pytorch/staged.onnx", FIXTURES / base)
    view = folder / view_of(SPECS[head])
    onnx.checker.check_model(str(view / "staged.onnx"), full_check=True)
    assert view.name in os.listdir(folder / "pytorch")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["full-bert-base-uncased-features"])
def test_bert_base_by_its_alias(served, name):
    """Full size, under the name that has no author."""
    folder = served.model(name)
    alias = served.mount.model("bert-base")
    assert (alias / "repo").samefile(folder / "repo")
    path = alias / "pytorch/staged.onnx"
    assert path.stat().st_size > 400e6
    judge.assert_right(path, FIXTURES / name)


WRONG = {
    "epsilon": {"layer_norm_eps": 1e-5},
    "activation": {"hidden_act": "gelu_new"},
    "heads": {"num_attention_heads": 2},
}


@pytest.mark.parametrize("what", WRONG)
def test_judge_sees_a_wrong_graph(served, what):
    """One setting off, which gives plausible numbers."""
    config = json.loads((FIXTURES / "bert-base/config.json").read_text())
    assert all(config[key] != value for key, value in WRONG[what].items())
    path = served.staged("bert-base", "-wrong-" + what,
                         lambda spec: dict(spec, config=WRONG[what]))
    with pytest.raises(AssertionError, match="differs"):
        judge.assert_right(path, FIXTURES / "bert-base")


def architectures(name):
    config = (FIXTURES / name / "config.json").read_text()
    return json.loads(config)["architectures"]


def ports(values):
    """Names, types and dimensions as info.json has them."""
    types = {onnx.TensorProto.INT64: "int64", onnx.TensorProto.FLOAT: "float32"}
    return [{"name": value.name,
             "dtype": types[value.type.tensor_type.elem_type],
             "shape": [dim.dim_param or dim.dim_value
                       for dim in value.type.tensor_type.shape.dim]}
            for value in values]


@pytest.mark.parametrize("form", ["", "dl4j"])
@pytest.mark.parametrize("name", TINY)
def test_info_tells_the_inputs_and_outputs(served, name, form):
    path = served.staged(name, form=form)
    info = json.loads((path.parent / "info.json").read_text())
    graph = onnx.load(path).graph
    assert info["inputs"] == ports(graph.input)
    assert info["outputs"] == ports(graph.output)
    assert info["form"] == (form or "plain")
    assert info["nodes"] == len(graph.node)
    assert info["plan"]["size"] == path.stat().st_size


def words(session, length):
    """Two texts of one word over and over."""
    values = {"input_ids": 9, "attention_mask": 1, "token_type_ids": 0}
    return {each.name: np.full((2, length), values[each.name])
            for each in session.get_inputs()}


def is_text(name):
    """Whether nothing but one text goes in."""
    names = {entry["name"] for entry in SPECS[name]["inputs"]
             if not entry.get("optional")}
    return names <= {"input_ids", "attention_mask", "token_type_ids"}


# Of these any number of tokens has a place, if the configuration says so.
BOUNDLESS = ("deberta", "deberta-v2", "gemma", "gpt_neox", "llama", "mistral",
             "phi", "phi3", "qwen2", "qwen3", "t5")


@pytest.mark.parametrize("name", [name for name in TINY if is_text(name)])
def test_info_tells_the_longest_text(served, name):
    """So many tokens have positions, and one more has none."""
    path = served.staged(name)
    info = json.loads((path.parent / "info.json").read_text())
    session = judge.open_session(path)
    if "max_length" not in info:
        assert SPECS[name]["family"] in BOUNDLESS
        judge.run_whole(session, words(session, 200))
        return
    judge.run_whole(session, words(session, info["max_length"]))
    with pytest.raises(Exception, match="ONNXRuntimeError"):
        judge.run_whole(session, words(session, info["max_length"] + 1))


def assert_refused(folder, code=None):
    names = os.listdir(folder)
    assert "staged.status" in names and "staged.onnx" not in names
    for name in ("staged.onnx", "staged.onnx.data", "dl4j/staged.onnx"):
        with pytest.raises(OSError) as caught:
            open(folder / name, "rb")
        assert caught.value.errno == errno.ENOENT, name
    status = json.loads((folder / "staged.status").read_text())
    assert status["state"] == "refused" and status["reason"].strip()
    assert code in (None, status["code"])


@pytest.mark.parametrize("name", REFUSED)
def test_refused_fixtures(served, name):
    assert_refused(served.model(name) / view_of(SPECS[name]))


def config(**values):
    return lambda spec: dict(spec, config=values)


def cut(spec):
    """The first matrix one row shorter than the configuration says."""
    def change(tensor):
        rows, *others = tensor["shape"]
        short = tensor["name"].endswith("layer.0.intermediate.dense.weight")
        return dict(tensor, shape=[rows - 1, *others]) if short else tensor

    return repack.changed(spec, change)


def left_out(spec):
    """Sharded, but one of the files is in no index."""
    spec = repack.sharded(spec, "safetensors")
    return dict(spec, files=spec["files"][1:])


REFUSALS = {
    "activation": (config(hidden_act="gelu_of_tomorrow"),
                   "unsupported-activation"),
    "architecture": (config(model_type="bert-generation"),
                     "unsupported-architecture"),
    "code": (config(auto_map={"AutoModel": "modeling.Model"}), "remote-code"),
    "decoder": (config(is_decoder=True), "unsupported-config"),
    "heads": (config(num_attention_heads=5), "unsupported-config"),
    "positions": (config(position_embedding_type="relative_key"),
                  "unsupported-config"),
    "quantized": (config(quantization_config={"bits": 4}), "quantized"),
    "integers": (lambda spec: repack.cast(spec, "I8"),
                 "unsupported-dtype"),
    "shape": (cut, "shape-mismatch"),
    "left-out": (left_out, "missing-tensor"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_refused_rather_than_guessed(served, what):
    """BERT, which is staged, with one thing that is not understood."""
    change, code = REFUSALS[what]
    folder = served.model("bert-base", "-refused-" + what, change)
    assert_refused(folder / "pytorch", code)
