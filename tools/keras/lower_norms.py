# SPDX-License-Identifier: MIT
"""Layers that shift and scale each channel."""

import numpy as np

from keras_network import Unsupported

NORMALIZATION_LEAST = np.float32(1e-7)


def lower_batch_norm(lower, layer):
    config, holes = layer.config, lower.holes(layer)
    channels = layer.shape[-1:]
    gamma = holes.get("gamma") or lower.out.constant(np.ones(channels))
    beta = holes.get("beta") or lower.out.constant(np.zeros(channels))
    return lower.out.node("BatchNormalization", lower.name(layer),
                          lower.input(layer), gamma, beta,
                          holes["moving_mean"], holes["moving_variance"],
                          epsilon=config["epsilon"])


def lower_layer_norm(lower, layer):
    out, value, holes = lower.out, lower.input(layer), lower.holes(layer)
    rank, name = len(layer.shape), layer.name
    if list(holes) != ["gamma", "beta"]:
        raise Unsupported("LayerNormalization without gamma or beta")
    epsilon = out.constant(np.full((1,) * (rank + 1),
                                   layer.config["epsilon"]))
    mean = out.node("ReduceMean", name + ".mean", value, axes=[1], keepdims=1)
    centred = out.node("Sub", name + ".centred", value, mean)
    square = out.node("Mul", name + ".square", centred, centred)
    variance = out.node("ReduceMean", name + ".variance", square, axes=[1],
                        keepdims=1)
    safe = out.node("Add", name + ".safe", variance, epsilon)
    spread = out.node("Sqrt", name + ".spread", safe)
    normal = out.node("Div", name + ".normal", centred, spread)
    scaled = out.node("Mul", name + ".scaled", normal, lower.channelwise(
        holes["gamma"], holes["gamma"], rank))
    return out.node("Add", lower.name(layer), scaled, lower.channelwise(
        holes["beta"], holes["beta"], rank))


def lower_normalization(lower, layer):
    """(x - mean) / max(sqrt(variance), 1e-7); the numbers may be weights."""
    out, value, config = lower.out, lower.input(layer), layer.config
    if config["invert"]:
        raise Unsupported("Normalization inverted")
    if config["mean"] is None:
        mean, spread = learnt_statistics(lower, layer)
    else:
        spread = np.maximum(np.sqrt(np.float32(config["variance"])),
                            NORMALIZATION_LEAST)
        mean = out.constant(np.reshape(config["mean"], (1, -1, 1, 1)))
        spread = out.constant(spread.reshape(1, -1, 1, 1))
    centred = out.node("Sub", layer.name + ".centred", value, mean)
    return out.node("Div", lower.name(layer), centred, spread)


def learnt_statistics(lower, layer):
    *used, count = layer.weights
    lower.unused.append("#%d" % count.index)
    mean, variance = lower.holes(layer._replace(weights=used)).values()
    root = lower.out.node("Sqrt", layer.name + ".root", variance)
    least = lower.out.constant(np.full((1,), NORMALIZATION_LEAST))
    spread = lower.out.node("Max", layer.name + ".spread", root, least)
    return (lower.channelwise(mean, mean, 3),
            lower.channelwise(spread, spread, 3))


def lower_einsum(lower, layer):
    """One factor for each channel."""
    factor = lower.holes(layer)["kernel"]
    return lower.out.node("Mul", lower.name(layer), lower.input(layer),
                          lower.channelwise(factor, factor, 3))


RULES = {"BatchNormalization": lower_batch_norm,
         "LayerNormalization": lower_layer_norm,
         "Normalization": lower_normalization, "EinsumDense": lower_einsum}
