# SPDX-License-Identifier: MIT
"""Convolutions, pools and pads in the dl4j form.

Deeplearning4j M2.1 has no Pad, wants every attribute of a convolution, and
takes the pads of one side of a pool for those of both.
"""

import numpy as np

from lower_dl4j import Unlowered


def conv(low, node):
    said = node.attributes
    weight = node.inputs[1]
    kernel = low.shape(weight)[2:]
    if len(kernel) != 2:
        raise Unlowered("a convolution of %d dimension%s" % (
            len(kernel), "s" * (len(kernel) > 1)))
    if not low.is_weight(weight):
        raise Unlowered("a convolution whose weights are computed")
    if said.get("auto_pad", "NOTSET") != "NOTSET":
        raise Unlowered("a convolution that pads by itself")
    return low.emit(
        "Conv", node.inputs, node.outputs[0], kernel_shape=kernel,
        pads=said.get("pads", [0] * 4), strides=said.get("strides", [1, 1]),
        dilations=said.get("dilations", [1, 1]), group=said.get("group", 1))


def pad(low, node):
    """Zeros are joined to the sides, the edge where only a maximum is taken
    of them."""
    x = node.inputs[0]
    pads = low.constant(node.inputs[1])
    if pads is None:
        raise Unlowered("a Pad by computed numbers")
    if node.attributes.get("mode", "constant") != "constant":
        raise Unlowered("a Pad that is not constant")
    filler = fill_value(low, node)
    if filler == 0:
        return fill(low, x, pads.tolist(), zeros, node.outputs[0])
    readers = low.readers.get(node.outputs[0], [])
    if filler > -1e30 or not readers or any(
            each.op != "MaxPool" or not reaches(each, pads)
            for each in readers):
        raise Unlowered("a Pad with other than zeros")
    return fill(low, x, pads.tolist(), edges, node.outputs[0])


def fill_value(low, node):
    if len(node.inputs) < 3 or not node.inputs[2]:
        return 0.0
    value = low.constant(node.inputs[2])
    if value is None:
        raise Unlowered("a Pad with a computed value")
    return float(value.ravel()[0])


def reaches(node, pads):
    """Does every window that holds padding hold the edge beside it?"""
    kernel = node.attributes["kernel_shape"]
    return len(pads) == 8 and all(
        max(pads[2 + i], pads[6 + i]) < kernel[i] for i in (0, 1))


def zeros(low, x, axis, count, is_end, name):
    part = low.cut(x, axis, 0, 1, name)
    nothing = low.emit("Mul", [part, low.number(0.0)], name)
    return [nothing] * count


def edges(low, x, axis, count, is_end, name):
    size = low.shape(x)[axis]
    start = size - 1 if is_end else 0
    return [low.cut(x, axis, start, start + 1, name)] * count


def fill(low, x, pads, make, name):
    """Joins to each side what `make` makes; a negative pad cuts."""
    rank = len(low.shape(x))
    for axis in range(rank):
        before, after = pads[axis], pads[axis + rank]
        size = low.shape(x)[axis]
        if before < 0 or after < 0:
            x = low.cut(x, axis, max(0, -before), size - max(0, -after), name)
        parts = [x]
        if before > 0:
            parts = make(low, x, axis, before, False, name) + parts
        if after > 0:
            parts = parts + make(low, x, axis, after, True, name)
        x = low.join(parts, axis, name)
    return x


def pool_attributes(low, node):
    """(kernel, strides, pads), with the pads that rounding up adds."""
    said = node.attributes
    kernel = said["kernel_shape"]
    if len(kernel) != 2:
        raise Unlowered("a pool of other than two dimensions")
    if said.get("auto_pad", "NOTSET") != "NOTSET" or any(
            each != 1 for each in said.get("dilations", [1, 1])):
        raise Unlowered("a pool that is dilated or pads by itself")
    strides = said.get("strides", [1, 1])
    pads = list(said.get("pads", [0] * 4))
    before, after = low.shape(node.inputs[0]), low.shape(node.outputs[0])
    for i in (0, 1):
        reach = (after[2 + i] - 1) * strides[i] + kernel[i]
        extra = reach - before[2 + i] - pads[i] - pads[i + 2]
        if extra > 0:
            pads[i + 2] += extra
    return kernel, strides, pads


def max_pool(low, node):
    kernel, strides, pads = pool_attributes(low, node)
    x = node.inputs[0]
    if pads[:2] != pads[2:]:
        if any(pads[i] >= kernel[i % 2] for i in range(4)):
            raise Unlowered("a pool of padding alone")
        x = fill(low, x, [0, 0, *pads[:2], 0, 0, *pads[2:]], edges,
                 node.outputs[0])
        pads = [0] * 4
    return low.emit("MaxPool", [x], node.outputs[0], kernel_shape=kernel,
                    strides=strides, pads=pads)


def average_pool(low, node):
    kernel, strides, pads = pool_attributes(low, node)
    x = node.inputs[0]
    counted = node.attributes.get("count_include_pad", 0)
    said = list(node.attributes.get("pads", [0] * 4))
    if pads != said:
        raise Unlowered("an average pool that rounds up")
    if counted and any(pads):
        x = fill(low, x, [0, 0, *pads[:2], 0, 0, *pads[2:]], zeros,
                 node.outputs[0])
        pads = [0] * 4
    if pads[:2] != pads[2:]:
        raise Unlowered("an average pool with uneven pads")
    return low.emit("AveragePool", [x], node.outputs[0], kernel_shape=kernel,
                    strides=strides, pads=pads, count_include_pad=0)


def fold_pads(net):
    """Zero pads of height and width that only convolutions read become
    theirs.  Before the lowering, in place."""
    for node in [each for each in net.nodes if each.op == "Pad"]:
        name = node.outputs[0]
        readers = [each for each in net.nodes if name in each.inputs]
        pads = net.constants.get(node.inputs[1])
        if name in net.outputs or pads is None or not pads_with_zeros(
                net, node, pads) or not all(
                    reads_as_image(each, name) for each in readers):
            continue
        for each in readers:
            own = each.attributes.get("pads", [0] * 4)
            each.attributes["pads"] = [
                int(pads[i] + more) for i, more in zip((2, 3, 6, 7), own)]
            each.inputs[0] = node.inputs[0]
    net.sweep()


def pads_with_zeros(net, node, pads):
    """Is it zeros, and of height and width alone?"""
    value = net.constants.get(node.inputs[2]) if (
        len(node.inputs) > 2 and node.inputs[2]) else np.zeros(1)
    return (pads.size == 8 and pads.min() >= 0
            and not pads[[0, 1, 4, 5]].any()
            and value is not None and not value.any()
            and node.attributes.get("mode", "constant") == "constant")


def reads_as_image(node, name):
    return (node.op == "Conv" and name not in node.inputs[1:]
            and node.attributes.get("auto_pad", "NOTSET") == "NOTSET")
