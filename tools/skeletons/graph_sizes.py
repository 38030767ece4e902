# SPDX-License-Identifier: MIT
"""Follows shapes, and lists of sizes, through a graph, and makes constants of
what is known.

An element of a list is a number where it is known, else a text that names it:
equal texts are equal numbers.
"""

import numpy as np
from onnx import TensorProto

from graph_evaluate import evaluate
from graph_net import Node
from graph_shapes import expression, infer
from graph_value import Value, value_of

# A list of sizes: longer ones are data.
SIZES_MAX = 64
LARGE = 1 << 31


class Sizes:
    def __init__(self, net):
        self.net = net
        self.lists = {}         # name -> (elements, is it a scalar)
        self.same = {}          # list -> the first value that has it
        net.values = {**net.inputs, **net.weights,
                      **{name: value_of(array)
                         for name, array in net.constants.items()}}

    def fold(self):
        """One walk through the graph, which it changes."""
        names, kept = {}, []
        waiting = self.net.nodes[::-1]
        while waiting:
            node = waiting.pop()
            node.inputs = [names.get(name, name) for name in node.inputs]
            branch = self.branch(node, names)
            if branch is not None:
                waiting += branch[::-1]
            elif not self.settle(node, names):
                kept.append(node)
        self.net.nodes = kept

    def branch(self, node, names):
        """The nodes of the branch that is taken, where that is known."""
        if node.op != "If" or node.inputs[0] not in self.net.constants:
            return None
        taken = bool(self.net.constants[node.inputs[0]].ravel()[0])
        graph = node.attributes["then_branch" if taken else "else_branch"]
        nodes = self.net.read_nodes(graph)
        for name, array in self.net.constants.items():
            self.net.values.setdefault(name, value_of(array))
        for output, info in zip(node.outputs, graph.output):
            nodes.append(Node("Identity", [info.name], [output], {}))
        return nodes

    def settle(self, node, names):
        """Infers what the node gives.  True: the node is not needed."""
        is_output = bool(set(self.net.outputs).intersection(node.outputs))
        if not is_output and self.fold_constant(node):
            return True
        self.net.values.update(zip(
            node.outputs, infer(node, self.net.values, self.net.constants)))
        found = self.follow(node)
        if found is not None:
            self.lists[node.outputs[0]] = found
            if not is_output and self.settle_list(node, found, names):
                return True
        self.shape_by_list(node)
        return False

    def known(self, name):
        if name in self.lists:
            return self.lists[name]
        array = self.net.constants.get(name)
        if array is None or array.dtype.kind not in "ib" or array.ndim > 1 or (
                array.size > SIZES_MAX):
            return None
        return array.ravel().tolist(), array.ndim == 0

    def fold_constant(self, node):
        constants = self.net.constants
        if any(name and name not in constants for name in node.inputs):
            return False
        given = evaluate(node, [constants[name] if name else None
                                for name in node.inputs])
        if given is None:
            return False
        for name, array in zip(node.outputs, given):
            constants[name] = array
            self.net.values[name] = value_of(array)
        return True

    def settle_list(self, node, found, names):
        """A list that is all numbers is a constant; one of the same
        elements as an earlier one is that."""
        elements, scalar = found
        name = node.outputs[0]
        kind = self.net.values[name].kind
        if not any(isinstance(each, str) for each in elements):
            array = np.array(elements, {
                TensorProto.BOOL: bool, TensorProto.INT32: np.int32,
                TensorProto.FLOAT: np.float32}.get(kind, np.int64))
            array = array.reshape(()) if scalar else array
            self.net.constants[name] = array
            self.net.values[name] = value_of(array)
            return True
        first = self.same.setdefault((tuple(elements), scalar, kind), name)
        if first != name:
            names[name] = first
        return first != name

    def follow(self, node):
        if node.op == "Shape":
            shape = self.net.shape(node.inputs[0])
            return None if shape is None else (list(shape), False)
        rule = getattr(self, "of_" + node.op.lower(), None)
        if rule is None or len(node.outputs) != 1:
            return None
        given = [self.known(name) for name in node.inputs]
        found = None if None in given else rule(node, given)
        return None if found is None or None in found[0] else found

    def of_gather(self, node, given):
        (elements, scalar), (at, is_one) = given
        if scalar or any(isinstance(i, str) for i in at):
            return None
        return [elements[i] for i in at], is_one

    def of_concat(self, node, given):
        return [each for elements, _ in given for each in elements], False

    def of_unsqueeze(self, node, given):
        (elements, scalar), _ = given
        return (elements, False) if scalar else None

    def of_squeeze(self, node, given):
        elements, _ = given[0]
        return (elements, True) if len(elements) == 1 else None

    def of_cast(self, node, given):
        whole = (TensorProto.INT32, TensorProto.INT64)
        return given[0] if node.attributes["to"] in whole else None

    def of_slice(self, node, given):
        (elements, _), *bounds = given
        if any(isinstance(each[0], str) for each, _ in bounds):
            return None
        (start,), (end,) = bounds[0][0], bounds[1][0]
        step = bounds[3][0][0] if len(bounds) > 3 else 1
        return elements[start:end:step], False

    def of_reshape(self, node, given):
        (elements, _), (shape, _) = given
        return (elements, False) if len(shape) == 1 else None

    def of_constantofshape(self, node, given):
        fill = node.attributes.get("value")
        (size,) = given[0][0] if len(given[0][0]) == 1 else (None,)
        if not isinstance(size, int) or size > SIZES_MAX or (
                fill is None or fill.dtype.kind != "i"):
            return None
        return fill.ravel().tolist() * size, False

    def of_equal(self, node, given):
        """A size is never below zero, so it is not -1."""
        pairs, scalar = broadcast(given)
        if any(not decided(*pair) for pair in pairs):
            return None
        return [a == b for a, b in pairs], scalar

    def of_where(self, node, given):
        pairs, scalar = broadcast(given)
        if any(isinstance(chosen, str) for chosen, _, _ in pairs):
            return None
        return [a if chosen else b for chosen, a, b in pairs], scalar

    def of_mul(self, node, given):
        return self.arithmetic("*", given)

    def of_add(self, node, given):
        return self.arithmetic("+", given)

    def of_sub(self, node, given):
        return self.arithmetic("-", given)

    def of_mod(self, node, given):
        return self.arithmetic("%", given)

    def of_div(self, node, given):
        return self.arithmetic("/", given)

    def arithmetic(self, sign, given):
        pairs, scalar = broadcast(given)
        return [expression(sign, a, b) for a, b in pairs], scalar

    # ---- shapes that a list gives

    def shape_by_list(self, node):
        if node.op in ("Reshape", "Expand"):
            given = self.known(node.inputs[1])
        elif node.op == "ConstantOfShape":
            given = self.known(node.inputs[0])
        elif node.op == "Resize" and len(node.inputs) > 3:
            given = self.known(node.inputs[3])
        else:
            return
        if given is None:
            return
        if node.op == "Reshape":
            self.reshape(node, given[0])
        elif node.op == "Expand":
            self.expand(node, given[0])
        else:
            self.net.values[node.outputs[0]].shape = list(given[0])

    def expand(self, node, sizes):
        before = self.net.shape(node.inputs[0])
        if before is not None and len(before) == len(sizes):
            self.net.values[node.outputs[0]].shape = [
                old if new == 1 else new for old, new in zip(before, sizes)]

    def reshape(self, node, sizes):
        before = self.net.shape(node.inputs[0])
        value = self.net.values[node.outputs[0]]
        sizes = list(sizes)
        if before is not None:
            sizes = [before[i] if size == 0 else size
                     for i, size in enumerate(sizes)]
            sizes = solve(before, sizes)
        if value.shape is None or len(value.shape) != len(sizes):
            value.shape = ["?%s:%d" % (node.outputs[0], i)
                           for i in range(len(sizes))]
        value.shape = [known if size == -1 else size
                       for known, size in zip(value.shape, sizes)]
        if node.inputs[1] not in self.net.constants and before is not None:
            self.write_shape(node, before, sizes)

    def write_shape(self, node, before, sizes):
        """A shape with one size that is open is a constant with -1; further
        ones are 0 where they are copied."""
        sizes = list(sizes)
        is_open = [i for i, size in enumerate(sizes)
                   if isinstance(size, str) or size == -1]
        if 0 in sizes:
            return
        if len(is_open) > 1:
            is_open = [i for i in is_open if i >= len(before)
                       or before[i] != sizes[i]]
            sizes = [0 if isinstance(size, str) and i not in is_open else size
                     for i, size in enumerate(sizes)]
        if len(is_open) <= 1:
            for i in is_open:
                sizes[i] = -1
            node.inputs[1] = self.net.constant(
                np.array(sizes, np.int64), "shape")
            self.net.values[node.inputs[1]] = Value(TensorProto.INT64,
                                                    [len(sizes)])


def solve(before, sizes):
    """What a -1 stands for, if the other sizes tell."""
    if -1 not in sizes:
        return sizes
    at, rest, product = sizes.index(-1), list(before), 1
    for size in sizes[:at] + sizes[at + 1:]:
        if isinstance(size, str):
            if size not in rest:
                return sizes
            rest.remove(size)
        else:
            product *= size
    whole, names = 1, []
    for size in rest:
        if isinstance(size, str):
            names.append(size)
        else:
            whole *= size
    if product == 0 or whole % product:
        return sizes
    found = whole // product
    for name in sorted(names):
        found = expression("*", found, name)
    return sizes[:at] + [found] + sizes[at + 1:]


def decided(a, b):
    if isinstance(a, str) or isinstance(b, str):
        return a == b or (isinstance(a, int) and a < 0) or (
            isinstance(b, int) and b < 0)
    return True


def broadcast(given):
    """(elements side by side, are they scalars)"""
    length = max(len(elements) for elements, _ in given)
    wide = [elements * (length if len(elements) == 1 else 1)
            for elements, _ in given]
    return list(zip(*wide)), all(scalar for _, scalar in given)
