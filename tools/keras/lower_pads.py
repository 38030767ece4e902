# SPDX-License-Identifier: MIT
"""Pools, and layers that add to the edges of an image or take from them."""

import numpy as np

from keras_network import same_pads

NO_PADS = ((0, 0), (0, 0))


def padded(lower, name, value, shape, pads, filler=0.0):
    """@pads: (before, after) of height and width."""
    if pads == NO_PADS:
        return value
    if lower.out.dl4j:
        return padded_by_concat(lower, name, value, shape, pads, filler)
    (top, bottom), (left, right) = pads
    return lower.out.node(
        "Pad", name, value,
        lower.out.integers(0, 0, top, left, 0, 0, bottom, right),
        lower.out.constant(filler), mode="constant")


def padded_by_concat(lower, name, value, shape, pads, filler):
    sizes = [1, shape[2], shape[0], shape[1]]
    last = max(i for i in (0, 1) if pads[i] != (0, 0))
    for i in (0, 1):
        if pads[i] == (0, 0):
            continue
        before, after = [edge(lower, sizes, 2 + i, count, filler)
                         for count in pads[i]]
        sizes[2 + i] += sum(pads[i])
        value = lower.out.node(
            "Concat", name if i == last else name + ".height",
            *before, value, *after, axis=2 + i)
    return value


def edge(lower, sizes, axis, count, filler):
    """What is put on one side: one constant, or nothing."""
    if not count:
        return []
    shape = sizes[:axis] + [count] + sizes[axis + 1:]
    return [lower.out.constant(np.full(shape, filler))]


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


def pool(lower, name, operator, value, config, pads):
    (top, bottom), (left, right) = pads
    return lower.out.node(operator, name, value,
                          kernel_shape=config["pool_size"],
                          strides=config["strides"],
                          pads=[top, left, bottom, right])


def uneven(lower, pads):
    return lower.out.dl4j and any(a != b for a, b in pads)


def lower_max_pool(lower, layer):
    value, pads = lower.input(layer), pool_pads(lower, layer)
    if uneven(lower, pads):
        value = padded(lower, layer.name + ".padded", value, layer.shapes[0],
                       pads, np.finfo(np.float32).min)
        pads = NO_PADS
    return pool(lower, lower.name(layer), "MaxPool", value, layer.config,
                pads)


def lower_average_pool(lower, layer):
    """What was padded does not count."""
    value, pads = lower.input(layer), pool_pads(lower, layer)
    if not uneven(lower, pads):
        return pool(lower, lower.name(layer), "AveragePool", value,
                    layer.config, pads)
    value = padded(lower, layer.name + ".padded", value, layer.shapes[0], pads)
    value = pool(lower, layer.name + ".shared", "AveragePool", value,
                 layer.config, NO_PADS)
    return lower.out.node("Mul", lower.name(layer), value,
                          lower.out.constant(shares(layer, pads)))


def shares(layer, pads):
    """How many places a window has for each that is not padded."""
    counts = []
    for i in (0, 1):
        size, kernel = layer.shapes[0][i], layer.config["pool_size"][i]
        starts = (np.arange(layer.shape[i]) * layer.config["strides"][i]
                  - pads[i][0])
        counts.append(np.minimum(starts + kernel, size)
                      - np.maximum(starts, 0))
    places = np.prod(layer.config["pool_size"])
    return (places / np.outer(*counts)).reshape(1, 1, *layer.shape[:2])


def lower_global_pool(lower, layer):
    value = lower.input(layer)
    if layer.config["keepdims"]:
        return lower.out.node("GlobalAveragePool", lower.name(layer), value)
    value = lower.out.node("GlobalAveragePool", layer.name + ".pooled", value)
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
    "MaxPooling2D": lower_max_pool, "AveragePooling2D": lower_average_pool,
    "GlobalAveragePooling2D": lower_global_pool,
}
