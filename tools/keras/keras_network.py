# SPDX-License-Identifier: MIT
"""Reads a model_config: its layers in order, their shapes and weights.

Shapes are those of Keras without the batch: (height, width, channels) or
(features,).  A size that depends on the image is None.  Weights are counted
as they stand in a weights file: layer by layer as the configuration lists
them, and inside a layer what is trained first.
"""

from collections import namedtuple

Layer = namedtuple("Layer", "name kind config inputs shapes shape weights")
Weight = namedtuple("Weight", "index name shape")
Network = namedtuple("Network", "name layers input output weights")


class Unsupported(Exception):
    """A layer, or a setting of one, that this file has no rule for."""


def same_pads(size, kernel, stride, dilation=1):
    """What TensorFlow pads before and after for "same"."""
    span = (kernel - 1) * dilation + 1
    if size is None:
        if stride != 1:
            return None
        return (span - 1) // 2, span // 2
    total = max((-(-size // stride) - 1) * stride + span - size, 0)
    return total // 2, total - total // 2


def slid(size, kernel, stride, padding, dilation=1):
    """How many places a window has on @size."""
    if size is None:
        return None
    if padding == "same":
        return -(-size // stride)
    return (size - (kernel - 1) * dilation - 1) // stride + 1


def window(config, shape, key="kernel_size"):
    dilation = config.get("dilation_rate", [1, 1])
    return tuple(slid(shape[i], config[key][i], config["strides"][i],
                      config["padding"], dilation[i]) for i in (0, 1))


def biased(config, channels):
    return [("bias", (channels,))] if config["use_bias"] else []


def of_input(config, _shapes):
    return tuple(config["batch_input_shape"][1:]), []


def of_conv(config, shapes):
    [shape] = shapes
    inputs = shape[2] // config["groups"]
    kernel = (*config["kernel_size"], inputs, config["filters"])
    return ((*window(config, shape), config["filters"]),
            [("kernel", kernel)] + biased(config, config["filters"]))


def of_depthwise(config, shapes):
    [shape] = shapes
    many = config["depth_multiplier"]
    kernel = (*config["kernel_size"], shape[2], many)
    channels = shape[2] * many
    return ((*window(config, shape), channels),
            [("depthwise_kernel", kernel)] + biased(config, channels))


def of_separable(config, shapes):
    [shape] = shapes
    many, filters = config["depth_multiplier"], config["filters"]
    return ((*window(config, shape), filters),
            [("depthwise_kernel", (*config["kernel_size"], shape[2], many)),
             ("pointwise_kernel", (1, 1, shape[2] * many, filters))]
            + biased(config, filters))


def of_dense(config, shapes):
    [shape] = shapes
    return ((*shape[:-1], config["units"]),
            [("kernel", (shape[-1], config["units"]))]
            + biased(config, config["units"]))


def of_batch_norm(config, shapes):
    [shape] = shapes
    last_axis(config["axis"], shape)
    names = ["gamma"] * config["scale"] + ["beta"] * config["center"]
    names += ["moving_mean", "moving_variance"]
    return shape, [(name, shape[-1:]) for name in names]


def of_layer_norm(config, shapes):
    [shape] = shapes
    last_axis(config["axis"], shape)
    names = ["gamma"] * config["scale"] + ["beta"] * config["center"]
    return shape, [(name, shape[-1:]) for name in names]


def of_normalization(config, shapes):
    [shape] = shapes
    last_axis(config["axis"], shape)
    if config["mean"] is not None:
        return shape, []
    return shape, [("mean", shape[-1:]), ("variance", shape[-1:]),
                   ("count", ())]


def of_einsum(config, shapes):
    [shape] = shapes
    if config["equation"] != "abcd,d->abcd" or config["bias_axes"]:
        raise Unsupported("EinsumDense %s" % config["equation"])
    return shape, [("kernel", shape[-1:])]


def of_pool(config, shapes):
    [shape] = shapes
    return (*window(config, shape, "pool_size"), shape[2]), []


def of_global_pool(config, shapes):
    [shape] = shapes
    return ((1, 1) if config["keepdims"] else ()) + shape[2:], []


def of_padding(config, shapes):
    [shape] = shapes
    sizes = tuple(size and size + sum(pads)
                  for size, pads in zip(shape, config["padding"]))
    return sizes + shape[2:], []


def of_cropping(config, shapes):
    [shape] = shapes
    sizes = tuple(size and size - sum(cut)
                  for size, cut in zip(shape, config["cropping"]))
    return sizes + shape[2:], []


def of_concatenate(config, shapes):
    last_axis(config["axis"], shapes[0])
    return (*shapes[0][:-1], sum(shape[-1] for shape in shapes)), []


def of_sum(_config, shapes):
    """The largest of each dimension: a size of one is repeated."""
    return tuple(None if None in sizes else max(sizes)
                 for sizes in zip(*shapes)), []


def of_reshape(config, _shapes):
    if -1 in config["target_shape"]:
        raise Unsupported("Reshape to a size that is worked out")
    return tuple(config["target_shape"]), []


def of_flatten(_config, shapes):
    [shape] = shapes
    count = 1
    for size in shape:
        if size is None:
            raise Unsupported("Flatten of an image of any size")
        count *= size
    return (count,), []


def unchanged(_config, shapes):
    [shape] = shapes
    return shape, []


KINDS = {
    "InputLayer": of_input, "Conv2D": of_conv,
    "DepthwiseConv2D": of_depthwise, "SeparableConv2D": of_separable,
    "Dense": of_dense, "BatchNormalization": of_batch_norm,
    "LayerNormalization": of_layer_norm, "Normalization": of_normalization,
    "EinsumDense": of_einsum, "MaxPooling2D": of_pool,
    "AveragePooling2D": of_pool, "GlobalAveragePooling2D": of_global_pool,
    "ZeroPadding2D": of_padding, "Cropping2D": of_cropping,
    "Concatenate": of_concatenate, "Add": of_sum, "Multiply": of_sum,
    "Reshape": of_reshape, "Flatten": of_flatten, "Activation": unchanged,
    "ReLU": unchanged, "Dropout": unchanged, "Rescaling": unchanged,
}


def last_axis(axis, shape):
    """Everything is normalized and joined by channel."""
    [axis] = axis if isinstance(axis, list) else [axis]
    if axis not in (-1, len(shape)):
        raise Unsupported("axis %d of %d" % (axis, len(shape)))


class Reader:
    def __init__(self):
        self.shapes = {}
        self.layers = []
        self.weights = []
        self.renamed = {}

    def add(self, name, kind, config, inputs):
        if kind not in KINDS:
            raise Unsupported("a layer %s" % kind)
        if config.get("data_format", "channels_last") != "channels_last":
            raise Unsupported("channels first")
        inputs = [self.renamed.get(each, each) for each in inputs]
        shapes = [self.shapes[each] for each in inputs]
        self.shapes[name], named = KINDS[kind](config, shapes)
        start = len(self.weights)
        weights = [Weight(start + i, *each) for i, each in enumerate(named)]
        self.weights += weights
        self.layers.append(Layer(name, kind, config, inputs, shapes,
                                 self.shapes[name], weights))

    def add_nested(self, layer):
        """A Sequential is its layers, one after the other."""
        last = layer["inbound_nodes"][0][0][0]
        for each in layer["config"]["layers"]:
            if each["class_name"] == "InputLayer":
                continue
            name = each["config"]["name"]
            self.add(name, each["class_name"], each["config"], [last])
            last = name
        self.renamed[layer["name"]] = self.renamed.get(last, last)


def read(config):
    reader = Reader()
    for layer in config["config"]["layers"]:
        if layer["class_name"] == "Sequential":
            reader.add_nested(layer)
            continue
        calls = layer["inbound_nodes"]
        if len(calls) > 1:
            raise Unsupported("%s is called twice" % layer["name"])
        inputs = [each[0] for each in calls[0]] if calls else []
        reader.add(layer["name"], layer["class_name"], layer["config"],
                   inputs)
    [[start, _, _]] = config["config"]["input_layers"]
    [[end, _, _]] = config["config"]["output_layers"]
    return Network(config["config"]["name"], reader.layers, start,
                   reader.renamed.get(end, end), reader.weights)
