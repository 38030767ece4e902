#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the layouts of fixtures/frameworks/.

    make_framework_fixtures.py OUT-FOLDER [FIXTURE...]

Needs TensorFlow 2.15, Flax and transformers 4, the last with classes of
theirs.  The class of each framework loads the fixture, saves it as it does,
and each tensor of the file is found again among PyTorch's by its values.
"""

import itertools
import json
import os
import pathlib
import sys
import tempfile

import numpy as np

import repack
import synth
import synth_rule
from safetensors_file import SafetensorsFile

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures/transformers"
FAMILIES = ["albert-fill-mask", "bart", "beit-image-classification",
            "bert-base", "bert-fill-mask", "bert-text-classification", "clip",
            "deberta-v2-text-classification", "deit-image-classification",
            "dinov2-image-classification", "distilbert-fill-mask",
            "electra-discriminator", "gemma", "gpt-neo", "gpt2",
            "gpt2-prefixed", "llama", "marian", "mbart", "mistral",
            "mpnet-base", "mpnet-fill-mask", "opt", "pegasus",
            "roberta-fill-mask", "t5", "t5-v1_1-gated",
            "vit-image-classification", "whisper",
            "xlm-roberta-token-classification"]
LEFT_OUT = {
    ("mistral", "flax"): "this version of the library cannot make it",
    ("pegasus", "flax"): "it computes the positions; the fixture has others",
}
# PyTorch ties these two; TensorFlow has a variable for each.
TIED = {"predictions.decoder.bias": "predictions.bias"}
# Tables that TensorFlow stores and PyTorch computes.
COMPUTED = "embed_positions/embeddings:0"


def read_flax(folder):
    from flax import serialization, traverse_util

    raw = (folder / "flax_model.msgpack").read_bytes()
    tree = traverse_util.flatten_dict(serialization.msgpack_restore(raw))
    return [{"name": "/".join(keys), "values": np.asarray(value)}
            for keys, value in tree.items()]


def read_tf(folder):
    import h5py

    found = []
    with h5py.File(folder / "tf_model.h5") as file:
        for layer in file.attrs["layer_names"]:
            found += [{"layer": layer, "name": name,
                       "values": np.asarray(file[layer][name])}
                      for name in file[layer].attrs["weight_names"]]
        assert not len(file["top_level_model_weights"].attrs["weight_names"])
    return found


FRAMEWORKS = {"flax": ("Flax", read_flax), "tf": ("TF", read_tf)}


def is_same(values, source, axes):
    lying = source.transpose(axes).ravel()
    return lying.size == values.size and np.array_equal(lying, values.ravel())


def find(values, sources):
    """(PyTorch's name, its axes as the file has them)"""
    for name, source in sources.items():
        for axes in itertools.permutations(range(source.ndim)):
            if is_same(values, source, axes):
                return name, list(axes)
    return None, None


def entry_of(tensor, sources):
    values = tensor.pop("values")
    name, axes = find(values, sources)
    entry = dict(tensor, shape=list(values.shape), of=name)
    if axes and axes != sorted(axes):
        entry["axes"] = axes
    if not name and tensor["name"].endswith(COMPUTED):
        entry["data"] = synth_rule.data(values.astype("<f4").tobytes())
    return entry


def tied(spec):
    """With the tensors that PyTorch leaves out."""
    names = {tensor["name"]: tensor for tensor in spec["tensors"]}
    more = [dict(names[source], name=name, seed=source)
            for name, source in TIED.items()
            if source in names and name not in names]
    return dict(spec, tensors=spec["tensors"] + more)


def layout_of(name, framework, folder):
    import transformers

    prefix, read = FRAMEWORKS[framework]
    spec = repack.packed(synth.load_spec(FIXTURES / name), "safetensors")
    repository = folder / "torch"
    synth.write_repository(tied(spec), FIXTURES / name, repository)
    config = json.loads((repository / "config.json").read_text())
    class_name = prefix + config["architectures"][0]
    if not hasattr(transformers, class_name):
        return None
    model = getattr(transformers, class_name).from_pretrained(repository)
    model.save_pretrained(folder / "saved", safe_serialization=False)
    file = SafetensorsFile(repository / "model.safetensors")
    sources = {each: file.array(each) for each in file.tensors
               if each not in TIED}
    return {"library": "transformers %s %s" % (transformers.__version__,
                                               class_name),
            "tensors": [entry_of(tensor, sources)
                        for tensor in read(folder / "saved")]}


def text_of(layout):
    lines = ",\n  ".join(map(json.dumps, layout["tensors"]))
    return '{\n "library": %s,\n "tensors": [\n  %s\n ]\n}\n' % (
        json.dumps(layout["library"]), lines)


def make(name, framework, out):
    with tempfile.TemporaryDirectory() as folder:
        layout = layout_of(name, framework, pathlib.Path(folder))
    if layout:
        path = pathlib.Path(out) / ("%s.%s.json" % (name, framework))
        path.write_text(text_of(layout))
        print(path)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    for each in sys.argv[2:] or FAMILIES:
        if (FIXTURES / each).is_dir():
            for of in FRAMEWORKS:
                if (each, of) not in LEFT_OUT:
                    make(each, of, sys.argv[1])
