# SPDX-License-Identifier: MIT
"""Files of weights and graphs that mean harm: name -> bytes.  Each is named
after the hazard it is about."""

import io
import os
import pickle
import random
import struct
import zipfile

NODES = 100000
VARIANTS = 24  # of a damaged HDF5 file


class _Runs:
    """What pickle would run."""

    def __reduce__(self):
        return os.system, ("touch /tmp/omnihub-was-here",)


def _torch_zip(text, members=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        z.writestr("archive/data.pkl", text)
        for name, content in members:
            z.writestr(name, content)
        z.writestr("archive/version", b"3\n")
    return out.getvalue()


def _tensor(key=b"0", count=4, offset=0, shape=4, stride=1):
    """A state dict {"w": tensor} in protocol 2, by hand."""
    def integer(value):
        return b"\x8a\x08" + struct.pack("<q", value)

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value
    return (b"\x80\x02}" + text(b"w") + b"ctorch._utils\n_rebuild_tensor_v2\n"
            b"((" + text(b"storage") + b"ctorch\nFloatStorage\n" + text(key)
            + text(b"cpu") + integer(count) + b"tQ" + integer(offset)
            + integer(shape) + b"\x85" + integer(stride) + b"\x85\x89"
            b"ccollections\nOrderedDict\n)RtRs.")


def checkpoints(good_zip, good_stream):
    """@good_zip, @good_stream: a checkpoint in the two forms of torch."""
    data = [("archive/data/0", bytes(16))]
    end = good_zip.rindex(b"PK\1\2")
    offset = bytearray(good_zip)
    struct.pack_into("<I", offset, end + 42, 7)
    flipped = bytearray(good_zip)
    flipped[good_zip.index(b"PK\3\4") + 30] ^= 0x20
    return {
        "K-01-system": _torch_zip(pickle.dumps(_Runs(), 2)),
        "K-01-system-stream": pickle.dumps(_Runs(), 2),
        "K-01-inst": _torch_zip(b"(S'touch /tmp/omnihub-was-here'\n"
                                b"ios\nsystem\n."),
        "K-03-other-container": b"7z\xbc\xaf\x27\x1c" + bytes(4096),
        "K-04-truncated-zip": good_zip[:len(good_zip) // 2],
        "K-04-truncated-stream": good_stream[:len(good_stream) // 2],
        "K-04-head-only": good_stream[:300],
        "K-04-no-stop": _torch_zip(_tensor()[:-1], data),
        "K-05-nested": _torch_zip(b"\x80\x02" + b"(" * 200000),
        "K-05-memo-bomb": _torch_zip(b"\x80\x02]" + b"(h\0h\0t" * 200000
                                     + b"."),
        "K-06-length": _torch_zip(b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f"),
        "K-07-long": _torch_zip(b"\x80\x02\x8b\xff\xff\xff\x7f."),
        "K-09-key": _torch_zip(_tensor(b"../0"), data),
        "K-09-no-storage": _torch_zip(_tensor(b"1"), data),
        "K-09-size": _torch_zip(_tensor(count=400), data),
        "K-10-offset": _torch_zip(_tensor(offset=1 << 40), data),
        "K-10-negative": _torch_zip(_tensor(offset=-4), data),
        "K-10-shape": _torch_zip(_tensor(shape=1 << 62), data),
        "K-10-stride": _torch_zip(_tensor(stride=1 << 61), data),
        "K-12-offset": bytes(offset), "K-12-name": bytes(flipped),
        "empty": b"", "zeros": bytes(1 << 20),
    }


def weights_h5(good):
    """Addresses of a good file that lead back, or out of the file."""
    places = [at for at in range(8, len(good) - 8, 8)
              if 0 < struct.unpack_from("<Q", good, at)[0] < len(good)]
    found = {"truncated": good[:len(good) // 2], "head": good[:96],
             "5-10-superblock": good[:13] + b"\xc8\xc8" + good[15:],
             "zeros": good[:8] + bytes(len(good) - 8)}
    root = struct.unpack_from("<Q", good, 64)[0]
    for at in random.Random(5).sample(places, min(VARIANTS, len(places))):
        for name, value in (("5-02-loop", root), ("5-04-end", 1 << 62)):
            body = bytearray(good)
            struct.pack_into("<Q", body, at, value)
            found["%s-%d" % (name, at)] = bytes(body)
    return found


# ---- SavedModels ----

def _varint(value):
    out = b""
    while value > 127:
        out += bytes((value & 127 | 128,))
        value >>= 7
    return out + bytes((value,))


def _field(number, content):
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _nested(numbers, depth):
    """Messages in messages, the deepest empty."""
    heads, size = [], 0
    for level in range(depth):
        head = _varint(numbers[level % len(numbers)] << 3 | 2) + _varint(size)
        heads.append(head)
        size += len(head)
    return b"".join(reversed(heads))


def _chain(count):
    """A model whose output is the last of @count nodes in a row."""
    nodes = [_field(1, _field(1, b"n0") + _field(2, b"Placeholder"))]
    for number in range(1, count):
        nodes.append(_field(1, _field(1, b"n%d" % number)
                            + _field(2, b"Identity")
                            + _field(3, b"n%d" % (number - 1))))
    last = b"n%d:0" % (count - 1)

    def info(name):
        return _field(1, name) + b"\x10\x01"
    signature = _field(1, _field(1, b"x") + _field(2, info(b"n0:0"))) + \
        _field(2, _field(1, b"y") + _field(2, info(last))) + \
        _field(3, b"tensorflow/serving/predict")
    return b"\x08\x01" + _field(2, _field(1, _field(4, b"serve"))
                                + _field(2, b"".join(nodes))
                                + _field(5, _field(1, b"serving_default")
                                         + _field(2, signature)))


PB, INDEX = "saved_model.pb", "variables/variables.index"
DATA = "variables/variables.data-00000-of-00001"


def saved_models(good):
    """name -> path -> bytes; @good: the files of a model that is right."""
    index, data = good[INDEX], good[DATA]
    no_magic = index[:-8] + bytes(8)
    footer = index[:-48] + b"\xff" * 40 + index[-8:]
    flipped = bytes((index[0] ^ 1,)) + index[1:]
    return {
        "P-04-deep": {**good, PB: _nested((2, 2, 2), NODES)},
        "P-04-deep-function": {**good, PB: b"\x08\x01" + _nested(
            (2, 1, 5), NODES)},
        "P-05-garbage": {**good, PB: random.Random(1).randbytes(65536)},
        "P-05-length": {**good, PB: b"\x12\xff\xff\xff\xff\x0f"},
        "P-05-cut": {**good, PB: good[PB][:len(good[PB]) // 2]},
        "P-06-empty-messages": {**good, PB: b"\x12\0" * 300000},
        "P-12-chain": {**good, PB: _chain(NODES)},
        "P-13-no-shard": {PB: good[PB], INDEX: index},
        "P-13-no-index": {PB: good[PB], DATA: data},
        "T-01-magic": {**good, INDEX: no_magic},
        "T-01-footer": {**good, INDEX: footer},
        "T-01-cut": {**good, INDEX: index[:len(index) // 2]},
        "T-02-crc": {**good, INDEX: flipped},
        "T-04-past-the-end": {**good, DATA: data[:len(data) // 2]},
        "T-04-empty-shard": {**good, DATA: b""},
    }
