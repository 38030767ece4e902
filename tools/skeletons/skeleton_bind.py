# SPDX-License-Identifier: MIT
"""Fills the holes of a skeleton with a checkpoint, as the staged file has it.

The mount does this without reading the weights; here it is done in memory, to
judge a skeleton by.
"""

import re

import numpy as np
import onnx
from onnx import TensorProto


def holes(model):
    return [each for each in model.graph.initializer
            if each.data_location == TensorProto.EXTERNAL]


def metadata(model):
    return {each.key: each.value for each in model.metadata_props}


def is_unused(name, unused):
    return any(name == each or (each.endswith("*")
                                and name.startswith(each[:-1]))
               for each in unused)


def bind(model, tensors):
    """Puts `tensors` ({name: array}) into the holes of `model`, in place."""
    unused = metadata(model)["omnihub.unused"].split("\n")
    filled = set()
    for hole in holes(model):
        array = tensors[hole.external_data[0].value]
        filled.add(hole.external_data[0].value)
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
        if onnx.helper.np_dtype_to_tensor_dtype(array.dtype) != hole.data_type:
            raise ValueError("%s is of %s" % (hole.name, array.dtype))
        del hole.dims[:]
        hole.dims.extend(array.shape)
        hole.ClearField("external_data")
        hole.ClearField("data_location")
        hole.raw_data = array.tobytes()
    left = [name for name in tensors
            if name not in filled and not is_unused(name, unused)
            and not name.endswith("num_batches_tracked")]
    if left:
        raise ValueError("no part of the graph takes " + ", ".join(left[:5]))
    head_dimensions(model)


def head_dimensions(model):
    """Gives output dimensions named after a tensor that tensor's size."""
    dims = {hole.name: hole.dims for hole in model.graph.initializer}
    for output in model.graph.output:
        for dim in output.type.tensor_type.shape.dim:
            if dim.dim_param.startswith("="):
                name, axis = dim.dim_param[1:].rsplit(":", 1)
                dim.dim_value = dims[name][int(axis)]


def load_checkpoint(path):
    """{name: array} of a .safetensors file or of one that torch.save wrote."""
    if str(path).endswith(".safetensors"):
        from safetensors.numpy import load_file
        return load_file(path)
    import torch
    kept = torch.load(path, map_location="cpu", weights_only=True)
    return {old_name(name): tensor.detach().numpy()
            for name, tensor in kept.items()}


def old_name(name):
    """DenseNet's files write `norm.1` for what its state dict calls `norm1`."""
    return re.sub(r"(\.denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", name)
