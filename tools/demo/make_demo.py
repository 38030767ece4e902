#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a hub in a folder: two tiny but complete models, for the demo.

    make_demo.py DIR

DIR/demo/tiny-bert        BERT with a fill-mask head, model.safetensors
DIR/demo/tiny-distilbert  DistilBERT that classifies texts, pytorch_model.bin

Serve it with: omnihub mount --endpoint huggingface=DIR MOUNTPOINT

The weights are random numbers, the same on every machine: the models have the
shape of real ones and know nothing.  Python's standard library is all it needs.
"""

import collections
import json
import math
import os
import pickle
import random
import struct
import sys
import types
import zipfile

HIDDEN, INNER, HEADS, LAYERS, POSITIONS = 32, 64, 4, 2, 64
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ("a an and are as at be but by can file for from good great hub i in is it "
         "like model mount movie not of on one open read small stage the this that "
         "to very was we what with you bad best paris france capital . , ! ?").split()
VOCABULARY = SPECIAL + WORDS + ["##" + c for c in "abcdefghijklmnopqrstuvwxyz"]


def bert_shapes():
    """Tensor names and shapes of BertForMaskedLM."""
    yield "bert.embeddings.word_embeddings.weight", (len(VOCABULARY), HIDDEN)
    yield "bert.embeddings.position_embeddings.weight", (POSITIONS, HIDDEN)
    yield "bert.embeddings.token_type_embeddings.weight", (2, HIDDEN)
    yield from norm("bert.embeddings.LayerNorm")
    for i in range(LAYERS):
        layer = "bert.encoder.layer.%d." % i
        for part in ("query", "key", "value"):
            yield from linear(layer + "attention.self." + part, HIDDEN, HIDDEN)
        yield from linear(layer + "attention.output.dense", HIDDEN, HIDDEN)
        yield from norm(layer + "attention.output.LayerNorm")
        yield from linear(layer + "intermediate.dense", INNER, HIDDEN)
        yield from linear(layer + "output.dense", HIDDEN, INNER)
        yield from norm(layer + "output.LayerNorm")
    yield from linear("cls.predictions.transform.dense", HIDDEN, HIDDEN)
    yield from norm("cls.predictions.transform.LayerNorm")
    yield "cls.predictions.bias", (len(VOCABULARY),)


def distilbert_shapes():
    """Tensor names and shapes of DistilBertForSequenceClassification."""
    yield "distilbert.embeddings.word_embeddings.weight", (len(VOCABULARY), HIDDEN)
    yield "distilbert.embeddings.position_embeddings.weight", (POSITIONS, HIDDEN)
    yield from norm("distilbert.embeddings.LayerNorm")
    for i in range(LAYERS):
        layer = "distilbert.transformer.layer.%d." % i
        for part in ("q_lin", "k_lin", "v_lin", "out_lin"):
            yield from linear(layer + "attention." + part, HIDDEN, HIDDEN)
        yield from norm(layer + "sa_layer_norm")
        yield from linear(layer + "ffn.lin1", INNER, HIDDEN)
        yield from linear(layer + "ffn.lin2", HIDDEN, INNER)
        yield from norm(layer + "output_layer_norm")
    yield from linear("pre_classifier", HIDDEN, HIDDEN)
    yield from linear("classifier", 2, HIDDEN)


def linear(name, rows, columns):
    yield name + ".weight", (rows, columns)
    yield name + ".bias", (rows,)


def norm(name):
    yield name + ".weight", (HIDDEN,)
    yield name + ".bias", (HIDDEN,)


def tensor_bytes(name, shape):
    """float32, little-endian; a function of the name alone."""
    numbers = random.Random(name)
    count = math.prod(shape)
    middle = 1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0
    return struct.pack("<%df" % count,
                       *(middle + numbers.uniform(-0.2, 0.2) for _ in range(count)))


def write_safetensors(path, shapes):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, shape in shapes:
        start = len(data)
        data += tensor_bytes(name, shape)
        header[name] = {"dtype": "F32", "shape": shape,
                        "data_offsets": [start, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


class Storage:
    def __init__(self, key, count):
        self.key, self.count = key, count


class Tensor:
    """Pickles as torch.Tensor does: a call of _rebuild_tensor_v2."""

    def __init__(self, storage, shape):
        strides = [math.prod(shape[i + 1:]) for i in range(len(shape))]
        self.arguments = (storage, 0, shape, tuple(strides), False,
                          collections.OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class TorchPickler(pickle.Pickler):
    def persistent_id(self, thing):
        if not isinstance(thing, Storage):
            return None
        kind = sys.modules["torch"].FloatStorage
        return "storage", kind, thing.key, "cpu", thing.count


def install_torch_names():
    """The two names that a state dict's pickle refers to, without PyTorch."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    exec("def _rebuild_tensor_v2(): pass", utils.__dict__)
    utils._rebuild_tensor_v2.__module__ = "torch._utils"
    torch._utils = utils
    sys.modules.update({"torch": torch, "torch._utils": utils})


def add_member(archive, name, data):
    """Stored, its bytes at a multiple of 64, as torch.save() has them."""
    info = zipfile.ZipInfo(name)
    start = archive.fp.tell() + 30 + len(name) + 4
    padding = -start % 64
    info.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
    archive.writestr(info, data)


def write_torch(path, shapes):
    install_torch_names()
    state = collections.OrderedDict()
    state._metadata = collections.OrderedDict({"": {"version": 1}})
    members = []
    for key, (name, shape) in enumerate(shapes):
        state[name] = Tensor(Storage(str(key), math.prod(shape)), shape)
        members.append(tensor_bytes(name, shape))
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open(zipfile.ZipInfo("pytorch_model/data.pkl"), "w") as out:
            TorchPickler(out, protocol=2).dump(state)
        add_member(archive, "pytorch_model/byteorder", b"little")
        for key, data in enumerate(members):
            add_member(archive, "pytorch_model/data/%d" % key, data)
        add_member(archive, "pytorch_model/version", b"3\n")


BERT = {
    "architectures": ["BertForMaskedLM"], "model_type": "bert",
    "hidden_act": "gelu", "hidden_size": HIDDEN, "intermediate_size": INNER,
    "layer_norm_eps": 1e-12, "max_position_embeddings": POSITIONS,
    "num_attention_heads": HEADS, "num_hidden_layers": LAYERS,
    "pad_token_id": 0, "type_vocab_size": 2, "vocab_size": len(VOCABULARY),
    "tie_word_embeddings": True, "torch_dtype": "float32",
}
DISTILBERT = {
    "architectures": ["DistilBertForSequenceClassification"],
    "model_type": "distilbert", "activation": "gelu", "dim": HIDDEN,
    "hidden_dim": INNER, "max_position_embeddings": POSITIONS,
    "n_heads": HEADS, "n_layers": LAYERS, "pad_token_id": 0,
    "sinusoidal_pos_embds": False, "vocab_size": len(VOCABULARY),
    "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
    "label2id": {"NEGATIVE": 0, "POSITIVE": 1},
    "tie_word_embeddings": True, "torch_dtype": "float32",
}
CARD = """---
license: mit
pipeline_tag: %s
---
# %s

A tiny model with random weights, for the demonstration of OmniHub FS.
"""


def write_text(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
        out.write(text)


def write_model(top, name, task, config, write_weights):
    folder = os.path.join(top, "demo", name)
    os.makedirs(folder, exist_ok=True)
    write_text(folder, "config.json", json.dumps(config, indent=2) + "\n")
    write_text(folder, "vocab.txt", "\n".join(VOCABULARY) + "\n")
    write_text(folder, "tokenizer_config.json", json.dumps(
        {"do_lower_case": True, "model_max_length": POSITIONS}, indent=2) + "\n")
    write_text(folder, "README.md", CARD % (task, name))
    write_weights(folder)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make_demo.py DIR")
    top = sys.argv[1]
    write_model(top, "tiny-bert", "fill-mask", BERT,
                lambda folder: write_safetensors(
                    os.path.join(folder, "model.safetensors"), bert_shapes()))
    write_model(top, "tiny-distilbert", "text-classification", DISTILBERT,
                lambda folder: write_torch(
                    os.path.join(folder, "pytorch_model.bin"),
                    distilbert_shapes()))


if __name__ == "__main__":
    main()
