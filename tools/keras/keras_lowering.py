# SPDX-License-Identifier: MIT
"""From the layers of a Keras network to the nodes of an ONNX graph.

Images lie as Keras has them, channels last, at the input and the output, and
as ONNX has them in between.  Weights lie as in the Keras file; a node turns
what ONNX wants otherwise.  What Deeplearning4j cannot read is avoided in
both forms where that costs nothing, and said otherwise in the dl4j form
where it does (the rules are those of tests/importers/dl4j_rules.py).
"""

import lower_norms
import lower_pads
import lower_products
import lower_values
from keras_network import Unsupported
from onnx_skeleton import Skeleton

RULES = {**lower_norms.RULES, **lower_pads.RULES, **lower_products.RULES,
         **lower_values.RULES}


class Lowering:
    def __init__(self, network, dl4j):
        self.network = network
        self.out = Skeleton(dl4j)
        self.values = {}
        self.unused = []
        self.readers = {}
        self.padded = {}
        for layer in network.layers:
            for each in layer.inputs:
                self.readers.setdefault(each, []).append(layer)

    def run(self, metadata):
        for layer in self.network.layers:
            self.values[layer.name] = RULES[layer.kind](self, layer)
        first, last = self.network.layers[0], self._named(self.network.output)
        value = self.values[last.name]
        if len(last.shape) == 3:
            self.out.node("Transpose", last.name, value, perm=[0, 2, 3, 1])
        elif value != last.name:
            raise Unsupported("an output that computes nothing")
        metadata = dict(metadata)
        if self.unused:
            metadata["omnihub.unused"] = "\n".join(self.unused)
        batch = 1 if self.out.dl4j else "batch"
        return self.out.model(self.network.name,
                              (first.name, [batch, *first.shape]),
                              (last.name, [batch, *last.shape]), metadata)

    def _named(self, name):
        [layer] = [each for each in self.network.layers if each.name == name]
        return layer

    def name(self, layer):
        """What the layer's last node is called."""
        if layer.name == self.network.output and len(layer.shape) == 3:
            return layer.name + ".nchw"
        return layer.name

    def input(self, layer):
        [name] = layer.inputs
        return self.values[name]

    def holes(self, layer):
        """{the weight's name: its initializer}"""
        return {each.name: self.out.hole("%s.%s" % (layer.name, each.name),
                                         each.index, each.shape)
                for each in layer.weights}

    def channelwise(self, name, value, rank):
        """A vector over the channels, so that it meets an image."""
        if rank == 1:
            return value
        return self.out.reshape(name + ".channels", value, 1, -1, 1, 1)

    def activate(self, layer, value, function):
        rule = lower_values.ACTIVATIONS[function]
        return rule(self, self.name(layer), value, len(layer.shape))

    def before(self, layer, activation):
        """What the node in front of the layer's activation is called."""
        if activation == "linear":
            return self.name(layer)
        return layer.name + ".linear"


def lowered(network, dl4j, metadata):
    """The model's bytes."""
    return Lowering(network, dl4j).run(metadata)
