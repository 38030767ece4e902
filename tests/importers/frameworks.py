# SPDX-License-Identifier: MIT
"""Fixtures as TensorFlow and Flax save them.

fixtures/frameworks/<fixture>.<framework>.json is the layout of the file that
transformers' class of that framework wrote for the fixture: each tensor's
name and shape there, which of PyTorch's tensors it is ("of"), and the order
of that one's axes where it differs ("axes").  The values are the fixture's,
so what PyTorch computed judges them too.
"""

import json
import pathlib

import numpy as np

import synth_rule

FOLDER = pathlib.Path(__file__).resolve().parent / "fixtures/frameworks"
FILES = {"flax": ("flax_model.msgpack", "flax"),
         "tf": ("tf_model.h5", "tf-h5")}


def names(framework):
    """The fixtures that have a layout."""
    end = ".%s.json" % framework
    return sorted(path.name[:-len(end)] for path in FOLDER.glob("*" + end))


def layout(name, framework):
    path = FOLDER / ("%s.%s.json" % (name, framework))
    return json.loads(path.read_text())


def stored(entry, source):
    """A tensor of the file, with the values of PyTorch's @source."""
    raw = np.frombuffer(synth_rule.raw_bytes(source), np.uint8)
    width = synth_rule.DTYPES[source["dtype"]][0]
    axes = entry.get("axes", range(len(source["shape"])))
    lying = raw.reshape([*source["shape"], width]) \
        .transpose([*axes, len(source["shape"])])
    return {"name": entry["name"], "shape": entry["shape"],
            "dtype": source["dtype"], "rule": "data",
            "data": synth_rule.data(lying.tobytes()),
            **({"layer": entry["layer"]} if "layer" in entry else {})}


def of_nothing(entry):
    """What PyTorch lacks: a table, or values that do not matter."""
    tensor = {"name": entry["name"], "shape": entry["shape"], "dtype": "F32"}
    if "data" in entry:
        return dict(tensor, rule="data", data=entry["data"])
    return dict(tensor, scale=0.3)


def tensors(spec, given):
    """Those of the file, by the layout @given."""
    sources = {tensor["name"]: tensor for tensor in spec["tensors"]}
    found = []
    for entry in given["tensors"]:
        source = sources.get(entry["of"])
        if source is None:
            source = of_nothing(entry)
        found.append(stored(entry, source))
    return found


def as_saved(spec, name, framework):
    """The fixture as the framework's class saves it."""
    file, container = FILES[framework]
    return dict(spec, tensors=tensors(spec, layout(name, framework)),
                files=[{"file": file, "container": container, "tensors": "*"}])


def short(name):
    """The name without the model's, as safetensors and shards of TensorFlow
    have it (strip_model_name_and_prefix() of modeling_tf_utils.py)."""
    return name if "model." in name or "/" not in name \
        else name.split("/", 1)[1]


def as_safetensors(spec, name, framework):
    """The same in safetensors, where names are unique."""
    saved = as_saved(spec, name, framework)
    rename = short if framework == "tf" else lambda name: \
        name.replace("/", ".")
    unique = {rename(tensor["name"]): dict(tensor, name=rename(tensor["name"]))
              for tensor in saved["tensors"]}
    entry = {"file": "model.safetensors", "container": "safetensors",
             "tensors": "*", "metadata": {"format": framework}}
    return dict(saved, tensors=list(unique.values()), files=[entry])
