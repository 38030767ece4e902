# SPDX-License-Identifier: MIT
"""How each operator is written in the dl4j form: the rules but those of
products and of windows.

A rule takes the lowering and a node, and gives the name of what stands for
the node's output; one of several outputs names them itself.
"""

import numpy as np
from onnx import TensorProto

from lower_dl4j import Unlowered
from lower_products import gemm, matmul
from lower_windows import conv, average_pool, max_pool, pad

FLOAT_MAX = 3.4028235e38
NUMBERS = (TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32)


def hint(node):
    return node.outputs[0]


def as_it_is(low, node):
    """Elementwise: all that has to be said is said."""
    if any(low.kind(name) not in NUMBERS for name in node.inputs):
        raise Unlowered(node.op + " of booleans")
    return low.emit(node.op, node.inputs, hint(node), **node.attributes)


def with_alpha(default):
    def rule(low, node):
        return low.emit(node.op, node.inputs, hint(node),
                        alpha=node.attributes.get("alpha", default))
    return rule


def clip(low, node):
    bounds = []
    for at, default in ((1, -FLOAT_MAX), (2, FLOAT_MAX)):
        name = node.inputs[at] if len(node.inputs) > at else ""
        array = low.constant(name) if name else np.float32(default)
        if array is None:
            raise Unlowered("a Clip with a computed bound")
        bounds.append(low.number(array.reshape(()), array.dtype))
    return low.emit("Clip", [node.inputs[0], *bounds], hint(node))


def hard_sigmoid(low, node):
    """alpha x + beta within 0 and 1, as a Clip of x + beta / alpha."""
    alpha = node.attributes.get("alpha", 0.2)
    beta = node.attributes.get("beta", 0.5)
    near = low.number(beta / alpha)
    moved = low.emit("Add", [node.inputs[0], near], hint(node))
    top = low.number(1.0 / alpha)
    kept = low.emit("Clip", [moved, low.number(0.0), top], hint(node))
    return low.emit("Mul", [kept, low.number(alpha)], hint(node))


def power(low, node):
    x, name = node.inputs
    array = low.constant(name)
    if array is None or array.size != 1:
        raise Unlowered("a power that is computed")
    exponent = float(array.ravel()[0])
    if exponent == 0.5:
        return low.emit("Sqrt", [x], hint(node))
    if exponent not in (1.0, 2.0, 3.0, 4.0):
        raise Unlowered("the power %g" % exponent)
    product = x
    for _ in range(int(exponent) - 1):
        product = low.emit("Mul", [product, x], hint(node))
    return product


def reciprocal(low, node):
    return low.emit("Div", [low.number(1.0), node.inputs[0]], hint(node))


def total(low, node):
    found = node.inputs[0]
    for name in node.inputs[1:]:
        found = low.emit("Add", [found, name], hint(node))
    return found


def new_shape(low, node):
    """Reshape, Flatten, Squeeze, Unsqueeze: all are one Reshape."""
    return low.reshape(node.inputs[0], low.shape(node.outputs[0]), hint(node))


def transpose(low, node):
    rank = len(low.shape(node.inputs[0]))
    perm = node.attributes.get("perm", list(range(rank))[::-1])
    return low.emit("Transpose", node.inputs, hint(node), perm=perm)


def softmax(low, node):
    x = node.inputs[0]
    rank = len(low.shape(x))
    axis = node.attributes.get("axis", -1) % rank
    if axis == rank - 1:
        return low.emit("Softmax", [x], hint(node), axis=axis)
    perm = list(range(rank))
    perm[axis], perm[-1] = perm[-1], perm[axis]
    turned = low.emit("Transpose", [x], hint(node), perm=perm)
    soft = low.emit("Softmax", [turned], hint(node), axis=rank - 1)
    return low.emit("Transpose", [soft], hint(node), perm=perm)


def reduce_axes(low, node):
    rank = len(low.shape(node.inputs[0]))
    if len(node.inputs) > 1:
        axes = low.constant(node.inputs[1])
        if axes is None:
            raise Unlowered("a reduction over computed axes")
        axes = axes.ravel().tolist()
    else:
        axes = node.attributes.get("axes", list(range(rank)))
    axes = sorted(axis % rank for axis in axes)
    if len(axes) == rank:
        raise Unlowered("a reduction over every axis")
    return axes, node.attributes.get("keepdims", 1)


def reduce_by_attribute(low, node):
    axes, keepdims = reduce_axes(low, node)
    return low.emit(node.op, node.inputs[:1], hint(node), axes=axes,
                    keepdims=keepdims)


def reduce_sum(low, node):
    axes, keepdims = reduce_axes(low, node)
    return low.emit("ReduceSum", [node.inputs[0],
                                  low.number(axes, np.int64)], hint(node),
                    keepdims=keepdims)


def global_max(low, node):
    return low.emit("ReduceMax", node.inputs, hint(node), axes=[2, 3],
                    keepdims=1)


def global_average(low, node):
    if len(low.shape(node.inputs[0])) != 4:
        raise Unlowered("a global pool of other than two dimensions")
    # Deeplearning4j writes past the end of what it takes for a global pool.
    return low.emit("ReduceMean", node.inputs, hint(node), axes=[2, 3],
                    keepdims=1)


def split(low, node):
    x = node.inputs[0]
    axis = node.attributes.get("axis", 0) % len(low.shape(x))
    start = 0
    for output in node.outputs:
        end = start + low.shape(output)[axis]
        low.alias(output, low.cut(x, axis, start, end, output))
        start = end


def slice_of(low, node):
    x = node.inputs[0]
    given = [low.constant(name) for name in node.inputs[1:]]
    if any(each is None for each in given):
        raise Unlowered("a slice with computed bounds")
    bounds = [each.ravel().tolist() for each in given]
    axes = bounds[2] if len(bounds) > 2 else range(len(bounds[0]))
    steps = bounds[3] if len(bounds) > 3 else [1] * len(bounds[0])
    for start, end, axis, step in zip(bounds[0], bounds[1], axes, steps):
        if step < 1:
            raise Unlowered("a slice that goes backwards")
        size = low.shape(x)[axis]
        if isinstance(size, str):
            raise Unlowered("a slice of the head's outputs")
        start, end, _ = slice(start, end).indices(size)
        x = low.cut(x, axis, start, end, hint(node), step)
    return x


def gather(low, node):
    x, at = node.inputs
    axis = node.attributes.get("axis", 0) % len(low.shape(x))
    index = low.constant(at)
    if len(low.shape(at)) == 0:
        if index is None:
            raise Unlowered("a Gather with a computed index")
        start = int(index) % low.shape(x)[axis]
        one = low.cut(x, axis, start, start + 1, hint(node))
        return low.reshape(one, low.shape(node.outputs[0]), hint(node))
    if index is not None and index.min() < 0:
        at = low.number(index % low.shape(x)[axis], np.int64)
    return low.emit("Gather", [x, at], hint(node), axis=axis)


def concat(low, node):
    axis = node.attributes["axis"] % len(low.shape(node.outputs[0]))
    parts = [awake(low, name) if low.is_given(name) else name
             for name in node.inputs]
    return low.join(parts, axis, hint(node))


def awake(low, name):
    """A constant as a sum with nothing of a computed value: OpenCV joins
    constants wrongly."""
    if low.kind(name) != TensorProto.FLOAT:
        raise Unlowered("a Concat of whole numbers")
    return low.emit("Add", [name, low.nothing()], name)


def expand(low, node):
    shape = low.shape(node.outputs[0])
    if any(isinstance(dim, str) for dim in shape):
        raise Unlowered("an Expand to the head's size")
    return low.emit("Expand", [node.inputs[0],
                               low.number(shape, np.int64)], hint(node))


def tile(low, node):
    if low.constant(node.inputs[1]) is None:
        raise Unlowered("a Tile with computed repeats")
    return low.emit("Tile", node.inputs, hint(node))


def cast(low, node):
    kinds = (*NUMBERS, TensorProto.DOUBLE)
    if low.kind(node.inputs[0]) not in kinds or (
            node.attributes["to"] not in NUMBERS):
        raise Unlowered("a Cast of other than whole and real numbers")
    return low.emit("Cast", node.inputs, hint(node), to=node.attributes["to"])


def where(low, node):
    """A choice that is known beforehand is a sum of two products."""
    chosen = low.constant(node.inputs[0])
    branches = [low.constant(name) for name in node.inputs[1:]]
    if chosen is None or any(each is not None and not np.isfinite(each).all()
                             for each in branches):
        raise Unlowered("the operator Where")
    mask = chosen.astype(np.float32)
    first = low.emit("Mul", [node.inputs[1], low.number(mask)], hint(node))
    second = low.emit("Mul", [node.inputs[2], low.number(1 - mask)],
                      hint(node))
    return low.emit("Add", [first, second], hint(node))


def batch_norm(low, node):
    """Of four dimensions; others are reshaped to four and back."""
    x = node.inputs[0]
    shape = low.shape(x)
    if len(shape) == 2:
        wide = [*shape, 1, 1]
    elif len(shape) == 3:
        wide = [shape[0], shape[1], 1, shape[2]]
    else:
        wide = shape
    if len(wide) != 4:
        raise Unlowered("a BatchNormalization of %d dimensions" % len(shape))
    x = low.reshape(x, wide, hint(node))
    normal = low.emit("BatchNormalization", [x, *node.inputs[1:]], hint(node),
                      epsilon=node.attributes.get("epsilon", 1e-5))
    return low.reshape(normal, shape, hint(node))


def instance_norm(low, node):
    x, scale, bias = node.inputs
    rank = len(low.shape(x))
    axes = list(range(2, rank))
    mean = low.emit("ReduceMean", [x], hint(node), axes=axes, keepdims=1)
    away = low.emit("Sub", [x, mean], hint(node))
    square = low.emit("Mul", [away, away], hint(node))
    variance = low.emit("ReduceMean", [square], hint(node), axes=axes,
                        keepdims=1)
    epsilon = low.number(node.attributes.get("epsilon", 1e-5))
    above = low.emit("Add", [variance, epsilon], hint(node))
    normal = low.emit("Div", [away, low.emit("Sqrt", [above], hint(node))],
                      hint(node))
    for op, name, idle in (("Mul", scale, 1), ("Add", bias, 0)):
        array = low.constant(name)
        if array is None or (array != idle).any():
            channels = [low.shape(name)[0]] + [1] * (rank - 2)
            wide = low.reshape(name, channels, hint(node))
            normal = low.emit(op, [normal, wide], hint(node))
    return normal


def resize(low, node):
    x = node.inputs[0]
    said = node.attributes
    before, after = low.shape(x), low.shape(node.outputs[0])
    if len(before) != 4 or before[:2] != after[:2]:
        raise Unlowered("a Resize of other than height and width")
    mode = said.get("mode", "nearest")
    how = said.get("coordinate_transformation_mode", "half_pixel")
    whole = all(new % old == 0 for old, new in zip(before[2:], after[2:]))
    if mode == "nearest" and whole and how in ("asymmetric", "half_pixel"):
        return repeat(low, x, before, after, hint(node))
    if mode != "linear" or how not in ("half_pixel", "pytorch_half_pixel") or (
            not whole or 1 in after[2:]):
        raise Unlowered("a Resize that is %s, %s" % (mode, how))
    scales = low.number([1, 1, *(new // old for old, new
                                 in zip(before[2:], after[2:]))])
    found = low.emit("Resize", [x, "", scales], hint(node), mode="linear",
                     coordinate_transformation_mode="half_pixel")
    low.net.values[found].shape = after
    return found


def repeat(low, x, before, after, name):
    """Each pixel as often as the scales say."""
    for axis in (2, 3):
        times = after[axis] // before[axis]
        shape = low.shape(x)
        wide = low.reshape(x, [*shape[:axis + 1], 1, *shape[axis + 1:]], name)
        joined = low.join([wide] * times, axis + 1, name)
        longer = list(shape)
        longer[axis] = after[axis]
        x = low.reshape(joined, longer, name)
    return x


ELEMENTWISE = ("Add", "Sub", "Mul", "Div", "Abs", "Erf", "Exp", "Neg",
               "Floor", "Sigmoid", "Tanh", "Relu", "Softplus", "Sqrt", "Log",
               "Min", "Max", "PRelu", "Sin", "Cos", "Ceil", "Selu")

RULES = {
    **dict.fromkeys(ELEMENTWISE, as_it_is),
    "LeakyRelu": with_alpha(0.01), "Elu": with_alpha(1.0),
    "Clip": clip, "HardSigmoid": hard_sigmoid, "Pow": power,
    "Reciprocal": reciprocal, "Sum": total,
    "Reshape": new_shape, "Flatten": new_shape, "Squeeze": new_shape,
    "Unsqueeze": new_shape, "Transpose": transpose, "Softmax": softmax,
    "ReduceMean": reduce_by_attribute, "ReduceMax": reduce_by_attribute,
    "ReduceL2": reduce_by_attribute, "ReduceSum": reduce_sum,
    "GlobalMaxPool": global_max, "GlobalAveragePool": global_average,
    "Split": split, "Slice": slice_of, "Gather": gather, "Concat": concat,
    "Expand": expand, "Tile": tile, "Cast": cast, "Where": where,
    "BatchNormalization": batch_norm, "InstanceNormalization": instance_norm,
    "Resize": resize, "Gemm": gemm, "MatMul": matmul, "Conv": conv,
    "MaxPool": max_pool, "AveragePool": average_pool, "Pad": pad,
}
