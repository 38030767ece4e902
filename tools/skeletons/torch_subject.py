# SPDX-License-Identifier: MIT
"""A module with all that its skeleton has to say, whatever library it is of."""

import dataclasses

import torch


class Refused(Exception):
    """No skeleton can be made; the text says why, for people."""


@dataclasses.dataclass
class Subject:
    """One architecture.

    `dynamic` gives the axes of each input that may have another size, by
    input: {axis: name}; axis 0 is always the batch.  An output's shape is a
    list of the same kind of names, numbers, and heads ("=fc.weight:0").
    `second` are inputs of other sizes, to be judged with; None where all but
    the batch is fixed.
    """
    source: str
    module: torch.nn.Module
    inputs: dict
    outputs: list
    dynamic: dict
    second: dict = None
    prefix: str = ""
    one_image: bool = False     # the batch is of one
    heads: list = dataclasses.field(default_factory=list)
    output_shapes: dict = dataclasses.field(default_factory=dict)

    def call(self, inputs):
        """The outputs by name, computed by the library."""
        with torch.no_grad():
            given = self.module(*inputs.values())
        if isinstance(given, torch.Tensor):
            given = (given,)
        return dict(zip(self.outputs, given))

    def tensor_name(self, name):
        """The name in the checkpoint of what the module calls `name`."""
        return name[len(self.prefix):] if name.startswith(self.prefix) else name

    def checkpoint(self):
        """Every tensor of the library's state dict."""
        return {self.tensor_name(name): tensor
                for name, tensor in self.module.state_dict().items()}

    def computed_buffers(self):
        """Buffers that no checkpoint holds: the module knows their values."""
        kept = set(self.module.state_dict())
        return {name: tensor for name, tensor in self.module.named_buffers()
                if name not in kept}


class Named(torch.nn.Module):
    """A module of which `pick` takes the wanted outputs as a tuple."""

    def __init__(self, m, pick):
        super().__init__()
        self.m = m
        self.pick = pick

    def forward(self, *inputs):
        return self.pick(self.m(*inputs))


def image_dynamic(batch_only):
    axes = {0: "batch"} if batch_only else {0: "batch", 2: "height", 3: "width"}
    return {"pixel_values": axes}


def other_size(channels, height):
    """Two images of another size, smaller, as they cost less."""
    side = max(64, int(height * 0.7) // 32 * 32)
    return torch.zeros(2, channels, side, side + 32)
