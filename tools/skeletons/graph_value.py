# SPDX-License-Identifier: MIT
"""What is known of a tensor before anything runs."""

import dataclasses

import numpy as np
from onnx import helper


@dataclasses.dataclass
class Value:
    """A tensor's type, and its dimensions, each a number or the name of
    one.  No shape: None."""
    kind: int
    shape: list


def read_value(info):
    kind = info.type.tensor_type
    if not kind.HasField("shape"):
        return Value(kind.elem_type, None)
    return Value(kind.elem_type, [
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None
        for dim in kind.shape.dim])


def value_of(array):
    return Value(helper.np_dtype_to_tensor_dtype(array.dtype),
                 list(array.shape))


def tensor(name, array):
    """An initializer; its array's memory in the file's byte order."""
    array = np.asarray(array)
    return helper.make_tensor(
        name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape,
        array.astype(array.dtype.newbyteorder("<")).tobytes(), raw=True)
