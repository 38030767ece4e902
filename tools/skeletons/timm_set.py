# SPDX-License-Identifier: MIT
"""The architectures of timm, as subjects."""

import timm
import torch

from torch_subject import Subject, image_dynamic, other_size
from torch_trace import build

VERSION = timm.__version__
NO_HEAD = "-notop"


def prepare():
    """Once in a process, before any model is made."""
    timm.layers.set_exportable(True)
    timm.layers.set_fused_attn(False)


def names():
    """Architectures with weights; where some of those have a head and others
    none, that without one is another skeleton."""
    found = {}
    for each in timm.list_pretrained():
        config = timm.get_pretrained_cfg(each)
        found.setdefault(each.split(".")[0], set()).add(
            config.num_classes == 0)
    return sorted([*found, *(name + NO_HEAD for name, heads in found.items()
                             if len(heads) == 2)])


def head_line(module, config):
    """What may differ in size together: the classifier, or classifiers."""
    heads = config.get("classifier") or ()
    heads = (heads,) if isinstance(heads, str) else heads
    kept = module.state_dict()
    return ["%s.%s:0" % (head, part) for head in heads
            for part in ("weight", "bias") if "%s.%s" % (head, part) in kept]


def has_no_head(name):
    """Of a model without a head, what comes out are its features."""
    return name.endswith(NO_HEAD) or (
        timm.get_pretrained_cfg(name).num_classes == 0)


def build_named(name):
    arguments = {"num_classes": 0} if name.endswith(NO_HEAD) else {}
    return build(lambda: timm.create_model(
        name.removesuffix(NO_HEAD), pretrained=False, exportable=True,
        **arguments))


def subject(name, fixed=False, headless=False):
    """Of fixed size where asked for, or where the library says so."""
    module = build_named(name)
    config = module.pretrained_cfg
    channels, height, width = config["input_size"]
    fixed = fixed or bool(config.get("fixed_input_size"))
    head = [] if headless else head_line(module, config)
    output = "features" if has_no_head(name) else "logits"
    return Subject(
        source="timm %s %s" % (VERSION, name), module=module,
        inputs={"pixel_values": torch.zeros(1, channels, height, width)},
        second=None if fixed else {
            "pixel_values": other_size(channels, height)},
        outputs=[output], dynamic=image_dynamic(fixed),
        heads=[" ".join(head)] if head else [],
        output_shapes={output: ["batch", "=" + head[0]]} if head else {})


def attempts(name):
    """Of any size, of one size, and with the library's own head alone."""
    return [lambda: subject(name), lambda: subject(name, True),
            lambda: subject(name, True, True)]
