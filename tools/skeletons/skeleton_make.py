# SPDX-License-Identifier: MIT
"""From a subject to the bytes of its skeletons, in both forms."""

import dataclasses

import torch

import skeleton_file
from graph_names import rename_all
from graph_net import Net
from graph_tidy import tidy
from lower_dl4j import Unlowered, lower
from lower_rules import RULES
from lower_windows import fold_pads
from torch_subject import Refused
from torch_trace import trace

# A BERT of 24 layers has some 3700: no importer was seen to take more.
LOWERED_NODES_MAX = 4000


@dataclasses.dataclass
class Skeleton:
    plain: bytes
    lowered: bytes          # of the dl4j form, or None
    refused: str            # why there is none
    nodes: int


def read_net(subject):
    """The traced graph, tidied; buffers that no checkpoint holds inlined."""
    net = Net.of(trace(subject), subject.inputs)
    for name, tensor in subject.computed_buffers().items():
        if net.weights.pop(name, None):
            net.constants[name] = tensor.detach().numpy()
    strangers = set(net.weights) - set(subject.module.state_dict())
    if strangers:
        raise Refused("a tensor that no checkpoint holds: "
                      + sorted(strangers)[0])
    open_heads(net, subject)
    tidy(net)
    return net


def open_heads(net, subject):
    """Sizes of heads are names from here on, so that none is baked in."""
    for line in subject.heads:
        first = "=" + line.split()[0]
        for each in line.split():
            name, axis = each.rsplit(":", 1)
            value = net.weights.get(subject.prefix + name)
            if value is not None:
                value.shape[int(axis)] = first


def lowered(net, subject):
    """A copy of `net` in the dl4j form, for one image of the usual size."""
    net = net.copy()
    for name, value in net.inputs.items():
        value.shape = [1, *subject.inputs[name].shape[1:]]
    tidy(net)
    fold_pads(net)
    tidy(net)
    lower(net, RULES)
    if len(net.nodes) > LOWERED_NODES_MAX:
        raise Unlowered("%d nodes, of at most %d" % (len(net.nodes),
                                                     LOWERED_NODES_MAX))
    return net


def finish(net, subject, name, batch):
    """The skeleton's bytes of a net."""
    checkpoint = subject.checkpoint()
    rename_all(net, checkpoint)
    shapes = {each: output_shape(net, subject, each, batch)
              for each in net.outputs}
    model = net.model(name)
    del model.graph.output[:]
    for each, shape in shapes.items():
        model.graph.output.append(skeleton_file.output_info(
            each, net.values[each].kind, shape))
    names = {key: subject.tensor_name(key)
             for key in subject.module.state_dict()}
    filled = skeleton_file.make_holes(
        model.graph, names,
        {each: list(tensor.shape) for each, tensor in checkpoint.items()})
    unused = [each for each in checkpoint if each not in filled
              and not each.endswith("num_batches_tracked")]
    unused += [subject.tensor_name(each)
               for each in subject.computed_buffers()]
    skeleton_file.describe(model, subject.source, unused, subject.heads)
    return skeleton_file.to_bytes(model)


def output_shape(net, subject, name, batch):
    """What the subject says of it, else what was inferred."""
    said = subject.output_shapes.get(name)
    found = net.shape(name)
    if batch != 1 and said is not None:
        return said
    if found is None:
        raise Refused("an output of unknown shape")
    shape = ["%s_%d" % (name, i) if isinstance(dim, str)
             and not dim.startswith("=") and dim != "batch" else dim
             for i, dim in enumerate(found)]
    shape[0] = batch
    return shape


def make(subject, name):
    with torch.no_grad():
        net = read_net(subject)
    try:
        if subject.one_image:
            raise Unlowered("detections, as many as there are")
        low = lowered(net, subject)
        low_bytes, why = finish(low, subject, name, 1), None
    except Unlowered as error:
        low_bytes, why = None, str(error)
    plain = finish(net, subject, name, "batch")
    return Skeleton(plain, low_bytes, why, len(net.nodes))
