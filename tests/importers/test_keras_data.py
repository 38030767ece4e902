# SPDX-License-Identifier: MIT
"""What is committed for keras.applications is whole, and is what it says."""

import json

import onnx
import pytest

import dl4j_rules
import keras_data

CONFIGS = keras_data.models(keras_data.CONFIGS)
SKELETONS = keras_data.models(keras_data.SKELETONS)
# Constants of a skeleton are of its architecture; weights would be larger.
INLINE_BYTES_MAX = 16384
KNOWN_TO_BOTH = {
    "Activation", "Add", "AveragePooling2D", "BatchNormalization",
    "Concatenate", "Conv2D", "Cropping2D", "Dense", "DepthwiseConv2D",
    "Dropout", "EinsumDense", "Flatten", "GlobalAveragePooling2D",
    "InputLayer", "LayerNormalization", "MaxPooling2D", "Multiply",
    "Normalization", "ReLU", "Reshape", "Rescaling", "SeparableConv2D",
    "Sequential", "ZeroPadding2D",
}
# Of images; each was right in every importer that dl4j_rules.py speaks of.
WINDOW = ("kernel_shape", "pads", "strides")
OF_IMAGES = {
    "AveragePool": WINDOW, "BatchNormalization": ("epsilon",),
    "Conv": ("dilations", "group") + WINDOW,
    "Max": (), "MaxPool": WINDOW,
}


def skeleton(name, form):
    path = keras_data.SKELETONS / (name + keras_data.FORMS[form])
    return onnx.load_model_from_string(keras_data.unpacked(path))


def each_form():
    return [(name, form) for name in SKELETONS for form in keras_data.FORMS]


def test_every_published_file_has_a_line():
    said = keras_data.manifest(keras_data.CONFIGS)["models"]
    refused = [key for key in said if key not in CONFIGS]
    files = {entry["file"] for entry in CONFIGS.values() if "file" in entry}
    assert len(files) == 160
    assert sorted(refused) == ["ResNeXt101/notop", "ResNeXt101/top",
                               "ResNeXt50/notop", "ResNeXt50/top"]
    assert {entry["skeleton"] for entry in CONFIGS.values()} == set(SKELETONS)


@pytest.mark.parametrize("folder, suffix", [
    (keras_data.CONFIGS, ".json.gz"), (keras_data.SKELETONS, ".onnx.gz")])
def test_no_file_without_a_line(folder, suffix):
    lines = keras_data.models(folder)
    named = {entry["config"] for entry in lines.values() if "config" in entry}
    named |= {name + end for name in lines for form, end
              in keras_data.FORMS.items() if form in lines[name]}
    assert named == {path.name for path in folder.glob("*" + suffix)}


@pytest.mark.parametrize("folder", [keras_data.CONFIGS, keras_data.SKELETONS])
def test_one_model_a_line_sorted(folder):
    lines = (folder / "manifest.json").read_text().splitlines()
    assert lines[0].startswith('{"format":1,"libraries":{')
    assert lines[1:-1] == sorted(lines[1:-1])
    for line in lines[1:-1]:
        json.loads("{%s}" % line.removesuffix(","))


@pytest.mark.parametrize("key", CONFIGS)
def test_config(key):
    entry = CONFIGS[key]
    data = keras_data.unpacked(keras_data.CONFIGS / entry["config"])
    assert keras_data.sha256(data) == entry["sha256"]
    config = json.loads(data)
    layers = config["config"]["layers"]
    names = [layer["name"] for layer in layers]
    assert config["class_name"] == "Functional"
    assert {layer["class_name"] for layer in layers} <= KNOWN_TO_BOTH
    assert len(names) == len(set(names))
    assert not any("/" in name for name in names)
    known = set()
    for layer in layers:
        for call in layer["inbound_nodes"]:
            assert known.issuperset(each[0] for each in call)
        known.add(layer["name"])


@pytest.mark.parametrize("name, form", each_form())
def test_skeleton(name, form):
    path = keras_data.SKELETONS / (name + keras_data.FORMS[form])
    data = keras_data.unpacked(path)
    assert keras_data.sha256(data) == SKELETONS[name][form]
    model = onnx.load_model_from_string(data)
    metadata = {each.key: each.value for each in model.metadata_props}
    assert metadata["omnihub.format"] == "1"
    assert dl4j_rules.opset_is_13(dl4j_rules.Graph(model)) == []
    numbers = keras_data.holes(model)
    for each in model.graph.initializer:
        assert len(each.raw_data) <= INLINE_BYTES_MAX
        assert bool(each.raw_data) != (each.name in numbers)


@pytest.mark.parametrize("key", CONFIGS)
def test_every_weight_is_used_once_or_said_to_be_unused(key):
    for form in keras_data.FORMS:
        model = skeleton(CONFIGS[key]["skeleton"], form)
        used = [*keras_data.holes(model).values(), *keras_data.unused(model)]
        assert sorted(used) == list(range(CONFIGS[key]["weights"]))


@pytest.mark.parametrize("name", SKELETONS)
def test_plain_form(name):
    model = skeleton(name, "plain")
    graph = dl4j_rules.Graph(model)
    assert SKELETONS[name]["nodes"] == len(model.graph.node)
    for rule in (dl4j_rules.nodes_are_named_as_their_output,
                 dl4j_rules.names_are_unique, dl4j_rules.names_are_plain,
                 dl4j_rules.outputs_have_shapes, dl4j_rules.inputs_are_used):
        assert rule(graph) == [], rule.__name__
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch"


@pytest.mark.parametrize("name", SKELETONS)
def test_dl4j_form(name, monkeypatch):
    """Its weights are holes: that they are inline is for the staged file."""
    monkeypatch.setattr(dl4j_rules, "OPERATORS",
                        {**dl4j_rules.OPERATORS, **OF_IMAGES})
    found = dict(dl4j_rules.broken(skeleton(name, "dl4j")))
    assert set(found) <= {"weights_are_inline"}, found
