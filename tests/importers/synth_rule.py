# SPDX-License-Identifier: MIT
"""Weights by formula: the bytes of a tensor follow from its name.

fixtures/README.md states the rule.  Tensors are made in chunks, so that a
checkpoint of hundreds of megabytes needs little memory.
"""

import base64
import math
import zlib

import numpy as np

MASK = (1 << 64) - 1
CHUNK = 1 << 17

# Of a weight file's type: bytes of an element, numpy's name of it.
DTYPES = {
    "F64": (8, "<f8"), "F32": (4, "<f4"), "F16": (2, "<f2"), "BF16": (2, None),
    "I64": (8, "<i8"), "I32": (4, "<i4"), "I16": (2, "<i2"), "I8": (1, "i1"),
    "U8": (1, "u1"), "BOOL": (1, "u1"),
}
INPUTS = {"int64": np.int64, "int32": np.int32, "float32": np.float32}


def fnv1a64(name):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def uniform(name, start, count):
    """2u - 1 of the flat indices from start on, as float64."""
    x = np.arange(count, dtype=np.uint64)
    shifted = np.empty_like(x)
    x += np.uint64((fnv1a64(name) + start + 0x9E3779B97F4A7C15) & MASK)
    for bits, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB),
                         (31, 1)):
        np.right_shift(x, np.uint64(bits), out=shifted)
        x ^= shifted
        x *= np.uint64(factor)
    x >>= np.uint64(40)
    return x.astype(np.float64) * 2.0 ** -23 - 1.0


def bfloat16(values):
    """The upper halves of float32, rounded to nearest even."""
    bits = values.view("<u4").astype(np.uint64)
    bits += 0x7FFF + ((bits >> np.uint64(16)) & np.uint64(1))
    return (bits >> np.uint64(16)).astype("<u2")


def cast(values, dtype):
    """The bytes of float64 values in a type, by way of float32."""
    if dtype == "BF16":
        return bfloat16(values.astype("<f4")).tobytes()
    if dtype == "F16":
        return values.astype("<f4").astype("<f2").tobytes()
    if dtype in ("F32", "F64"):
        return values.astype(DTYPES[dtype][1]).tobytes()
    return np.rint(values).astype(DTYPES[dtype][1]).tobytes()


def widened(raw, dtype):
    """The float32 values that bytes of a narrower type stand for."""
    if dtype == "BF16":
        return (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
    return np.frombuffer(raw, DTYPES[dtype][1]).astype("<f4")


def elements(tensor):
    return math.prod(tensor["shape"])


def size(tensor):
    return elements(tensor) * DTYPES[tensor["dtype"]][0]


def _values(tensor, start, count):
    offset, scale = (float(np.float32(tensor.get(key, 0.0)))
                     for key in ("offset", "scale"))
    rule = tensor.get("rule", "uniform")
    if rule in ("arange", "tril"):
        index = np.arange(start, start + count)
        column = index % tensor["shape"][-1]
        if rule == "tril":
            row = index // tensor["shape"][-1] % tensor["shape"][-2]
            return (column <= row).astype(np.float64)
        return column.astype(np.float64) + offset
    assert rule == "uniform", rule
    if scale == 0.0:
        return np.full(count, offset)
    seed = tensor.get("seed", tensor["name"])
    return uniform(seed, start, count) * scale + offset


def chunks(tensor):
    """The tensor's bytes, row by row, a piece at a time."""
    if tensor.get("rule") == "data":
        raw = zlib.decompress(base64.b64decode(tensor["data"]))
        assert len(raw) == size(tensor), tensor["name"]
        yield raw
        return
    count = elements(tensor)
    for start in range(0, count, CHUNK):
        values = _values(tensor, start, min(CHUNK, count - start))
        yield cast(values, tensor["dtype"])


def raw_bytes(tensor):
    return b"".join(chunks(tensor))


def data(raw):
    """Bytes as an entry of the rule "data" holds them."""
    return base64.b64encode(zlib.compress(raw)).decode()


def input_array(entry):
    """An input of a case: its values stand in the specification, or follow
    the formula."""
    if "values" in entry:
        values = np.array(entry["values"], INPUTS[entry["dtype"]])
    else:
        values = np.frombuffer(raw_bytes(dict(entry, dtype="F32")), "<f4")
    return values.reshape(entry["shape"])
