# SPDX-License-Identifier: MIT
"""Detectors of torchvision: one image in, boxes, labels and scores out."""

import contextlib

import torch
from torchvision import models
from torchvision.ops import boxes as box_operators

from skeleton_check import fill_detector, photograph
from torch_subject import Refused, Subject
from torch_trace import build

# Sides at which one is traced and judged; others are resized to by the model.
SIZES = {"ssd300_vgg16": (300, 300),
         "ssdlite320_mobilenet_v3_large": (320, 320),
         "fasterrcnn_mobilenet_v3_large_320_fpn": (320, 352)}
LOOPS = {"maskrcnn": "masks are pasted in a loop over the detections",
         "keypointrcnn": "keypoints are found in a loop over the detections"}
OUTPUTS = ("boxes", "labels", "scores")


def suppress(boxes, scores, classes, threshold):
    """Boxes of a class apart from those of others, without asking first if
    there are any."""
    corner = boxes.new_zeros(1, 4)
    step = torch.cat([boxes, corner]).max() + 1
    apart = boxes + (classes.to(boxes) * step)[:, None]
    return box_operators.nms(apart, scores, threshold)


@contextlib.contextmanager
def without_branches():
    kept = box_operators._batched_nms_coordinate_trick
    if torch.jit.is_tracing():
        box_operators._batched_nms_coordinate_trick = suppress
    try:
        yield
    finally:
        box_operators._batched_nms_coordinate_trick = kept


class Detector(torch.nn.Module):
    """A detector of a batch of one."""

    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, images):
        with without_branches():
            found = self.m([images[0]])
        found = found[1] if isinstance(found, tuple) else found
        return tuple(found[0][name] for name in OUTPUTS)


def detector(name, source):
    for start, why in LOOPS.items():
        if name.startswith(start):
            raise Refused(why)
    module = build(lambda: models.get_model(name, weights=None,
                                            weights_backbone=None))
    # Tracing has to see detections: layers ask if there are any.
    fill_detector(module)
    height, width = SIZES.get(name, (480, 608))
    shapes = {"boxes": ["detections", 4], "labels": ["detections"],
              "scores": ["detections"]}
    return Subject(
        source=source, prefix="m.", module=Detector(module).eval(),
        inputs=photograph({"pixel_values": (1, 3, height, width)}, 1),
        second={"pixel_values": torch.zeros(1, 3, height - 32, width + 64)},
        outputs=list(OUTPUTS), output_shapes=shapes, one_image=True,
        dynamic={"pixel_values": {2: "height", 3: "width"}})
