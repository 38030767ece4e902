# SPDX-License-Identifier: MIT
"""Makes of a traced graph the one that a person would have written.

Tracing writes a chain of nodes for every size it asks for.  Here sizes that
are known become constants, and what computes nothing goes.  No weight is
touched: weights have no values here.
"""

import numpy as np

from graph_sizes import Sizes

ROUNDS_MAX = 8


class Branches(Exception):
    """The graph is no straight line of nodes."""


def tidy(net):
    """Rewrites `net` in place, until nothing changes."""
    write_pads(net)
    for _ in range(ROUNDS_MAX):
        before = fingerprint(net)
        net.replace(merge_equal(net))
        net.sweep()
        Sizes(net).fold()
        net.replace(drop_idle(net))
        net.sweep()
        if fingerprint(net) == before:
            break
    if any(node.op in ("If", "Loop") for node in net.nodes):
        raise Branches("a branch or a loop that the input decides")


def write_pads(net):
    """A convolution of stride 1 that pads by itself pads by numbers."""
    for node in net.nodes:
        if node.op != "Conv" or "auto_pad" not in node.attributes:
            continue
        how = node.attributes["auto_pad"]
        kernel = net.weights[node.inputs[1]].shape[2:] if (
            node.inputs[1] in net.weights) else None
        strides = node.attributes.get("strides", [1])
        if how not in ("SAME_UPPER", "SAME_LOWER") or kernel is None or (
                set(strides) != {1}):
            continue
        dilations = node.attributes.get("dilations", [1] * len(kernel))
        totals = [d * (k - 1) for d, k in zip(dilations, kernel)]
        small = [total // 2 for total in totals]
        large = [total - total // 2 for total in totals]
        node.attributes["pads"] = (small + large if how == "SAME_UPPER"
                                   else large + small)
        del node.attributes["auto_pad"]


def fingerprint(net):
    return [node.key() for node in net.nodes]


def merge_equal(net):
    """Nodes, and constants, that give the same become one."""
    names, seen, kept = {}, {}, []
    for name, array in net.constants.items():
        key = (array.dtype.str, array.shape, array.tobytes())
        first = seen.setdefault(key, name)
        if first != name:
            names[name] = first
    for node in net.nodes:
        node.inputs = [names.get(name, name) for name in node.inputs]
        first = seen.setdefault(node.key(), node)
        if first is node or set(net.outputs).intersection(node.outputs):
            kept.append(node)
        else:
            names.update(zip(node.outputs, first.outputs))
    net.nodes = kept
    return names


# ---- nodes that give what they are given

def drop_idle(net):
    names, kept = {}, []
    for node in net.nodes:
        if is_idle(net, node) and node.outputs[0] not in net.outputs:
            names[node.outputs[0]] = node.inputs[0]
        else:
            kept.append(node)
    net.nodes = kept
    return names


def is_idle(net, node):
    rule = IDLE.get(node.op)
    return bool(rule) and rule(net, node)


def same_shape(net, node):
    before, after = net.shape(node.inputs[0]), net.shape(node.outputs[0])
    return before is not None and before == after and None not in before


def casts_nothing(net, node):
    value = net.values.get(node.inputs[0])
    return value is not None and value.kind == node.attributes["to"]


def pads_nothing(net, node):
    pads = net.constants.get(node.inputs[1])
    return pads is not None and not pads.any()


def slices_nothing(net, node):
    given = [net.constants.get(name) for name in node.inputs[1:]]
    shape = net.shape(node.inputs[0])
    if any(each is None for each in given) or len(given) < 3 or shape is None:
        return False
    steps = given[3] if len(given) > 3 else np.ones(len(given[0]))
    for start, end, axis, step in zip(*given[:3], steps):
        size = shape[axis]
        whole = end >= (size if isinstance(size, int) else 1 << 31)
        if start != 0 or step != 1 or not whole:
            return False
    return True


def is_scalar_of(number):
    def rule(net, node):
        array = net.constants.get(node.inputs[1])
        return array is not None and array.size == 1 and (
            array.ravel()[0] == number and same_shape(net, node))
    return rule


def transposes_nothing(net, node):
    perm = node.attributes.get("perm", [])
    return bool(perm) and perm == sorted(perm)


IDLE = {
    "Identity": lambda net, node: True,
    "Dropout": lambda net, node: len(node.outputs) == 1,
    "Cast": casts_nothing,
    "Reshape": same_shape,
    "Flatten": same_shape,
    "Expand": same_shape,
    "Tile": same_shape,
    "Pad": pads_nothing,
    "Slice": slices_nothing,
    "Concat": lambda net, node: len(node.inputs) == 1,
    "Transpose": transposes_nothing,
    "Mul": is_scalar_of(1),
    "Div": is_scalar_of(1),
    "Add": is_scalar_of(0),
    "Sub": is_scalar_of(0),
}
