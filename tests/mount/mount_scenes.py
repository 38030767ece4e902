# SPDX-License-Identifier: MIT
"""What the tests of a real mount share: bytes, repositories, readers."""

import contextlib
import json
import os
import pathlib
import random
import struct
import threading
import time

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
BLOCK = 64 * KIB  # what the cache fetches at least

# How much slower than a release build the program may be (sanitizers).
SLOWNESS = float(os.environ.get("OMNIHUB_TEST_SLOWNESS", "1"))


def scaled(seconds):
    """A time bound, for the build that is tested."""
    return seconds * SLOWNESS


def random_source(what):
    """A random.Random whose seed is printed, and can be given."""
    seed = int(os.environ.get("OMNIHUB_TEST_SEED", time.time_ns() % (1 << 32)))
    print("%s: OMNIHUB_TEST_SEED=%d" % (what, seed))
    return random.Random(seed)


def payload(size, seed=1):
    """The same bytes for the same arguments; no two blocks alike."""
    return random.Random(seed).randbytes(size)


def payload_file(path, size, seed=1):
    """payload() in a file, made in pieces."""
    source = random.Random(seed)
    with open(path, "wb") as file:
        while file.tell() < size:
            file.write(source.randbytes(min(MIB, size - file.tell())))
    return path


def sparse_file(path, size, tail):
    """Zeros that take no room, and @tail at the end."""
    with open(path, "wb") as file:
        file.truncate(size)
        file.seek(size - len(tail))
        file.write(tail)
    return path


def write_tree(folder, files):
    """@files: path -> bytes."""
    for path, content in files.items():
        target = pathlib.Path(folder) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return pathlib.Path(folder)


def pread_all(fd, offset, length):
    """All of a range; a short answer before the end is an error."""
    got = b""
    while len(got) < length:
        part = os.pread(fd, length - len(got), offset + len(got))
        assert part, "short read at %d" % (offset + len(got))
        got += part
    return got


@contextlib.contextmanager
def opened(path, flags=os.O_RDONLY):
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)


def read_at(path, offset, length):
    with opened(path) as fd:
        return os.pread(fd, length, offset)


def errno_of(call, *arguments):
    """The errno with which @call fails, or None if it does not."""
    try:
        call(*arguments)
    except OSError as error:
        return error.errno
    return None


class Outcome:
    """What came of one call that ran beside others."""

    def __init__(self):
        self.value = self.error = self.took_s = None

    def done(self):
        return self.took_s is not None

    def run(self, call):
        began = time.monotonic()
        try:
            self.value = call()
        except Exception as error:  # judged by the test
            self.error = error
        self.took_s = time.monotonic() - began


def start_together(calls):
    """Each call in a thread of its own; Outcomes that fill by and by."""
    outcomes = [Outcome() for _ in calls]
    for outcome, call in zip(outcomes, calls):
        threading.Thread(target=outcome.run, args=(call,), daemon=True).start()
    return outcomes


def finish(outcomes, timeout_s):
    """Waits for all; those that are stuck fail the test."""
    end = time.monotonic() + timeout_s
    while not all(outcome.done() for outcome in outcomes):
        stuck = sum(not outcome.done() for outcome in outcomes)
        assert time.monotonic() < end, "%d of %d stuck after %.0f s" % (
            stuck, len(outcomes), timeout_s)
        time.sleep(0.01)
    return outcomes


def run_together(calls, timeout_s):
    """The values of all calls; the first error is raised."""
    outcomes = finish(start_together(calls), timeout_s)
    for outcome in outcomes:
        if outcome.error:
            raise outcome.error
    return [outcome.value for outcome in outcomes]


def metrics_of(mount):
    """.omnihub/metrics as a dict; a line that is no Prometheus text fails."""
    values = {}
    for line in (mount.path / ".omnihub/metrics").read_text().splitlines():
        if line.startswith("#"):
            assert line.split(" ")[1] in ("HELP", "TYPE"), line
            continue
        name, value = line.split(" ")
        assert name.startswith("omnihub_") and name not in values, line
        values[name[len("omnihub_"):]] = int(value)
    return values


BERT = dict(model_type="bert", architectures=["BertModel"], hidden_size=8,
            num_attention_heads=2, num_hidden_layers=1, intermediate_size=12,
            vocab_size=20, max_position_embeddings=10, type_vocab_size=2,
            layer_norm_eps=1e-12, hidden_act="gelu", pad_token_id=0)


def bert_shapes(config):
    """name -> shape of the tensors of a BertModel."""
    wide, inner = config["hidden_size"], config["intermediate_size"]
    shapes = {}

    def layer(name, rows, columns=None):
        shapes[name + ".weight"] = [rows, columns] if columns else [rows]
        shapes[name + ".bias"] = [rows]

    for table, rows in (("word", config["vocab_size"]),
                        ("position", config["max_position_embeddings"]),
                        ("token_type", config["type_vocab_size"])):
        shapes["embeddings.%s_embeddings.weight" % table] = [rows, wide]
    layer("embeddings.LayerNorm", wide)
    for number in range(config["num_hidden_layers"]):
        at = "encoder.layer.%d." % number
        for part in ("query", "key", "value"):
            layer(at + "attention.self." + part, wide, wide)
        layer(at + "attention.output.dense", wide, wide)
        layer(at + "attention.output.LayerNorm", wide)
        layer(at + "intermediate.dense", inner, wide)
        layer(at + "output.dense", wide, inner)
        layer(at + "output.LayerNorm", wide)
    layer("pooler.dense", wide, wide)
    return shapes


def safetensors(shapes, seed=1):
    """A file of float32 tensors between -0.1 and 0.1."""
    source, header, body = random.Random(seed), {}, b""
    for name, shape in shapes.items():
        count = 1
        for size in shape:
            count *= size
        values = [source.uniform(-0.1, 0.1) for _ in range(count)]
        begin = len(body)
        body += struct.pack("<%df" % count, *values)
        header[name] = {"dtype": "F32", "shape": shape,
                        "data_offsets": [begin, len(body)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def tiny_bert(seed=1, **changes):
    """The files of a BERT that can be staged, a few kilobytes."""
    config = dict(BERT, **changes)
    return {"config.json": json.dumps(config).encode(),
            "model.safetensors": safetensors(bert_shapes(config), seed)}
