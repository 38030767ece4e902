# SPDX-License-Identifier: MIT
"""The dl4j form of a graph: what every importer that was judged computes
rightly, Deeplearning4j 1.0.0-M2.1 included.

Batch and sizes are fixed, so each shape is a list of numbers; only the size
of a head stays a name.  A node is rewritten by the rule of its operator, or
the graph is refused, with what it is refused for.
"""

import numpy as np

from graph_shapes import infer
from graph_tidy import tidy
from graph_net import Node
from graph_value import value_of


class Unlowered(Exception):
    """What the dl4j form has no way to say, for people."""


class Lowering:
    """The graph that is being written, and what rules write it with."""

    def __init__(self, net):
        self.net = net
        self.makers = {}        # name -> the old node that gives it
        self.readers = {}       # name -> old nodes that take it
        self.nodes = []
        self.zero = None
        self.renamed = {}
        self.before = []        # inputs of the node at hand, as they were
        for node in net.nodes:
            self.makers.update(dict.fromkeys(node.outputs, node))
            for name in node.inputs:
                self.readers.setdefault(name, []).append(node)

    # ---- what is known

    def shape(self, name):
        shape = self.net.shape(name)
        if shape is None or any(isinstance(dim, str) and
                                not dim.startswith("=") for dim in shape):
            raise Unlowered("a shape that the input decides")
        return shape

    def kind(self, name):
        return self.net.values[name].kind

    def constant(self, name):
        """The array of a constant, or None."""
        return self.net.constants.get(name)

    def is_weight(self, name):
        return name in self.net.weights

    def is_given(self, name):
        return name in self.net.weights or name in self.net.constants

    # ---- what writes

    def number(self, array, dtype=np.float32):
        name = self.net.constant(np.array(array, dtype))
        self.net.values[name] = value_of(self.net.constants[name])
        return name

    def emit(self, op, inputs, hint, **attributes):
        """Adds a node; gives the name of its output."""
        name = self.net.fresh(hint)
        node = Node(op, list(inputs), [name], attributes)
        self.net.values[name], = infer(node, self.net.values,
                                       self.net.constants)
        self.nodes.append(node)
        return name

    def alias(self, old, new):
        """What read `old` reads `new`; an output keeps its name."""
        self.net.values.setdefault(new, self.net.values[old])
        if old not in self.net.outputs:
            self.renamed[old] = new
            return
        for node in self.nodes:
            if node.outputs == [new] and new not in self.net.outputs:
                node.outputs = [old]
                for each in self.nodes:
                    each.inputs = [old if name == new else name
                                   for name in each.inputs]
                return
        self.nodes.append(Node("Reshape", [new, self.sizes(self.shape(old))],
                               [old], {}))

    def sizes(self, shape):
        """A constant for Reshape; of an open size, -1."""
        open_ones = [dim for dim in shape if isinstance(dim, str)]
        if len(open_ones) > 1:
            raise Unlowered("a shape with the head's size twice")
        return self.number([-1 if isinstance(dim, str) else dim
                            for dim in shape], np.int64)

    def reshape(self, name, shape, hint):
        if self.shape(name) == list(shape):
            return name
        new = self.emit("Reshape", [name, self.sizes(shape)], hint)
        self.net.values[new].shape = list(shape)
        return new

    def cut(self, name, axis, start, end, hint, step=1):
        """The part [start, end) of one axis."""
        axis %= len(self.shape(name))
        if (start, end, step) == (0, self.shape(name)[axis], 1):
            return name
        bounds = [self.number([each], np.int64)
                  for each in (start, end, axis)]
        if step != 1:
            bounds.append(self.number([step], np.int64))
        return self.emit("Slice", [name, *bounds], hint)

    def nothing(self):
        """A zero that is computed: of the first number of the input."""
        if self.zero is None:
            first, value = next(iter(self.net.inputs.items()))
            part = first
            for axis in range(len(value.shape)):
                part = self.cut(part, axis, 0, 1, "nothing")
            part = self.reshape(part, [1], "nothing")
            self.zero = self.emit("Mul", [part, self.number([0.0])],
                                  "nothing")
        return self.zero

    def join(self, names, axis, hint):
        return names[0] if len(names) == 1 else self.emit(
            "Concat", names, hint, axis=axis)


def forget_sizes(net):
    """Drops what computes the shape that a node is asked for: the rules take
    the shape that it has."""
    for node in net.nodes:
        if node.op in ("Reshape", "Expand", "Resize"):
            del node.inputs[1:]
    net.sweep()


def lower(net, rules):
    """Writes `net`, whose batch and sizes are numbers, in the dl4j form."""
    forget_sizes(net)
    lowering = Lowering(net)
    for node in net.nodes:
        lowering.before = node.inputs
        node.inputs = [lowering.renamed.get(name, name)
                       for name in node.inputs]
        rule = rules.get(node.op)
        if rule is None:
            raise Unlowered("the operator " + node.op)
        given = rule(lowering, node)
        if given is not None:
            lowering.alias(node.outputs[0], given)
    net.nodes = lowering.nodes
    merge_reshapes(net)
    net.sweep()
    tidy(net)


def merge_reshapes(net):
    """A Reshape of a Reshape is one."""
    makers = {node.outputs[0]: node for node in net.nodes}
    for node in net.nodes:
        while node.op == "Reshape":
            before = makers.get(node.inputs[0])
            if before is None or before.op != "Reshape":
                break
            node.inputs = [before.inputs[0], node.inputs[1]]
