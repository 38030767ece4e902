# SPDX-License-Identifier: MIT
"""An ONNX graph as plain Python objects, for rewriting.

Weights have a type and dimensions but no values; constants have values.
"""

import dataclasses

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from graph_value import Value, read_value, tensor


@dataclasses.dataclass
class Node:
    op: str
    inputs: list
    outputs: list
    attributes: dict

    def proto(self):
        return helper.make_node(
            self.op, self.inputs, self.outputs, name=self.outputs[0],
            **{name: tensor("value", value) if isinstance(value, np.ndarray)
               else value for name, value in self.attributes.items()})

    def key(self):
        """Equal for nodes that compute the same."""
        return (self.op, tuple(self.inputs), len(self.outputs), tuple(
            (name, hashable(self.attributes[name]))
            for name in sorted(self.attributes)))


def hashable(value):
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if isinstance(value, onnx.GraphProto):
        return value.SerializeToString(deterministic=True)
    return tuple(value) if isinstance(value, list) else value


def attribute_value(attribute):
    value = helper.get_attribute_value(attribute)
    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, onnx.GraphProto):
        return value
    return list(value) if attribute.type in (
        onnx.AttributeProto.INTS, onnx.AttributeProto.FLOATS) else value


class Net:
    def __init__(self):
        self.inputs = {}        # name -> Value: what is fed
        self.weights = {}       # name -> Value: of the checkpoint
        self.constants = {}     # name -> array
        self.outputs = []       # names
        self.nodes = []
        self.values = {}        # name -> Value, by tidy()
        self.made = 0

    @classmethod
    def of(cls, model, fed):
        """Graph inputs that are not named in `fed` are weights."""
        net = cls()
        graph = model.graph
        for info in graph.input:
            kept = net.inputs if info.name in fed else net.weights
            kept[info.name] = read_value(info)
        for each in graph.initializer:
            net.constants[each.name] = numpy_helper.to_array(each)
        net.outputs = [each.name for each in graph.output]
        net.nodes = net.read_nodes(graph)
        return net

    def read_nodes(self, graph):
        """The nodes of a graph, but constants: those become the net's."""
        nodes = []
        for node in graph.node:
            attributes = {each.name: attribute_value(each)
                          for each in node.attribute}
            if node.op_type == "Constant":
                self.constants[node.output[0]] = constant_of(attributes)
            else:
                nodes.append(Node(node.op_type, list(node.input),
                                  list(node.output), attributes))
        return nodes

    def copy(self):
        other = Net()
        other.inputs = {n: Value(v.kind, list(v.shape))
                        for n, v in self.inputs.items()}
        other.weights = dict(self.weights)
        other.constants = dict(self.constants)
        other.outputs = list(self.outputs)
        other.nodes = [Node(n.op, list(n.inputs), list(n.outputs),
                            dict(n.attributes)) for n in self.nodes]
        other.made = self.made
        return other

    def fresh(self, hint):
        self.made += 1
        return "%s__%d" % (hint, self.made)

    def constant(self, array, hint="constant"):
        name = self.fresh(hint)
        self.constants[name] = np.asarray(array)
        return name

    def users(self):
        """How many nodes and outputs read each value."""
        count = dict.fromkeys(self.outputs, 1)
        for node in self.nodes:
            for name in node.inputs:
                count[name] = count.get(name, 0) + 1
        return count

    def replace(self, names):
        """Reads of a name become reads of another; outputs stay."""
        if not names:
            return
        for node in self.nodes:
            node.inputs = [follow(names, name) for name in node.inputs]

    def sweep(self):
        """Drops what no output needs."""
        needed = set(self.outputs)
        kept = []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                kept.append(node)
                needed.update(node.inputs)
        self.nodes = kept[::-1]
        self.constants = {name: array for name, array
                          in self.constants.items() if name in needed}

    def graph(self, name="g"):
        """As a GraphProto; weights are inputs of it."""
        infos = [helper.make_tensor_value_info(each, value.kind, value.shape)
                 for each, value in (*self.inputs.items(),
                                     *self.weights.items())]
        outputs = [onnx.ValueInfoProto(name=each) for each in self.outputs]
        return helper.make_graph(
            [node.proto() for node in self.nodes], name, infos, outputs,
            [tensor(each, array) for each, array in self.constants.items()])

    def model(self, name="g"):
        return helper.make_model(
            self.graph(name), ir_version=7, producer_name="omnihub",
            opset_imports=[helper.make_opsetid("", 13)])

    def shape(self, name):
        value = self.values.get(name)
        return value.shape if value else None

    def rank(self, name):
        shape = self.shape(name)
        return None if shape is None else len(shape)


def constant_of(attributes):
    (name, value), = attributes.items()
    if name == "value":
        return value
    kinds = {"value_int": np.int64, "value_ints": np.int64,
             "value_float": np.float32, "value_floats": np.float32}
    return np.array(value, kinds[name])


def follow(names, name):
    while name in names:
        name = names[name]
    return name
