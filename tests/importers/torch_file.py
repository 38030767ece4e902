# SPDX-License-Identifier: MIT
"""Files as torch.save() writes them, without torch.

The zip of today, and the one stream of before 1.6.  A tensor's entry may say
"alias_of" (a second name for the same bytes), "storage" (several tensors
in one storage) or "transposed" (it lies column by column); a file's entry
"root" (the folder in the zip), "new_layout": false (a zip of torch 1.x),
"as_parameter" and "nest" (the state dict inside other dicts).
"""

import io
import os
import pickle
import struct
import sys
import types
import zlib
from collections import OrderedDict

import numpy as np

import synth_rule

STORAGES = {
    "F64": "DoubleStorage", "F32": "FloatStorage", "F16": "HalfStorage",
    "BF16": "BFloat16Storage", "I64": "LongStorage", "I32": "IntStorage",
    "I16": "ShortStorage", "I8": "CharStorage", "U8": "ByteStorage",
    "BOOL": "BoolStorage",
}
REBUILDERS = ("_rebuild_tensor_v2", "_rebuild_parameter")
ALIGNMENT = 64


class ShellOfTorch:
    """While it lasts, pickle finds the names that a checkpoint refers to."""

    def __enter__(self):
        self.had = {name: sys.modules.get(name)
                    for name in ("torch", "torch._utils")}
        torch, utils = (types.ModuleType(name) for name in self.had)
        torch._utils = utils
        for module, names in ((torch, STORAGES.values()), (utils, REBUILDERS)):
            for name in names:
                shell = type(name, (), {"__module__": module.__name__})
                setattr(module, name, shell)
        sys.modules.update({"torch": torch, "torch._utils": utils})
        return torch

    def __exit__(self, *_):
        for name, module in self.had.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module


class Storage:
    """Bytes of one or more tensors, one after the other."""

    def __init__(self, key, parts):
        self.key = key
        self.parts = parts
        self.dtype = parts[0]["dtype"]
        self.count = sum(map(synth_rule.elements, parts))
        self.size = sum(map(synth_rule.size, parts))

    def chunks(self):
        for tensor in self.parts:
            if tensor.get("transposed"):
                width = synth_rule.DTYPES[tensor["dtype"]][0]
                values = np.frombuffer(synth_rule.raw_bytes(tensor),
                                       "V%d" % width)
                yield values.reshape(tensor["shape"]).T.tobytes()
            else:
                yield from synth_rule.chunks(tensor)


class View:
    """A tensor as pickle writes it: a storage, and where to look in it."""

    def __init__(self, storage, offset, tensor):
        shape = tuple(tensor["shape"])
        stride = tuple(int(np.prod(shape[i + 1:])) for i in range(len(shape)))
        if tensor.get("transposed"):
            stride = (1, shape[0])
        self.what = (storage, offset, shape, stride, False, OrderedDict())

    def __reduce_ex__(self, protocol):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.what


class Parameter:
    def __init__(self, view):
        self.what = (view, True, OrderedDict())

    def __reduce_ex__(self, protocol):
        return sys.modules["torch._utils"]._rebuild_parameter, self.what


def versions(tensors):
    """What torch notes of each module that a state dict came from."""
    noted = OrderedDict({"": {"version": 1}})
    for tensor in tensors:
        parts = tensor["name"].split(".")
        for i in range(1, len(parts)):
            noted.setdefault(".".join(parts[:i]), {"version": 1})
    return noted


class State:
    """The state dict of tensors, and its storages in order of first use."""

    def __init__(self, tensors, entry, first_key=0, key_step=1):
        self.storages = []
        self.views = OrderedDict()
        self.keys = (first_key, key_step)
        self.places = {}
        self.groups = {}
        for tensor in tensors:
            group = tensor.get("storage", tensor["name"])
            self.groups.setdefault(group, []).append(tensor)
        for tensor in tensors:
            self._add(tensor, entry)
        self.views._metadata = versions(tensors)
        self.root = self.views
        for key in reversed(entry.get("nest", [])):
            self.root = {key: self.root, "epoch": 90}

    def _add(self, tensor, entry):
        if "alias_of" in tensor:
            storage, offset = self.places[tensor["alias_of"]]
        else:
            storage, offset = self._place(tensor)
        view = View(storage, offset, tensor)
        if entry.get("as_parameter") and tensor["dtype"].startswith(("F", "B")):
            view = Parameter(view)
        self.views[tensor["name"]] = view

    def _place(self, tensor):
        """The storage the tensor is in, and its first element there."""
        name = tensor["name"]
        if name not in self.places:
            group = self.groups[tensor.get("storage", name)]
            first, step = self.keys
            key = str(first + step * len(self.storages))
            self.storages.append(Storage(key, group))
            at = 0
            for member in group:
                self.places[member["name"]] = (self.storages[-1], at)
                at += synth_rule.elements(member)
        return self.places[name]

    def pickled(self, torch, *after):
        """@after: what the reference to a storage has behind its length."""
        text = io.BytesIO()

        class Pickler(pickle.Pickler):
            def persistent_id(self, thing):
                if not isinstance(thing, Storage):
                    return None
                kind = getattr(torch, STORAGES[thing.dtype])
                return ("storage", kind, thing.key, "cpu", thing.count, *after)

        Pickler(text, protocol=2).dump(self.root)
        return text.getvalue()


class ZipWriter:
    """Members uncompressed and aligned, their lengths behind them."""

    def __init__(self, file, root):
        self.file = file
        self.root = root
        self.members = []

    def add(self, name, size, pieces):
        name = ("%s/%s" % (self.root, name)).encode()
        at, crc = self.file.tell(), 0
        pad = -(at + 30 + len(name) + 4) % ALIGNMENT
        extra = struct.pack("<2sH", b"FB", pad) + b"Z" * pad
        self.file.write(struct.pack(
            "<4s5H3I2H", b"PK\3\4", 0, 0x0808, 0, 0, 0, 0, 0, 0, len(name),
            len(extra)) + name + extra)
        begin = self.file.tell()
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
            self.file.write(piece)
        assert self.file.tell() - begin == size, name
        self.file.write(struct.pack("<4s3I", b"PK\7\10", crc, size, size))
        self.members.append((name, crc, size, at))

    def add_text(self, name, text):
        self.add(name, len(text), [text])

    def finish(self):
        at, count = self.file.tell(), len(self.members)
        for name, crc, size, offset in self.members:
            self.file.write(struct.pack(
                "<4s6H3I5H2I", b"PK\1\2", 0, 0, 0x0808, 0, 0, 0, crc, size,
                size, len(name), 0, 0, 0, 0, 0, offset) + name)
        end = self.file.tell()
        self.file.write(struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 30, 45, 0,
                                    0, count, count, end - at, at))
        self.file.write(struct.pack("<4sIQI", b"PK\6\7", 0, end, 1))
        self.file.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count,
                                    end - at, at, 0))


def write_zip(path, tensors, entry):
    stem = os.path.splitext(os.path.basename(path))[0]
    new = entry.get("new_layout", True)
    with ShellOfTorch() as torch:
        state = State(tensors, entry)
        text = state.pickled(torch)
    with open(path, "wb") as f:
        archive = ZipWriter(f, entry.get("root", stem))
        archive.add_text("data.pkl", text)
        if new:
            archive.add_text(".format_version", b"1")
            archive.add_text(".storage_alignment", b"64")
            archive.add_text("byteorder", b"little")
        for storage in state.storages:
            archive.add("data/" + storage.key, storage.size, storage.chunks())
        archive.add_text("version", b"3\n")
        if new:
            archive.add_text(".data/serialization_id",
                             b"%040d" % zlib.crc32(text))
        archive.finish()


def write_stream(path, tensors, entry):
    """The form of before torch 1.6: pickles, then the storages."""
    with ShellOfTorch() as torch:
        state = State(tensors, entry, 94200000000000, ALIGNMENT)
        text = state.pickled(torch, None)
    about = {"protocol_version": 1001, "little_endian": True,
             "type_sizes": {"short": 2, "int": 4, "long": 4}}
    with open(path, "wb") as f:
        for thing in (0x1950A86A20F9469CFC6C, 1001, about):
            pickle.dump(thing, f, protocol=2)
        f.write(text)
        pickle.dump([storage.key for storage in state.storages], f, protocol=2)
        for storage in state.storages:
            f.write(struct.pack("<q", storage.count))
            f.writelines(storage.chunks())
