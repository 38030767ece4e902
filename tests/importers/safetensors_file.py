# SPDX-License-Identifier: MIT
"""Safetensors files written and read, with numpy alone."""

import json
import struct

import numpy as np

import synth_rule


def write(path, tensors, entry):
    """@entry may say what "metadata" is, null for none, or "header_pad":
    false, as old files are: then the data begin at an odd offset."""
    head, at = {}, 0
    metadata = entry.get("metadata", {"format": "pt"})
    if metadata is not None:
        head["__metadata__"] = metadata
    for tensor in tensors:
        end = at + synth_rule.size(tensor)
        head[tensor["name"]] = {"dtype": tensor["dtype"],
                                "shape": tensor["shape"],
                                "data_offsets": [at, end]}
        at = end
    text = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    odd = 0 if entry.get("header_pad", True) else 1
    text += b" " * ((odd - len(text)) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors:
            f.writelines(synth_rule.chunks(tensor))


class SafetensorsFile:
    """A file read whole; it must have no hole and nothing left over."""

    def __init__(self, path):
        with open(path, "rb") as f:
            everything = f.read()
        (length,) = struct.unpack_from("<Q", everything)
        assert length % 8 == 0, "the data are not aligned"
        self.tensors = json.loads(everything[8:8 + length])
        self.metadata = self.tensors.pop("__metadata__", {})
        self.data = memoryview(everything)[8 + length:]
        self._check_ranges()

    def _check_ranges(self):
        at = 0
        for name, tensor in self.tensors.items():
            begin, end = tensor["data_offsets"]
            want = synth_rule.size(tensor)
            assert (begin, end - begin) == (at, want), name
            at = end
        assert at == len(self.data)

    def raw(self, name):
        begin, end = self.tensors[name]["data_offsets"]
        return bytes(self.data[begin:end])

    def array(self, name):
        """The values as float32, in the tensor's shape."""
        tensor = self.tensors[name]
        values = synth_rule.widened(self.raw(name), tensor["dtype"])
        return np.asarray(values).reshape(tensor["shape"])
