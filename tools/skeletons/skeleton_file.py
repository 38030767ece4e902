# SPDX-License-Identifier: MIT
"""The file of a skeleton: holes for weights, metadata, names, the archive.

The format is told in README.md.
"""

import gzip
import hashlib
import io
import json
import pathlib

from onnx import TensorProto, helper

FORMAT = "1"


def make_holes(graph, names, dims):
    """Turns graph inputs that are weights into holes.

    `names` gives the checkpoint's name of each weight, `dims` the dimensions
    of each there.  Returns the names that were filled.
    """
    inputs = [each for each in graph.input if each.name not in names]
    weights = [each for each in graph.input if each.name in names]
    used = {name for node in graph.node for name in node.input}
    del graph.input[:]
    graph.input.extend(inputs)
    filled = []
    for weight in weights:
        if weight.name not in used:
            continue
        hole = graph.initializer.add()
        hole.name = names[weight.name]
        hole.data_type = weight.type.tensor_type.elem_type
        hole.dims.extend(dims[hole.name])
        hole.data_location = TensorProto.EXTERNAL
        place = hole.external_data.add()
        place.key, place.value = "location", hole.name
        filled.append(hole.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    return filled


def output_info(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def describe(model, source, unused, free):
    """Writes the metadata; what stood there before is dropped."""
    del model.metadata_props[:]
    helper.set_model_props(model, {
        "omnihub.format": FORMAT, "omnihub.free": "\n".join(free),
        "omnihub.source": source, "omnihub.unused": "\n".join(sorted(unused))})


def to_bytes(model):
    return model.SerializeToString(deterministic=True)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def compress(data):
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, mtime=0,
                       fileobj=packed) as file:
        file.write(data)
    return packed.getvalue()


def write(path, data):
    pathlib.Path(path).write_bytes(compress(data))


def read(path):
    return gzip.decompress(pathlib.Path(path).read_bytes())


def write_manifest(path, libraries, models):
    """Keys sorted, a model a line, so that a change is one line."""
    lines = ["%s: %s" % (json.dumps(name), json.dumps(models[name],
                                                      sort_keys=True))
             for name in sorted(models)]
    text = '{"format": 1, "libraries": %s,\n"models": {\n%s\n}}\n' % (
        json.dumps(libraries, sort_keys=True), ",\n".join(lines))
    pathlib.Path(path).write_text(text)
