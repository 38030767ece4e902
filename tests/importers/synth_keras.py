#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the weights file that a fixture of keras/ describes.

    synth_keras.py FIXTURE-FOLDER OUT.H5

It needs h5py, which comes with TensorFlow.  The file is as Keras 1 and 2
wrote it: a group for each layer, its weights in contiguous datasets, names
in attributes of fixed width.
"""

import sys

import numpy as np

import fixture_runs
import in_tensorflow

ATTRIBUTE_BYTES_MAX = 64512  # Keras splits longer ones: name0, name1 ...


def write_names(holder, key, names):
    array = np.array([name.encode() for name in names], "S1" if not names
                     else None)
    if array.nbytes <= ATTRIBUTE_BYTES_MAX:
        holder.attrs[key] = array
        return
    pieces = 1
    while any(piece.nbytes > ATTRIBUTE_BYTES_MAX
              for piece in np.array_split(array, pieces)):
        pieces += 1
    for number, piece in enumerate(np.array_split(array, pieces)):
        holder.attrs["%s%d" % (key, number)] = piece


def write_layer(file, layer, tensors):
    group = file.create_group(layer["name"])
    write_names(group, "weight_names", layer["weights"])
    for weight in layer["weights"]:
        tensor = tensors[layer["name"] + "/" + weight]
        values = fixture_runs.rule_array(tensor)
        dataset = group.create_dataset(weight, values.shape, values.dtype)
        dataset[...] = values


def write_weights(fixture, path):
    import h5py

    spec = fixture_runs.load_spec(fixture)
    head, tensors = spec["h5"], {each["name"]: each for each in spec["tensors"]}
    with h5py.File(path, "w", libver="earliest") as file:
        write_names(file, "layer_names",
                    [layer["name"] for layer in head["layers"]])
        for key, value in head["attrs"].items():
            file.attrs[key] = value.encode()
        # Sorted: a name with "/" lies inside another layer's group.
        for layer in sorted(head["layers"], key=lambda each: each["name"]):
            write_layer(file, layer, tensors)


def write_by_tensorflow(fixture, path):
    """In a process of the interpreter that has h5py."""
    in_tensorflow.run("synth_keras.py", fixture, path)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write_weights(sys.argv[1], sys.argv[2])
