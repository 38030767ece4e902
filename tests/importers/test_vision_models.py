# SPDX-License-Identifier: MIT
"""Models of images: what they serve, and what their inputs are called."""

import json
import os

import onnx
import pytest

from served import SPECS, view_of

# Fixtures, and the tasks that there are beside AutoModel's.
TASKS = {
    "beit-features": [],
    "beit-image-classification": ["image-classification"],
    "clip": ["zero-shot-image-classification"],
    "clip-image-classification": ["image-classification"],
    "clip-text": [],
    "clip-vision": [],
    "deit-distilled": ["image-classification"],
    "dinov2-base": [],
    "dinov2-image-classification": ["image-classification"],
    "siglip": ["zero-shot-image-classification"],
    "siglip-image-classification": ["image-classification"],
    "siglip-vision": [],
    "vit-base": [],
    "vit-image-classification": ["image-classification"],
}
VARIANTS = {"dl4j", "native"}
IDS = ["text_batch_size", "sequence_length"]
PIXELS = ["image_batch_size", 3, 32, 32]


@pytest.mark.parametrize("name", TASKS)
def test_tasks_are_those_of_the_weights(served, name):
    folder = served.model(name) / "pytorch"
    tasks = {each for each in os.listdir(folder) if (folder / each).is_dir()}
    assert tasks - VARIANTS == set(TASKS[name])


@pytest.mark.parametrize("name", ["clip-image-classification",
                                  "siglip-image-classification"])
def test_half_of_two_towers_is_no_base_model(served, name):
    """Its classes are served, AutoModel is not there."""
    folder = served.model(name) / "pytorch"
    status = json.loads((folder / "staged.status").read_text())
    assert status["code"] == "missing-tensor"
    assert (folder / "image-classification/staged.onnx").exists()


def ports(values):
    return {value.name: [dim.dim_param or dim.dim_value
                         for dim in value.type.tensor_type.shape.dim]
            for value in values}


@pytest.mark.parametrize("name, inputs", [
    ("clip", {"input_ids": IDS, "pixel_values": PIXELS,
              "attention_mask": IDS}),
    ("siglip", {"input_ids": IDS, "pixel_values": PIXELS}),
])
def test_two_batches_are_named_as_optimum_names_them(served, name, inputs):
    graph = onnx.load(served.staged(name)).graph
    assert list(ports(graph.input).items()) == list(inputs.items())
    text, image, width = IDS[0], PIXELS[0], SPECS[name]["outputs"][-1]["shape"]
    assert list(ports(graph.output).items()) == list({
        "logits_per_image": [image, text], "logits_per_text": [text, image],
        "text_embeds": [text, width[-1]], "image_embeds": [image, width[-1]],
    }.items())


@pytest.mark.parametrize("name, dims", [
    ("vit-base", ["batch_size", 3, 32, 32]),
    ("dinov2-sizes", ["batch_size", 3, "height", "width"]),
])
def test_images_of_any_size_where_positions_allow(served, name, dims):
    path = served.staged(name)
    assert ports(onnx.load(path).graph.input) == {"pixel_values": dims}
    path = served.staged(name, form="dl4j")
    assert ports(onnx.load(path).graph.input) \
        == {"pixel_values": [1, 3, 32, 32]}


@pytest.mark.parametrize("name", ["vit-image-classification"])
def test_info_tells_how_images_are_made(served, name):
    folder = served.model(name) / view_of(SPECS[name])
    info = json.loads((folder / "info.json").read_text())
    assert info["labels"]["0"] == "LABEL_0"
    assert {"resize", "mean", "std"} <= info["preprocessing"].keys()
