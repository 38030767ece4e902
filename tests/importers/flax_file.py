# SPDX-License-Identifier: MIT
"""Files of Flax's parameters (flax_model.msgpack) written by hand.

As flax.serialization writes them: maps in maps; an array is an extension of
type 1 that holds its shape, the name of its type, and its bytes.
"""

import struct

import synth_rule

NUMPY = {"F64": "float64", "F32": "float32", "F16": "float16",
         "BF16": "bfloat16", "I64": "int64", "I32": "int32", "I16": "int16",
         "I8": "int8", "U8": "uint8", "BOOL": "bool"}


def head(count, short, short_max, longer):
    """The first bytes of an item: @longer are the first bytes with 1, 2 and
    4 bytes of a count after them, None where there is none of such."""
    if count <= short_max:
        return bytes([short | count])
    for code, form in zip(longer, (">BB", ">BH", ">BI")):
        if code is not None and count < 1 << 8 * (struct.calcsize(form) - 1):
            return struct.pack(form, code, count)
    raise ValueError(count)


def text(value):
    raw = value.encode()
    return head(len(raw), 0xA0, 31, (0xD9, 0xDA, 0xDB)) + raw


def number(value):
    return head(value, 0, 127, (0xCC, 0xCD, 0xCE))


def array(tensor):
    raw = synth_rule.raw_bytes(tensor)
    shape = tensor["shape"]
    inner = b"\x93" + head(len(shape), 0x90, 15, (None, 0xDC, 0xDD)) \
        + b"".join(map(number, shape)) + text(NUMPY[tensor["dtype"]]) \
        + head(len(raw), 0, -1, (0xC4, 0xC5, 0xC6)) + raw
    fixed = {1: 0xD4, 2: 0xD5, 4: 0xD6, 8: 0xD7, 16: 0xD8}.get(len(inner))
    if fixed:
        return bytes([fixed, 1]) + inner
    return head(len(inner), 0, -1, (0xC7, 0xC8, 0xC9)) + b"\x01" + inner


def pack(node):
    if "dtype" in node and isinstance(node["dtype"], str):
        return array(node)
    return head(len(node), 0x80, 15, (None, 0xDE, 0xDF)) + b"".join(
        text(key) + pack(value) for key, value in node.items())


def tree(tensors):
    root = {}
    for tensor in tensors:
        *folders, last = tensor["name"].split("/")
        node = root
        for key in folders:
            node = node.setdefault(key, {})
        node[last] = tensor
    return root


def write(path, tensors, entry):
    with open(path, "wb") as f:
        f.write(pack(tree(tensors)))
