# SPDX-License-Identifier: MIT
"""Turns the configuration of a Keras 2 model into one that Keras 3 loads too.

What goes in is what Keras 2 writes into the attribute model_config of a .h5
file.  What comes out builds the same function from the same weights in the
same order, and holds nothing that only one of the two knows.
"""

import re

# Keras 2 writes these; Keras 3 does not know them.
FOREIGN = {
    "InputLayer": ("optional",),
    "DepthwiseConv2D": ("groups", "kernel_initializer", "kernel_regularizer",
                        "kernel_constraint"),
    "SeparableConv2D": ("groups", "kernel_initializer", "kernel_regularizer",
                        "kernel_constraint"),
}
# The names that Keras gives a layer when its builder gives none.  Joined
# layers of InceptionV3 are left out: no weights hang on them.
AUTOMATIC = re.compile(r"(conv2d|batch_normalization|activation|add"
                       r"|max_pooling2d|average_pooling2d)(?:_(\d+))?")


class Unknown(Exception):
    """A construct that this file has no rule for."""


def modern(config, renumbered=False):
    """The configuration of a whole model, {"class_name", "config"}."""
    names = Names(config["config"]["layers"], renumbered)
    layers = []
    for layer in config["config"]["layers"]:
        layers += modern_layer(layer, names)
    ends = {key: [[names.of(name), *rest] for name, *rest
                  in config["config"][key]]
            for key in ("input_layers", "output_layers")}
    return {"class_name": "Functional",
            "config": {"name": config["config"]["name"], "trainable": True,
                       "layers": layers, **ends}}


class Names:
    """What each layer is called in the new configuration."""

    def __init__(self, layers, renumbered):
        self.renumbered = renumbered
        self.special = {}
        for layer in layers:
            if is_per_channel(layer):
                self.special[layer["name"]] = "rescaling_1"

    def of(self, name):
        name = self.special.get(name, name)
        match = AUTOMATIC.fullmatch(name) if self.renumbered else None
        if match:
            return "%s_%d" % (match[1], int(match[2] or 0) + 1)
        return name.replace("/", "_")


def is_per_channel(layer):
    """A multiplication by one constant for each channel."""
    return (layer["class_name"] == "TFOpLambda"
            and isinstance(layer["inbound_nodes"][0][3].get("y"), list)
            and isinstance(layer["inbound_nodes"][0][3]["y"][0], list))


def modern_layer(layer, names):
    """The layers that stand where this one stood: one, rarely two."""
    rules = {"TFOpLambda": operator, "LayerScale": layer_scale,
             "Custom>CustomScaleLayer": scaled_sum, "Sequential": nested}
    rule = rules.get(layer["class_name"], ordinary)
    return rule(layer, names)


def built(kind, name, config, *inputs):
    """A layer; its inputs are (layer, node, tensor)."""
    return {"class_name": kind,
            "config": {"name": name, "trainable": True, "dtype": "float32",
                       **config},
            "name": name, "inbound_nodes": [[[*each, {}] for each in inputs]]}


def inputs_of(layer, names):
    """Where a layer called once, with tensors alone, gets them from."""
    if len(layer["inbound_nodes"]) != 1:
        raise Unknown("%s is called more than once" % layer["name"])
    if any(each[3] for each in layer["inbound_nodes"][0]):
        raise Unknown("%s is called with arguments" % layer["name"])
    return [(names.of(each[0]), each[1], each[2])
            for each in layer["inbound_nodes"][0]]


def ordinary(layer, names):
    config = ordinary_config(layer)
    config["name"] = names.of(config["name"])
    calls = layer["inbound_nodes"]
    if calls:
        calls = [[[*each, {}] for each in inputs_of(layer, names)]]
    return [{"class_name": layer["class_name"], "config": config,
             "name": config["name"], "inbound_nodes": calls}]


def ordinary_config(layer):
    kind, config = layer["class_name"], dict(layer["config"])
    for key in FOREIGN.get(kind, ()):
        config.pop(key, None)
    if kind == "BatchNormalization" and isinstance(config["axis"], list):
        [config["axis"]] = config["axis"]
    for key, value in config.items():
        if key.endswith("_initializer") and value:
            config[key] = of_keras(value)
    return config


def of_keras(initializer):
    """TensorFlow's own Constant is refused by Keras 3; Keras has the same."""
    if initializer["module"] == "keras.initializers":
        return initializer
    if initializer["class_name"] != "Constant":
        raise Unknown("an initializer of %s" % initializer["module"])
    return dict(initializer, module="keras.initializers",
                registered_name=None)


def operator(layer, names):
    """x + tensor, x + number, x * number and x * one number a channel."""
    function = layer["config"]["function"]
    [[source, node, tensor, arguments]] = layer["inbound_nodes"]
    name, other = names.of(layer["name"]), arguments["y"]
    first = (names.of(source), node, tensor)
    if function == "__operators__.add" and isinstance(other, list):
        return [built("Add", name, {}, first,
                      (names.of(other[0]), other[1], other[2]))]
    if function == "__operators__.add":
        return [built("Rescaling", name, {"scale": 1.0, "offset": other},
                      first)]
    if function != "math.multiply":
        raise Unknown("the function %s" % function)
    if is_per_channel(layer):
        other = other[0][0][0]
    return [built("Rescaling", name, {"scale": other, "offset": 0.0}, first)]


def layer_scale(layer, names):
    """One weight a channel; the class is known only inside its module.

    The sizes in front of the channels are never used: None is as good.
    """
    channels = layer["config"]["projection_dim"]
    return [built("EinsumDense", names.of(layer["name"]),
                  {"equation": "abcd,d->abcd",
                   "output_shape": [None, None, channels],
                   "activation": "linear", "bias_axes": None},
                  *inputs_of(layer, names))]


def scaled_sum(layer, names):
    """a + b * scale, by a class known only inside its module."""
    first, second = inputs_of(layer, names)
    name = names.of(layer["name"])
    scaled = name + "_scaled"
    return [built("Rescaling", scaled, {"scale": layer["config"]["scale"],
                                        "offset": 0.0}, second),
            built("Add", name, {}, first, (scaled, 0, 0))]


def nested(layer, names):
    """A Sequential inside a model.

    What reads its output names the call by number: Keras 2 counts from 1,
    as the Sequential's own graph is 0, and Keras 3 counts from 0.  So it is
    called twice with the same input.  Number 1 is then there for both, and
    neither runs the call that nothing reads.
    """
    config = dict(layer["config"], name=names.of(layer["name"]))
    config["layers"] = [dict(each, config=ordinary_config(each))
                        for each in config["layers"]]
    call = [[*each, {}] for each in inputs_of(layer, names)]
    return [{"class_name": "Sequential", "config": config,
             "name": config["name"], "inbound_nodes": [call, call]}]
