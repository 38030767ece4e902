# SPDX-License-Identifier: MIT
"""Weights in float16 and bfloat16 are widened to float32, bit for bit.

The graph is the one of the float32 checkpoint, which the fixtures judge: so
only the weights have to be looked at.
"""

import numpy as np
import onnx
import pytest

import judge
import repack
import synth_rule
from onnx import numpy_helper
from safetensors_file import SafetensorsFile
from served import SPECS

NAMES = ["albert-fill-mask", "bert-base", "distilbert-question-answering",
         "electra-discriminator", "mpnet-base", "roberta-text-classification"]
TYPES = ["F16", "BF16"]
PACKINGS = {
    "safetensors": lambda spec: spec,
    "bin": lambda spec: repack.packed(spec, "torch-zip"),
    "odd": lambda spec: repack.packed(spec, "safetensors", header_pad=False),
}
TABLE = "embeddings.word_embeddings.weight"


def narrowed(dtype, packing):
    return ("-%s-%s" % (dtype.lower(), packing),
            lambda spec: PACKINGS[packing](repack.cast(spec, dtype)))


def weights_of(graph):
    """Initializers that are weights, as bytes of float32."""
    return {each.name: each.raw_data for each in graph.initializer
            if each.data_type == onnx.TensorProto.FLOAT and each.dims}


def assert_widened(graph, spec, dtype):
    weights = weights_of(graph)
    tensors = {tensor["name"]: dict(tensor, dtype=dtype)
               for tensor in spec["tensors"]}
    assert weights and set(weights) <= set(tensors)
    for name, got in weights.items():
        raw = synth_rule.raw_bytes(tensors[name])
        assert got == synth_rule.widened(raw, dtype).tobytes(), name


@pytest.mark.parametrize("form", ["", "dl4j"])
@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", NAMES)
def test_weights_are_widened(served, name, dtype, packing, form):
    wide = onnx.load(served.staged(name, form=form)).graph
    path = served.staged(name, *narrowed(dtype, packing), form=form)
    graph = onnx.load(path).graph
    assert_widened(graph, SPECS[name], dtype)
    assert list(graph.node) == list(wide.node)
    assert list(graph.input) == list(wide.input)
    assert list(graph.output) == list(wide.output)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", NAMES)
def test_widened_model_runs(served, name, dtype):
    """Its outputs are not those of the float32 weights, but near them."""
    path = served.staged(name, *narrowed(dtype, "bin"))
    session = judge.open_session(path)
    wide = judge.open_session(served.staged(name))
    for case in judge.cases(SPECS[name]):
        inputs = {entry["name"]: synth_rule.input_array(entry)
                  for entry in case["inputs"]}
        got = judge.run_whole(session, inputs)
        for key, want in judge.run_whole(wide, inputs).items():
            far = np.abs(got[key] - want).max()
            assert 0 < far < 0.2 * np.abs(want).max(), key


def every_value(dtype):
    """A table that has each of the 65536 numbers of 16 bits."""
    def change(spec):
        raw = np.arange(1 << 16, dtype="<u2").tobytes()
        raw += bytes(2 * (1366 * 48 - (1 << 16)))
        table = {"name": TABLE, "shape": [1366, 48], "dtype": dtype,
                 "rule": "data", "data": synth_rule.data(raw)}
        others = [t for t in spec["tensors"] if t["name"] != TABLE]
        return dict(spec, tensors=[*others, table],
                    config={"vocab_size": 1366})

    return change


@pytest.mark.parametrize("dtype", TYPES)
def test_every_16_bit_number(served, dtype):
    """Subnormals, infinities and all; what is not a number stays that."""
    change = every_value(dtype)
    path = served.staged("bert-base", "-all-" + dtype.lower(), change)
    table = next(each for each in onnx.load(path).graph.initializer
                 if each.name == TABLE)
    got = numpy_helper.to_array(table).ravel()
    raw = np.arange(1 << 16, dtype="<u2").tobytes()
    want = synth_rule.widened(raw, dtype)
    got, numbers = got[:len(want)], ~np.isnan(want)
    assert (np.isnan(got) == np.isnan(want)).all()
    assert got[numbers].tobytes() == want[numbers].tobytes()


@pytest.mark.parametrize("dtype", TYPES)
def test_safetensors_stay_narrow(served, dtype):
    """That view copies: it holds the type which the pickle has."""
    folder = served.model("bert-base", *narrowed(dtype, "bin"))
    got = SafetensorsFile(folder / "safetensors/model.safetensors")
    for tensor in SPECS["bert-base"]["tensors"]:
        raw = synth_rule.raw_bytes(dict(tensor, dtype=dtype))
        assert got.tensors[tensor["name"]]["dtype"] == dtype
        assert got.raw(tensor["name"]) == raw


KINDS = {"F16": onnx.TensorProto.FLOAT16, "BF16": onnx.TensorProto.BFLOAT16}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", NAMES)
def test_native_weights_are_those_of_the_file(served, name, dtype):
    """Half the size, the same outputs: the graph casts what it reads."""
    variant = narrowed(dtype, "safetensors")
    wide = served.staged(name, *variant)
    native = served.staged(name, *variant, form="native")
    onnx.checker.check_model(str(native), full_check=True)
    tensors = {tensor["name"]: dict(tensor, dtype=dtype)
               for tensor in SPECS[name]["tensors"]}
    kept = {each.name: each for each in onnx.load(native).graph.initializer
            if each.name in tensors}
    assert set(kept) == set(weights_of(onnx.load(wide).graph))
    for each in kept.values():
        assert each.data_type == KINDS[dtype]
        assert each.raw_data == synth_rule.raw_bytes(tensors[each.name])
    inputs = {entry["name"]: synth_rule.input_array(entry)
              for entry in SPECS[name]["inputs"]}
    got = judge.run_whole(judge.open_session(native), inputs)
    want = judge.run_whole(judge.open_session(wide), inputs)
    for output, value in want.items():
        np.testing.assert_allclose(got[output], value, atol=1e-5)


def test_native_is_there_only_where_it_differs(served):
    folder = served.model("bert-base") / "pytorch"
    assert not (folder / "native").exists()
    folder = served.model("bert-base", *narrowed("F16", "bin")) / "pytorch"
    names = {each.name for each in folder.iterdir()}
    assert "native" in names and "portable" not in names
    assert not (folder / "dl4j/native").exists()


def test_native_is_the_default_on_demand(served, make_mount):
    """--profile native: then the widened one has the other name."""
    served.model("bert-base", *narrowed("F16", "bin"))
    mount = make_mount(served.hub, "--profile", "native").start()
    folder = mount.model("fixtures/bert-base-f16-bin") / "pytorch"
    other = served.model("bert-base", *narrowed("F16", "bin")) / "pytorch"
    names = {each.name for each in folder.iterdir()}
    assert "portable" in names and "native" not in names
    for one, two in (("", "native"), ("portable", ""), ("dl4j", "dl4j")):
        assert (folder / one / "staged.onnx").read_bytes() \
            == (other / two / "staged.onnx").read_bytes()
