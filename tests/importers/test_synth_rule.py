# SPDX-License-Identifier: MIT
"""The rule by which fixtures have weights gives the bytes it always gave."""

import numpy as np
import pytest

import synth_rule

TENSOR = {"name": "bert.pooler.dense.weight", "shape": [2, 2], "scale": 0.5,
          "offset": 0.1}
VECTORS = {
    "F32": "a65216bd5bf8fdbd4993183f740b993c",
    "F16": "b3a8f0afc538c824",
    "BF16": "16bdfebd193f993c",
}


@pytest.mark.parametrize("dtype", VECTORS)
def test_vectors(dtype):
    raw = synth_rule.raw_bytes(dict(TENSOR, dtype=dtype))
    assert raw.hex() == VECTORS[dtype]


@pytest.mark.parametrize("dtype", VECTORS)
def test_chunks_do_not_show(dtype, monkeypatch):
    tensor = dict(TENSOR, dtype=dtype, shape=[7, 13])
    whole = synth_rule.raw_bytes(tensor)
    monkeypatch.setattr(synth_rule, "CHUNK", 10)
    assert synth_rule.raw_bytes(tensor) == whole


def test_a_causal_mask(monkeypatch):
    tensor = {"name": "mask", "rule": "tril", "shape": [1, 2, 5, 5],
              "dtype": "F32"}
    monkeypatch.setattr(synth_rule, "CHUNK", 7)
    got = np.frombuffer(synth_rule.raw_bytes(tensor), "<f4").reshape(2, 5, 5)
    assert (got == np.tril(np.ones((5, 5)))).all()


def test_an_unknown_rule_is_no_zeros():
    with pytest.raises(AssertionError, match="triu"):
        synth_rule.raw_bytes({"name": "mask", "rule": "triu", "shape": [2, 2],
                              "dtype": "F32"})
