#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the .h5 files of this folder, with h5py, as Keras does.

    make_hdf5.py FOLDER
"""

import os
import sys

import h5py
import numpy as np

LAYERS = [
    ("input_1", []),
    ("Conv", [("Conv/kernel:0", np.arange(12, dtype="f4").reshape(1, 1, 3, 4)),
              ("Conv/bias:0", np.arange(4, dtype="f2"))]),
    ("Conv/norm", [("Conv/norm/gamma:0", np.arange(4, dtype="f8"))]),
    ("re_lu", []),
    ("norm", [("mean:0", np.arange(3, dtype="f4")),
              ("count:0", np.array(7, dtype="i8"))]),
]


def write_layers(group, layers=LAYERS, text=np.bytes_):
    names = [name for name, _ in layers]
    group.attrs["layer_names"] = np.array([n.encode() for n in names]) \
        if text is np.bytes_ else np.array(names, dtype=h5py.string_dtype())
    group.attrs["backend"] = np.bytes_("tensorflow")
    group.attrs["keras_version"] = np.bytes_("2.2.4")
    for name, weights in sorted(layers, key=lambda layer: layer[0]):
        layer = group.create_group(name)
        layer.attrs["weight_names"] = np.array([w.encode() for w, _ in weights])
        for path, value in weights:
            layer.create_dataset(path, value.shape, dtype=value.dtype)[()] = value


def one(group, make):
    """A layer of one weight, which make() writes."""
    group.attrs["layer_names"] = np.array([b"a"])
    layer = group.create_group("a")
    layer.attrs["weight_names"] = np.array([b"w"])
    make(layer)


def full_model(f):
    f.attrs["model_config"] = '{"class_name": "Functional"}'
    write_layers(f.create_group("model_weights"))


def split(f):
    f.attrs["layer_names0"] = np.array([b"a"])
    f.attrs["layer_names1"] = np.array([b"b", b"c"])
    for name in "abc":
        f.create_group(name).attrs["weight_names"] = np.zeros((0,))
    f["c"].attrs["weight_names"] = np.array([b"w"])
    f["c"].create_dataset("w", (2,), dtype="u1")[()] = (1, 2)


def compact(layer):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    data = h5py.h5d.create(layer.id, b"w", h5py.h5t.IEEE_F32LE,
                           h5py.h5s.create_simple((2,)), plist)
    data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1, 2], "f4"))


def plain(layer):
    layer.create_dataset("w", (2,), dtype="f4")[()] = (1, 2)


def link(layer):
    layer.create_dataset("v", (2,), dtype="f4")
    layer["w"] = h5py.SoftLink("/a/v")


def deep(f):
    """A group whose tree has two levels; its names are links to one dataset."""
    names = ["w%03d" % i for i in range(140)]
    f.attrs["layer_names"] = np.array([b"a"])
    layer = f.create_group("a")
    layer.attrs["weight_names"] = np.array([n.encode() for n in names])
    data = layer.create_dataset(names[0], (2,), dtype="f4")
    data[()] = (1, 2)
    for name in names[1:]:
        layer[name] = data


FILES = {
    "layers.h5": write_layers,
    "vlen.h5": lambda f: write_layers(f, text=str),
    "full.h5": full_model,
    "split.h5": split,
    "deep.h5": deep,
    "compact.h5": lambda f: one(f, compact),
    "chunked.h5": lambda f: one(f, lambda g: g.create_dataset(
        "w", (8,), dtype="f4", chunks=(4,))),
    "filtered.h5": lambda f: one(f, lambda g: g.create_dataset(
        "w", (8,), dtype="f4", chunks=(4,), compression="gzip")),
    "big_endian.h5": lambda f: one(f, lambda g: g.create_dataset(
        "w", (8,), dtype=">f4")),
    "external.h5": lambda f: one(f, lambda g: g.create_dataset(
        "w", (8,), dtype="f4", external=[("w.bin", 0, 32)])),
    "unwritten.h5": lambda f: one(f, lambda g: g.create_dataset(
        "w", (8,), dtype="f4")),
    "soft_link.h5": lambda f: one(f, link),
    "no_keras.h5": lambda f: f.create_group("layers"),
}


def main():
    folder = sys.argv[1]
    for name, write in FILES.items():
        with h5py.File(os.path.join(folder, name), "w") as f:
            write(f)
    with h5py.File(os.path.join(folder, "latest.h5"), "w", libver="latest") as f:
        one(f, plain)


main()
