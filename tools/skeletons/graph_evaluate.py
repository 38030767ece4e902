# SPDX-License-Identifier: MIT
"""What a node gives for constants, computed beforehand."""

import numpy as np
from onnx import helper
from onnx.reference.ops import load_op

# Elements of a result that is worth keeping as bytes in the file.
ELEMENTS_MAX = 1 << 22


def divide(a, b):
    if a.dtype.kind == "f":
        return a / b
    return (np.sign(a) * np.sign(b) * (abs(a) // abs(b))).astype(a.dtype)


def cast(a, to):
    return a.astype(helper.tensor_dtype_to_np_dtype(to))


def squeeze(a, axes=None):
    return np.squeeze(a, None if axes is None
                      else tuple(int(i) for i in axes.ravel()))


def unsqueeze(a, axes):
    axes = [int(i) for i in axes.ravel()]
    return np.expand_dims(a, tuple(axes))


def slices(a, starts, ends, axes=None, steps=None):
    axes = range(len(starts)) if axes is None else axes.tolist()
    steps = [1] * len(starts) if steps is None else steps.tolist()
    at = [slice(None)] * a.ndim
    for axis, start, end, step in zip(axes, starts.tolist(), ends.tolist(),
                                      steps):
        if step < 0 and end < -a.shape[axis]:
            end = None
        at[axis] = slice(start, end, step)
    return a[tuple(at)]


def reshape(a, shape, allowzero=0):
    shape = [a.shape[i] if size == 0 else size
             for i, size in enumerate(shape.tolist())]
    return a.reshape(shape)


def scatter_nd(data, indices, updates, reduction="none"):
    out = data.copy()
    if reduction != "none":
        raise ValueError("ScatterND that adds")
    out[tuple(np.moveaxis(indices, -1, 0))] = updates
    return out


def constant_of_shape(shape, value=None):
    value = np.zeros(1, np.float32) if value is None else value
    return np.full(shape.tolist(), value.ravel()[0], value.dtype)


def expand(a, shape):
    return a * np.ones(shape.tolist(), a.dtype) if a.dtype != bool else (
        a & np.ones(shape.tolist(), bool))


def range_of(start, limit, delta):
    return np.arange(start, limit, delta, dtype=start.dtype)


def transpose(a, perm=None):
    return np.transpose(a, perm)


KNOWN = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": divide,
    "Neg": np.negative, "Equal": np.equal, "Less": np.less,
    "Greater": np.greater, "And": np.logical_and, "Or": np.logical_or,
    "Not": np.logical_not, "Where": np.where, "Cast": cast,
    "Squeeze": squeeze, "Unsqueeze": unsqueeze, "Slice": slices,
    "Reshape": reshape, "ScatterND": scatter_nd, "Expand": expand,
    "ConstantOfShape": constant_of_shape, "Range": range_of,
    "Transpose": transpose, "Identity": lambda a: a,
    "Gather": lambda a, indices, axis=0: np.take(a, indices, axis),
    "Concat": lambda *arrays, axis: np.concatenate(arrays, axis),
    "Shape": lambda a: np.array(a.shape, np.int64),
    "Floor": np.floor, "Ceil": np.ceil, "Sqrt": np.sqrt,
}


def evaluate(node, arrays):
    """The outputs of `node`, or None where they are not worth keeping."""
    if node.op in KNOWN:
        given = [KNOWN[node.op](*arrays, **node.attributes)]
    elif node.op.startswith("Random") or node.op in ("If", "Loop"):
        return None
    else:
        given = load_op("", node.op, 13).eval(
            *arrays, n_outputs=len(node.outputs), **node.attributes)
        given = given if isinstance(given, tuple) else [given]
    given = [np.asarray(each) for each in given]
    if sum(each.size for each in given) > ELEMENTS_MAX:
        return None
    return given
