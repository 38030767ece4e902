# SPDX-License-Identifier: MIT
"""Layers that work on each value alone, join images or change their shape."""

import math

import numpy as np

from keras_network import Unsupported


def linear(_lower, _name, value, _rank):
    return value


def relu(lower, name, value, _rank):
    return lower.out.node("Relu", name, value)


def softmax(lower, name, value, rank):
    if rank != 1:
        raise Unsupported("softmax of an image")
    return lower.out.node("Softmax", name, value, axis=1)


def sigmoid(lower, name, value, _rank):
    return lower.out.node("Sigmoid", name, value)


def swish(lower, name, value, _rank):
    gate = lower.out.node("Sigmoid", name + ".gate", value)
    return lower.out.node("Mul", name, value, gate)


def gelu(lower, name, value, rank):
    """0.5 x (1 + erf(x / sqrt(2)))"""
    def number(each):
        return lower.out.constant(np.full((1,) * (rank + 1), each))

    out = lower.out
    scaled = out.node("Mul", name + ".scaled", value, number(math.sqrt(0.5)))
    erf = out.node("Erf", name + ".erf", scaled)
    gate = out.node("Add", name + ".gate", erf, number(1.0))
    half = out.node("Mul", name + ".half", value, number(0.5))
    return out.node("Mul", name, half, gate)


ACTIVATIONS = {"linear": linear, "relu": relu, "softmax": softmax,
               "sigmoid": sigmoid, "swish": swish, "gelu": gelu}


def lower_input(lower, layer):
    """The graph's input keeps the layer's name."""
    lower.out.names.add(layer.name)
    return lower.out.node("Transpose", layer.name + ".nchw", layer.name,
                          perm=[0, 3, 1, 2])


def lower_activation(lower, layer):
    return lower.activate(layer, lower.input(layer),
                          layer.config["activation"])


def lower_relu(lower, layer):
    config, value = layer.config, lower.input(layer)
    if config["negative_slope"] or config["threshold"]:
        raise Unsupported("ReLU with a slope or a threshold")
    if config["max_value"] is None:
        return lower.out.node("Relu", lower.name(layer), value)
    return lower.out.node("Clip", lower.name(layer), value,
                          lower.out.constant(0.0),
                          lower.out.constant(config["max_value"]))


def lower_rescaling(lower, layer):
    """x * scale + offset, each a number or one for each channel."""
    value, steps = lower.input(layer), []
    for operator, key, nothing in (("Mul", "scale", 1.0),
                                   ("Add", "offset", 0.0)):
        if layer.config[key] != nothing:
            number = np.reshape(layer.config[key], (1, -1, 1, 1))
            steps.append((operator, lower.out.constant(number)))
    if not steps:
        return value
    for operator, number in steps[:-1]:
        value = lower.out.node(operator, layer.name + ".scaled", value,
                               number)
    operator, number = steps[-1]
    return lower.out.node(operator, lower.name(layer), value, number)


def lower_many(operator, **attributes):
    def rule(lower, layer):
        values = [lower.values[each] for each in layer.inputs]
        if operator != "Concat" and len(values) > 2:
            return folded(lower, layer, operator, values)
        return lower.out.node(operator, lower.name(layer), *values,
                              **attributes)
    return rule


def folded(lower, layer, operator, values):
    """Two at a time."""
    value = values[0]
    for i, other in enumerate(values[1:-1], 1):
        value = lower.out.node(operator, "%s.%d" % (layer.name, i), value,
                               other)
    return lower.out.node(operator, lower.name(layer), value, values[-1])


def lower_reshape(lower, layer):
    """Only between a vector and an image of one pixel."""
    value, [shape] = lower.input(layer), layer.shapes
    channels = layer.shape[-1]
    if any(each[-1] != channels or set(each[:-1]) - {1}
           for each in (shape, layer.shape)):
        raise Unsupported("Reshape of an image")
    if shape == layer.shape:
        return value
    return lower.out.reshape(lower.name(layer), value, -1, channels,
                             *[1] * (len(layer.shape) - 1))


def lower_flatten(lower, layer):
    """In the order of Keras, the channels last."""
    value, [shape] = lower.input(layer), layer.shapes
    if len(shape) == 3 and shape[:2] != (1, 1):
        value = lower.out.node("Transpose", layer.name + ".nhwc", value,
                               perm=[0, 2, 3, 1])
    return lower.out.reshape(layer.name, value, -1, *layer.shape)


def nothing(lower, layer):
    return lower.input(layer)


RULES = {
    "InputLayer": lower_input, "Activation": lower_activation,
    "ReLU": lower_relu, "Rescaling": lower_rescaling, "Dropout": nothing,
    "Concatenate": lower_many("Concat", axis=1), "Add": lower_many("Add"),
    "Multiply": lower_many("Mul"), "Reshape": lower_reshape,
    "Flatten": lower_flatten,
}
