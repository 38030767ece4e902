# SPDX-License-Identifier: MIT
"""A user's own module as a subject: one image in, one tensor out."""

import torch

from torch_subject import Subject, image_dynamic, other_size
from torch_trace import build


def subject(name, make, shape, fixed=False):
    module = build(make)
    linear = [each for each, kind in module.named_modules()
              if isinstance(kind, (torch.nn.Linear, torch.nn.Conv2d))]
    kept = module.state_dict()
    head = ["%s.%s:0" % (linear[-1], part) for part in ("weight", "bias")
            if "%s.%s" % (linear[-1], part) in kept] if linear else []
    channels, height, _ = shape
    return Subject(
        source="own " + name, module=module, outputs=["logits"],
        inputs={"pixel_values": torch.zeros(1, *shape)},
        second=None if fixed else {
            "pixel_values": other_size(channels, height)},
        dynamic=image_dynamic(fixed), heads=[" ".join(head)] if head else [],
        output_shapes={"logits": ["batch", "=" + head[0]]} if head else {})


def headless(*arguments):
    """No part of it may have another size."""
    found = subject(*arguments)
    found.heads, found.output_shapes = [], {}
    return found


def attempts(name, make, shape):
    """Of any size, of one size, and with all of its sizes fixed."""
    return [lambda: subject(name, make, shape),
            lambda: subject(name, make, shape, True),
            lambda: headless(name, make, shape, True)]
