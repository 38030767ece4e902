# SPDX-License-Identifier: MIT
"""Pools, and layers that add to the edges of an image or take from them."""

import numpy as np

from keras_network import Unsupported, same_pads

NO_PADS = ((0, 0), (0, 0))


def padded(lower, name, value, shape, pads):
    """@pads: (before, after) of height and width, filled with zeros."""
    (top, bottom), (left, right) = pads
    if lower.out.dl4j:
        return padded_by_conv(lower, name, value, shape[2],
                              [top, left, bottom, right])
    return lower.out.node(
        "Pad", name, value,
        lower.out.integers(0, 0, top, left, 0, 0, bottom, right),
        lower.out.constant(0.0), mode="constant")


def padded_by_conv(lower, name, value, channels, pads):
    """Each value times one; a convolution pads where Pad is not read."""
    ones = lower.out.constant(np.ones((channels, 1, 1, 1)))
    return lower.out.node("Conv", name, value, ones, kernel_shape=[1, 1],
                          strides=[1, 1], dilations=[1, 1], pads=pads,
                          group=channels)


def lower_padding(lower, layer):
    """Left to a convolution if that alone reads it."""
    pads = tuple(map(tuple, layer.config["padding"]))
    value, readers = lower.input(layer), lower.readers[layer.name]
    if all(foldable(lower, layer, reader, pads) for reader in readers):
        lower.padded[layer.name] = pads
        return value
    return padded(lower, layer.name, value, layer.shapes[0], pads)


def foldable(lower, layer, reader, pads):
    """A maximum of what is not negative does not see zeros either."""
    if reader.config.get("padding") != "valid":
        return False
    if reader.kind == "MaxPooling2D":
        [source] = [each for each in lower.network.layers
                    if each.name == layer.inputs[0]]
        positive = source.kind == "ReLU" or (
            source.kind == "Activation"
            and source.config["activation"] == "relu")
        return positive and all(a == b for a, b in pads)
    return reader.kind in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")


def pool_pads(lower, layer):
    config, [shape] = layer.config, layer.shapes
    if config["padding"] == "same":
        return tuple(same_pads(shape[i], config["pool_size"][i],
                               config["strides"][i]) for i in (0, 1))
    return lower.padded.get(layer.inputs[0], NO_PADS)


def pool(lower, name, operator, value, size, strides, pads):
    (top, bottom), (left, right) = pads
    return lower.out.node(operator, name, value, kernel_shape=size,
                          strides=strides, pads=[top, left, bottom, right])


def lower_pool(operator):
    """What is padded is neither counted nor the largest."""
    def rule(lower, layer):
        config, pads = layer.config, pool_pads(lower, layer)
        if lower.out.dl4j and any(a != b for a, b in pads):
            return evenly(lower, layer, operator, pads)
        return pool(lower, lower.name(layer), operator, lower.input(layer),
                    config["pool_size"], config["strides"], pads)
    return rule


def evenly(lower, layer, operator, pads):
    """Pads of which one side is wider are misread: all windows there are,
    with the same pads on both sides, and of these the ones that are wanted.
    """
    size, strides = layer.config["pool_size"], layer.config["strides"]
    if any(each % 2 == 0 for each in size):
        raise Unsupported("uneven pads of a pool of even size")
    value = pool(lower, layer.name + ".all", operator, lower.input(layer),
                 size, [1, 1], tuple((each // 2, each // 2) for each in size))
    for i, what in enumerate((".rows", ".columns")):
        value = lower.out.node(
            "Slice", layer.name + what, value,
            lower.out.integers(size[i] // 2 - pads[i][0]),
            lower.out.integers(layer.shapes[0][i]), lower.out.integers(2 + i))
    return pool(lower, lower.name(layer), "MaxPool", value, [1, 1], strides,
                NO_PADS)


def global_pool(lower, name, value):
    # Deeplearning4j writes past the end of what it takes for a global pool.
    if lower.out.dl4j:
        return lower.out.node("ReduceMean", name, value, axes=[2, 3],
                              keepdims=1)
    return lower.out.node("GlobalAveragePool", name, value)


def lower_global_pool(lower, layer):
    value = lower.input(layer)
    if layer.config["keepdims"]:
        return global_pool(lower, lower.name(layer), value)
    value = global_pool(lower, layer.name + ".pooled", value)
    return lower.out.reshape(layer.name, value, -1, *layer.shape)


def lower_cropping(lower, layer):
    value, cuts = lower.input(layer), layer.config["cropping"]
    used = [i for i in (0, 1) if any(cuts[i])]
    for i in used:
        begin, end = cuts[i]
        name = lower.name(layer) if i == used[-1] else layer.name + ".height"
        value = lower.out.node(
            "Slice", name, value, lower.out.integers(begin),
            lower.out.integers(layer.shapes[0][i] - end),
            lower.out.integers(2 + i))
    return value


RULES = {
    "ZeroPadding2D": lower_padding, "Cropping2D": lower_cropping,
    "MaxPooling2D": lower_pool("MaxPool"),
    "AveragePooling2D": lower_pool("AveragePool"),
    "GlobalAveragePooling2D": lower_global_pool,
}
