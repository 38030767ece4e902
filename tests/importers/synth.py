#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the model repository that a fixture describes.

    synth.py FIXTURE-FOLDER OUT-FOLDER

The fixture's spec.json says which weight files there are and what is in
them; every other file of the fixture is copied.
"""

import json
import os
import pathlib
import shutil
import sys

import flax_file
import safetensors_file
import synth_rule
import tf_h5_file
import torch_file

WRITERS = {
    "safetensors": safetensors_file.write,
    "torch-zip": torch_file.write_zip,
    "torch-legacy": torch_file.write_stream,
    "flax": flax_file.write,
    "tf-h5": tf_h5_file.write,
}
OURS = ("spec.json", "expected.npz")


def load_spec(fixture):
    return json.loads((pathlib.Path(fixture) / "spec.json").read_text())


def tensors_of(spec, entry):
    """The tensors of one weight file.  Safetensors know no aliases."""
    by_name = {tensor["name"]: tensor for tensor in spec["tensors"]}
    names = by_name if entry["tensors"] == "*" else entry["tensors"]
    tensors = [by_name[name] for name in names]
    if entry["container"] != "safetensors":
        return tensors
    return [dict(by_name[t["alias_of"]], name=t["name"], seed=t["alias_of"])
            if "alias_of" in t else t for t in tensors]


def write_weights(spec, out):
    """Writes the weight files; which tensor is in which, and their size."""
    where, total = {}, 0
    for entry in spec["files"]:
        if entry["container"] == "index":
            continue
        tensors = tensors_of(spec, entry)
        WRITERS[entry["container"]](out / entry["file"], tensors, entry)
        for tensor in tensors:
            where[tensor["name"]] = entry["file"]
            total += synth_rule.size(tensor)
    return where, total


def write_repository(spec, fixture, out):
    out = pathlib.Path(out)
    shutil.copytree(fixture, out, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns(*OURS))
    where, total = write_weights(spec, out)
    for entry in spec["files"]:
        if entry["container"] == "index":
            index = {"metadata": {"total_size": total}, "weight_map": where}
            text = json.dumps(index, indent=2, sort_keys=True)
            (out / entry["file"]).write_text(text + "\n")
    if "config" in spec:
        config = json.loads((out / "config.json").read_text())
        text = json.dumps(config | spec["config"], indent=2)
        (out / "config.json").write_text(text + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    os.makedirs(sys.argv[2], exist_ok=True)
    write_repository(load_spec(sys.argv[1]), sys.argv[1], sys.argv[2])
