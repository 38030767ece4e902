#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files of transformers' TensorFlow classes (tf_model.h5), written by h5py.

    tf_h5_file.py OUT.H5 < TENSORS.JSON

h5py comes with TensorFlow, so write() does it in a process of that
interpreter.  A tensor's "layer" is the group it is in; one without is a
dataset of its own, as in a shard.
"""

import json
import sys

import numpy as np

import in_tensorflow
import synth_rule
from synth_keras import write_names


def values(tensor):
    raw = synth_rule.raw_bytes(tensor)
    return np.frombuffer(raw, synth_rule.DTYPES[tensor["dtype"]][1]) \
        .reshape(tensor["shape"])


def write_layers(file, tensors):
    layers = {}
    for tensor in tensors:
        layers.setdefault(tensor["layer"], []).append(tensor)
    write_names(file, "layer_names", list(layers))
    for layer, members in layers.items():
        group = file.create_group(layer)
        write_names(group, "weight_names", [each["name"] for each in members])
        for tensor in members:
            group[tensor["name"]] = values(tensor)
    write_names(file.create_group("top_level_model_weights"), "weight_names",
                [])


def write_shard(file, tensors):
    for tensor in tensors:
        file[tensor["name"]] = values(tensor)
    write_names(file, "layer_names", [tensor["name"] for tensor in tensors])


def write_here(path, tensors):
    import h5py

    with h5py.File(path, "w", libver="earliest") as file:
        if "layer" in tensors[0]:
            write_layers(file, tensors)
            file.attrs["backend"] = "tensorflow"
            file.attrs["keras_version"] = "2.15.0"
        else:
            write_shard(file, tensors)


def write(path, tensors, entry):
    in_tensorflow.run("tf_h5_file.py", path, given=json.dumps(tensors))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write_here(sys.argv[1], json.load(sys.stdin))
