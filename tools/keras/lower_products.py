# SPDX-License-Identifier: MIT
"""Convolutions and dense layers."""

from keras_network import same_pads
from lower_pads import NO_PADS


def pads_of(lower, layer):
    """The pads of a convolution, with those of a layer only it reads."""
    config, [shape] = layer.config, layer.shapes
    if config["padding"] == "same":
        return tuple(same_pads(shape[i], config["kernel_size"][i],
                               config["strides"][i],
                               config["dilation_rate"][i]) for i in (0, 1))
    return lower.padded.get(layer.inputs[0], NO_PADS)


def bias_of(holes):
    return [holes[each] for each in holes if each == "bias"]


def conv(lower, name, value, weights, config, pads, group=1):
    (top, bottom), (left, right) = pads
    return lower.out.node(
        "Conv", name, value, *weights, kernel_shape=config["kernel_size"],
        strides=config["strides"], dilations=config["dilation_rate"],
        pads=[top, left, bottom, right], group=group)


def lower_conv(lower, layer):
    config, holes = layer.config, lower.holes(layer)
    kernel = lower.out.node("Transpose", layer.name + ".oihw",
                            holes["kernel"], perm=[3, 2, 0, 1])
    weights = [kernel] + bias_of(holes)
    value = conv(lower, lower.before(layer, config["activation"]),
                 lower.input(layer), weights, config, pads_of(lower, layer),
                 config["groups"])
    return lower.activate(layer, value, config["activation"])


def depthwise_kernel(lower, layer, hole):
    """[height, width, channels, many] as [channels * many, 1, height, width]"""
    kernel = lower.out.node("Transpose", layer.name + ".chw", hole,
                            perm=[2, 3, 0, 1])
    many = layer.config["depth_multiplier"]
    if many == 1:
        return kernel
    channels = layer.shapes[0][2] * many
    return lower.out.reshape(layer.name + ".c1hw", kernel, channels, 1,
                             *layer.config["kernel_size"])


def lower_depthwise(lower, layer):
    config, holes = layer.config, lower.holes(layer)
    kernel = depthwise_kernel(lower, layer, holes["depthwise_kernel"])
    weights = [kernel] + bias_of(holes)
    value = conv(lower, lower.before(layer, config["activation"]),
                 lower.input(layer), weights, config, pads_of(lower, layer),
                 layer.shapes[0][2])
    return lower.activate(layer, value, config["activation"])


def lower_separable(lower, layer):
    config, holes = layer.config, lower.holes(layer)
    kernel = depthwise_kernel(lower, layer, holes["depthwise_kernel"])
    value = conv(lower, layer.name + ".depthwise", lower.input(layer),
                 [kernel], config, pads_of(lower, layer), layer.shapes[0][2])
    kernel = lower.out.node("Transpose", layer.name + ".oihw",
                            holes["pointwise_kernel"], perm=[3, 2, 0, 1])
    weights = [kernel] + bias_of(holes)
    value = conv(lower, lower.before(layer, config["activation"]), value,
                 weights, dict(config, kernel_size=[1, 1], strides=[1, 1],
                               dilation_rate=[1, 1]), NO_PADS)
    return lower.activate(layer, value, config["activation"])


def lower_dense(lower, layer):
    """A matrix; over an image the same for each pixel, a 1 x 1 window."""
    config, holes = layer.config, lower.holes(layer)
    name = lower.before(layer, config["activation"])
    if len(layer.shape) == 3:
        value = dense_of_pixels(lower, layer, name, holes)
    else:
        value = dense_of_vector(lower, layer, name, holes)
    return lower.activate(layer, value, config["activation"])


def dense_of_pixels(lower, layer, name, holes):
    inputs, units = layer.shapes[0][2], layer.config["units"]
    turned = lower.out.node("Transpose", layer.name + ".oi", holes["kernel"],
                            perm=[1, 0])
    kernel = lower.out.reshape(layer.name + ".oi11", turned, units, inputs,
                               1, 1)
    weights = [kernel] + bias_of(holes)
    window = {"kernel_size": [1, 1], "strides": [1, 1],
              "dilation_rate": [1, 1]}
    return conv(lower, name, lower.input(layer), weights, window, NO_PADS)


def dense_of_vector(lower, layer, name, holes):
    value, biased = lower.input(layer), layer.config["use_bias"]
    settings = {"alpha": 1.0, "transA": 0, "transB": 0}
    if not biased or not lower.out.dl4j:
        return lower.out.node("Gemm", name, value, *holes.values(),
                              beta=1.0 if biased else 0.0, **settings)
    product = lower.out.node("Gemm", layer.name + ".product", value,
                             holes["kernel"], beta=0.0, **settings)
    return lower.out.node("Add", name, product, holes["bias"])


RULES = {"Conv2D": lower_conv, "DepthwiseConv2D": lower_depthwise,
         "SeparableConv2D": lower_separable, "Dense": lower_dense}
