# SPDX-License-Identifier: MIT
"""Products in the dl4j form: Gemm of two matrices with alpha 1 and beta 0.

Deeplearning4j M2.1 takes MatMul's alpha as 0, drops Gemm's third input, and
with beta 1 adds what a reused array held before.
"""

import numpy as np

from lower_dl4j import Unlowered

# A product of stacks is so many products of matrices.
PRODUCTS_MAX = 64


def product(low, a, b, name, alpha=1.0, trans_a=0, trans_b=0):
    return low.emit("Gemm", [a, b], name, alpha=alpha, beta=0.0,
                    transA=trans_a, transB=trans_b)


def gemm(low, node):
    said = node.attributes
    name = node.outputs[0]
    found = product(low, *node.inputs[:2], name, said.get("alpha", 1.0),
                    said.get("transA", 0), said.get("transB", 0))
    if len(node.inputs) < 3:
        return found
    if said.get("beta", 1.0) != 1.0:
        raise Unlowered("a Gemm with a beta of %g" % said["beta"])
    return low.emit("Add", [found, node.inputs[2]], name)


def turned(low, name, before):
    """(what it is the transpose of, 1) if its last two axes are swapped.
    `before` is the name that the graph had for it."""
    maker = low.makers.get(before)
    if maker is None or maker.op != "Transpose":
        return name, 0
    rank = len(low.shape(name))
    perm = list(range(rank))
    perm[-2:] = perm[:-3:-1]
    if maker.attributes.get("perm") != perm:
        return name, 0
    return maker.inputs[0], 1


def matmul(low, node):
    a, b = node.inputs
    name = node.outputs[0]
    a_shape, b_shape = low.shape(a), low.shape(b)
    if len(a_shape) < 2 or len(b_shape) < 2:
        raise Unlowered("a product with a vector")
    b, swapped = turned(low, b, low.before[1])
    if len(b_shape) == 2:
        flat = low.reshape(a, [count(a_shape[:-1]), a_shape[-1]], name)
        found = product(low, flat, b, name, trans_b=swapped)
        return low.reshape(found, low.shape(name), name)
    return stacked(low, name, (a, a_shape), (b, b_shape), swapped)


def stacked(low, name, a_side, b_side, swapped):
    """A product of matrices for each of the leading dimensions."""
    (a, a_shape), (b, b_shape) = a_side, b_side
    lead = low.shape(name)[:-2]
    products = count(lead)
    if products > PRODUCTS_MAX:
        raise Unlowered("a product of %d matrices, of at most %d" % (
            products, PRODUCTS_MAX))
    at_a, at_b = order(a_shape[:-2], lead), order(b_shape[:-2], lead)
    rows_a, rows_b = a_shape[-2], b_shape[-1 if swapped else -2]
    flat_a = low.reshape(a, [count(a_shape[:-1]), a_shape[-1]], name)
    flat_b = low.reshape(b, [count(b_shape[:-2]) * rows_b,
                             b_shape[-2 if swapped else -1]], name)
    found = []
    for i in range(products):
        left = low.cut(flat_a, 0, at_a[i] * rows_a, (at_a[i] + 1) * rows_a,
                       name)
        right = low.cut(flat_b, 0, at_b[i] * rows_b, (at_b[i] + 1) * rows_b,
                        name)
        found.append(product(low, left, right, name, trans_b=swapped))
    return low.reshape(low.join(found, 0, name), low.shape(name), name)


def order(lead, whole):
    """Which matrix of a broadcast stack is the i-th one."""
    lead = [1] * (len(whole) - len(lead)) + list(lead)
    numbers = np.arange(count(lead)).reshape(lead)
    return np.broadcast_to(numbers, whole).ravel().tolist()


def count(shape):
    if any(isinstance(dim, str) for dim in shape):
        raise Unlowered("a product whose rows are the head's")
    return int(np.prod(shape, dtype=np.int64))
