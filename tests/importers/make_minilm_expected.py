#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes fixtures/minilm_expected.npz: what the library gives for MiniLM.

    make_minilm_expected.py MODEL-FOLDER

Needs torch and transformers, which the tests do not.  The model's folder is
the one of the package in tests/requirements-nodeps.txt.
"""

import pathlib
import sys

import numpy as np

OUT = pathlib.Path(__file__).resolve().parent / "fixtures/minilm_expected.npz"
SEED = 20

# Batch, length, how the mask is made, and every how many tokens are kept.
CASES = [(1, 1, "all", 1), (1, 2, "all", 1), (2, 7, "right", 1),
         (3, 16, "left", 1), (2, 11, "holes", 1), (5, 33, "right", 4),
         (2, 128, "right", 23), (1, 512, "all", 73)]
SENTENCES = [
    "A cat sleeps on the sofa.",
    "A kitten is asleep on the couch.",
    "The central bank raised interest rates.",
    "Monetary policy was tightened again.",
]


def mask_of(rng, kind, batch, length):
    mask = np.ones((batch, length), np.int64)
    for row in mask[1:]:
        hidden = rng.integers(1, length)
        if kind == "right":
            row[length - hidden:] = 0
        elif kind == "left":
            row[:hidden] = 0
        elif kind == "holes":
            row[1:] = rng.integers(0, 2, length - 1)
    return mask


def inputs_of(rng, batch, length, kind):
    return {
        "input_ids": rng.integers(0, 30522, (batch, length)),
        "attention_mask": mask_of(rng, kind, batch, length),
        "token_type_ids": rng.integers(0, 2, (batch, length)),
    }


def run(model, inputs):
    import torch

    with torch.no_grad():
        tensors = {name: torch.tensor(value) for name, value in inputs.items()}
        got = model(**tensors)
    return {"last_hidden_state": got.last_hidden_state.numpy(),
            "pooler_output": got.pooler_output.numpy()}


def main(folder):
    import transformers

    model = transformers.AutoModel.from_pretrained(
        folder, attn_implementation="eager", dtype="float32").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    rng = np.random.default_rng(SEED)
    kept = {}
    for number, (batch, length, kind, step) in enumerate(CASES):
        inputs = inputs_of(rng, batch, length, kind)
        outputs = run(model, inputs)
        outputs["last_hidden_state"] = outputs["last_hidden_state"][:, ::step]
        kept["%d/step" % number] = np.array(step)
        for name, value in (inputs | outputs).items():
            kept["%d/%s" % (number, name)] = value
    sentences = tokenizer(SENTENCES, padding=True, return_tensors="np")
    for name, value in sentences.items():
        kept["sentences/" + name] = value.astype(np.int64)
    np.savez_compressed(OUT, **kept)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
