# SPDX-License-Identifier: MIT
"""OpenCV's dnn reads the plain form of models of images, and computes what
ONNX Runtime does and what the real library did."""

import cv2
import pytest

import elsewhere as places
import judge
import judge_torch
from judge_beside import in_both
from served import FIXTURES, SPECS, TINY, view_of


def of_images(name):
    return [entry["name"] for entry in SPECS[name]["inputs"]
            if not entry.get("optional")] == ["pixel_values"]


IMAGES = [name for name in TINY if of_images(name)]
# Gigabytes of memory, and no operator that the others have not.
LARGE = ["alexnet", "vgg16", "vit_b_16",
         "vit_base_patch16_224.augreg2_in21k_ft_in1k"]
# What it cannot read or computes otherwise, and its words.
NOT_READ = {}


def reader(path):
    """What OpenCV computes of the model at @path."""
    net = cv2.dnn.readNetFromONNX(str(path))

    def compute(inputs, names):
        for name, values in inputs.items():
            net.setInput(values, name)
        return dict(zip(names, net.forward(list(names))))

    return compute


def assert_read(name, assert_right, path, fixture):
    if name not in NOT_READ:
        assert_right(path, fixture, in_both(judge.run_whole, reader(path)))
        return
    with pytest.raises((cv2.error, AssertionError), match=NOT_READ[name]):
        assert_right(path, fixture, in_both(judge.run_whole, reader(path)))


@pytest.mark.parametrize("name", IMAGES)
def test_transformers(served, name):
    assert_read(name, judge.assert_right, served.staged(name),
                FIXTURES / name)


@pytest.mark.parametrize("kind, name", [
    pytest.param(kind, name, marks=pytest.mark.slow)
    for kind in ("torchvision", "timm") for name in places.names(kind)
    if name not in LARGE])
def test_torch(apart, kind, name):
    path = getattr(apart, kind)(name) / "staged.onnx"
    assert_read(name, judge_torch.assert_right, path,
                places.FIXTURES / kind / name)
    apart.forget(kind, name)
