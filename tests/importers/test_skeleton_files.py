# SPDX-License-Identifier: MIT
"""Each file of staging/skeletons is what the manifest says, and is of the
format that the reader takes: tools/skeletons/README.md."""

import gzip
import hashlib
import json
import pathlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto

import dl4j_rules

SKELETONS = pathlib.Path(__file__).parents[2] / "staging" / "skeletons"
SETS = ("torchvision", "timm")
FORMS = {"plain": ".onnx.gz", "dl4j": ".dl4j.onnx.gz"}
# Nodes of training, or that compute nothing.
NEEDLESS = {"Dropout", "Identity"}
METADATA = {"omnihub.format", "omnihub.free", "omnihub.source",
            "omnihub.unused"}


def manifest(name):
    return json.loads((SKELETONS / name / "manifest.json").read_text())


def digests(name):
    """{file name: SHA-256} of every file that the manifest names."""
    return {model + FORMS[form]: entry[form]
            for model, entry in manifest(name)["models"].items()
            for form in FORMS if isinstance(entry.get(form), str)}


def load(name, file):
    return onnx.load_model_from_string(
        gzip.decompress((SKELETONS / name / file).read_bytes()))


def is_hole(tensor):
    return tensor.data_location == TensorProto.EXTERNAL


def wrong_tensors(graph):
    """Initializers that are neither a hole nor a small constant."""
    for tensor in graph.initializer:
        size = int(np.prod(tensor.dims, dtype=np.int64))
        if is_hole(tensor):
            places = [(each.key, each.value) for each in tensor.external_data]
            if places != [("location", tensor.name)] or tensor.raw_data:
                yield tensor.name
        else:
            kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
            if len(tensor.raw_data) != size * kind.itemsize:
                yield tensor.name


def wrong_nodes(graph):
    """Nodes that are named, ordered or chosen wrongly."""
    known = {each.name for each in (*graph.input, *graph.initializer)}
    for node in graph.node:
        if (node.op_type in NEEDLESS or node.domain or node.doc_string
                or node.name != node.output[0]
                or any(":" in name for name in (*node.input, *node.output))
                or not known.issuperset(filter(None, node.input))
                or known.intersection(node.output)):
            yield node.name
        known.update(node.output)
    for output in graph.output:
        if output.name not in known:
            yield output.name


def wrong_heads(model):
    """What metadata and outputs say of tensors that are not holes."""
    dims = {each.name: each.dims for each in model.graph.initializer
            if is_hole(each)}
    said = {each.key: each.value for each in model.metadata_props}
    lines = [line.split() for line in said["omnihub.free"].split("\n") if line]
    lines += [[dim.dim_param[1:]] for output in model.graph.output
              for dim in output.type.tensor_type.shape.dim
              if dim.dim_param.startswith("=")]
    for line in lines:
        sizes = set()
        for each in line:
            name, axis = each.rsplit(":", 1)
            if name not in dims or int(axis) >= len(dims[name]):
                yield each
            else:
                sizes.add(dims[name][int(axis)])
        if len(sizes) > 1:
            yield " ".join(line)


def faults(model, source):
    """What is not as the format has it, in words."""
    graph = model.graph
    said = {each.key: each.value for each in model.metadata_props}
    opsets = [(each.domain, each.version) for each in model.opset_import]
    if (opsets, model.ir_version) != ([("", 13)], 7):
        yield "opset %s, IR %d" % (opsets, model.ir_version)
    if set(said) != METADATA or said["omnihub.format"] != "1":
        yield "metadata %s" % sorted(said)
    if not said.get("omnihub.source", "").startswith(source + " "):
        yield "source %s" % said.get("omnihub.source")
    names = [each.name for each in (*graph.initializer, *graph.input)]
    if len(set(names)) != len(names) or "" in names:
        yield "tensors of one name"
    if not any(is_hole(each) for each in graph.initializer):
        yield "no hole"
    for values in (graph.input, graph.output):
        for value in values:
            dims = value.type.tensor_type.shape.dim
            if not dims or not all(d.dim_param or d.dim_value for d in dims):
                yield "no shape of " + value.name
    for wrong in (wrong_tensors(graph), wrong_nodes(graph),
                  wrong_heads(model)):
        yield from wrong


@pytest.mark.parametrize("name", SETS)
def test_manifest_tells_of_every_file(name):
    there = {path.name for path in (SKELETONS / name).glob("*.gz")}
    assert there == set(digests(name))


@pytest.mark.parametrize("name", SETS)
def test_every_refusal_has_a_reason(name):
    for model, entry in manifest(name)["models"].items():
        assert entry.get("refused") or (entry["plain"] and entry["nodes"])
        if "refused" not in entry and not isinstance(entry["dl4j"], str):
            assert entry["dl4j"]["refused"], model


@pytest.mark.parametrize("name", SETS)
def test_every_file_has_its_digest(name):
    """And its archive holds neither a time nor a name."""
    for file, digest in digests(name).items():
        packed = (SKELETONS / name / file).read_bytes()
        assert packed[3:8] == bytes(5), file
        data = gzip.decompress(packed)
        assert hashlib.sha256(data).hexdigest() == digest, file


@pytest.mark.parametrize("name", SETS)
def test_every_file_is_of_the_format(name):
    wrong = {}
    for file in digests(name):
        found = list(faults(load(name, file), name))
        if found:
            wrong[file] = found[:5]
    assert not wrong


@pytest.mark.parametrize("name", SETS)
def test_node_counts_are_those_of_the_plain_form(name):
    for model, entry in manifest(name)["models"].items():
        if "refused" not in entry:
            graph = load(name, model + FORMS["plain"]).graph
            assert len(graph.node) == entry["nodes"], model


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_the_dl4j_form_keeps_its_rules(name):
    """Of weights, that they are inline is the reader's to see to."""
    wrong = {}
    for file in digests(name):
        if not file.endswith(FORMS["dl4j"]):
            continue
        model = load(name, file)
        found = dict(dl4j_rules.broken(model))
        holes = {each.name for each in model.graph.initializer
                 if is_hole(each)}
        apart = set(found.pop("weights_are_inline")) ^ holes
        if found or apart:
            wrong[file] = [*found.items(), *apart][:3]
    assert not wrong
