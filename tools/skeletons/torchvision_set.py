# SPDX-License-Identifier: MIT
"""The architectures of torchvision: its builders, as subjects."""

import torch
import torchvision
from torchvision import models

from torch_subject import Named, Refused, Subject, image_dynamic, other_size
from torch_trace import build
from torchvision_detect import detector

VERSION = torchvision.__version__.split("+")[0]
IMAGE = "pixel_values"

# Sizes at which an architecture's own layers work; 224 unless named.
IMAGE_SIZES = {"inception_v3": 299, "vit_h_14": 224}
# Position tables and windows of one size.
FIXED_SIZE = ("vit_", "maxvit", "swin_")
CLIP_FRAMES = 16


def prepare():
    """Nothing has to be set."""


def names():
    return models.list_models()


def attempts(name):
    """Of any size, and of one size."""
    return [lambda: subject(name), lambda: subject(name, True)]


def is_in(module, name):
    return name in models.list_models(module)


def leaf_heads(module):
    """The last linear layer or convolution: what a new head replaces."""
    kinds = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.Conv3d)
    return [name for name, each in module.named_modules()
            if isinstance(each, kinds)][-1:]


def head_lines(module, heads):
    """(what may differ in size together, the first of it)"""
    kept = module.state_dict()
    found = ["%s.%s:0" % (head, part) for head in heads
             for part in ("weight", "bias") if "%s.%s" % (head, part) in kept]
    return " ".join(found), "=" + found[0]


def classifier(name, fixed):
    arguments = {}
    if name in ("googlenet", "inception_v3"):
        arguments = {"init_weights": False, "transform_input": True}
    module = build(lambda: models.get_model(name, weights=None, **arguments))
    heads = leaf_heads(module)
    if name in ("googlenet", "inception_v3"):
        heads = ["fc"]
    line, size = head_lines(module, heads)
    side = IMAGE_SIZES.get(name, 224)
    fixed = fixed or name.startswith(FIXED_SIZE)
    return Subject(
        source=source(name), module=module,
        inputs={IMAGE: torch.zeros(1, 3, side, side)}, outputs=["logits"],
        dynamic=image_dynamic(fixed), heads=[line],
        second=None if fixed else {IMAGE: other_size(3, side)},
        output_shapes={"logits": ["batch", size]})


def segmenter(name):
    module = build(lambda: models.get_model(
        name, weights=None, weights_backbone=None, **(
            {} if name.startswith("lraspp") else {"aux_loss": True})))
    if name.startswith("lraspp"):
        heads = {"out": ["classifier.low_classifier",
                         "classifier.high_classifier"]}
    else:
        heads = {"out": ["classifier.4"], "aux": ["aux_classifier.4"]}
    lines = {output: head_lines(module, heads[output]) for output in heads}
    outputs = list(heads)
    return Subject(
        source=source(name), prefix="m.", outputs=outputs,
        module=Named(module, lambda got: tuple(got[o] for o in outputs)).eval(),
        inputs={IMAGE: torch.zeros(1, 3, 224, 224)},
        second={IMAGE: torch.zeros(2, 3, 192, 257)},
        dynamic=image_dynamic(False), heads=[lines[o][0] for o in outputs],
        output_shapes={o: ["batch", lines[o][1], "height", "width"]
                       for o in outputs})


# Frames, side, and whether both may differ.
CLIPS = {"mc3_18": (16, 112, True), "r2plus1d_18": (16, 112, True),
         "r3d_18": (16, 112, True), "s3d": (16, 224, True),
         "mvit_v1_b": (16, 224, False), "mvit_v2_s": (16, 224, False),
         "swin3d_b": (32, 224, False), "swin3d_s": (32, 224, False),
         "swin3d_t": (32, 224, False)}


def video(name):
    """Clips as [batch, channels, frames, height, width]."""
    module = build(lambda: models.get_model(name, weights=None))
    line, size = head_lines(module, leaf_heads(module))
    frames, side, free = CLIPS[name]
    axes = {0: "batch", 2: "frames", 3: "height", 4: "width"}
    return Subject(
        source=source(name), module=module, outputs=["logits"], heads=[line],
        inputs={IMAGE: torch.zeros(1, 3, frames, side, side)},
        second={IMAGE: torch.zeros(2, 3, frames + 4, side, side + 32)}
        if free else None,
        dynamic={IMAGE: axes if free else {0: "batch"}},
        output_shapes={"logits": ["batch", size]})


def optical_flow(name):
    """The flow of the last of 12 updates; sides are multiples of 8."""
    module = build(lambda: models.get_model(name, weights=None))
    both, axes = ("image1", "image2"), {0: "batch", 2: "height", 3: "width"}
    return Subject(
        source=source(name), prefix="m.", outputs=["flow"],
        module=Named(module, lambda flows: (flows[-1],)).eval(),
        inputs={each: torch.zeros(1, 3, 128, 144) for each in both},
        second={each: torch.zeros(2, 3, 136, 160) for each in both},
        dynamic={each: axes for each in both},
        output_shapes={"flow": ["batch", 2, "height", "width"]})


def source(name):
    return "torchvision %s %s" % (VERSION, name)


def subject(name, fixed=False):
    if is_in(models.quantization, name):
        raise Refused("quantized weights are packed objects of torch, "
                      "not tensors")
    if is_in(models.segmentation, name):
        return segmenter(name)
    if is_in(models, name):
        return classifier(name, fixed)
    if is_in(models.video, name):
        return video(name)
    if is_in(models.optical_flow, name):
        return optical_flow(name)
    if is_in(models.detection, name):
        return detector(name, source(name))
    raise Refused("a kind of model that is not known")
