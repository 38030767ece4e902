# SPDX-License-Identifier: MIT
"""One vector for a text, as the modules of sentence-transformers make it.

The tokens' vectors are the library's own (BERT's fixture); what the modules
do with them is said here in numpy, after Pooling.py, Dense.py, Normalize.py.
"""

import json

import numpy as np
import pytest

import judge
import synth
import synth_rule
from safetensors_file import write
from served import FIXTURES, SPECS

BASE = "bert-base"
WIDTH = 48
KEYS = {"cls": "pooling_mode_cls_token", "max": "pooling_mode_max_tokens",
        "mean": "pooling_mode_mean_tokens",
        "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
        "weightedmean": "pooling_mode_weightedmean_tokens",
        "lasttoken": "pooling_mode_lasttoken"}
MODES = list(KEYS)
TYPES = "sentence_transformers.models."


def pooled(mode, tokens, mask):
    seen = mask[:, :, None].astype(np.float32)
    count = seen.sum(axis=1)
    if mode == "cls":
        return tokens[:, 0]
    if mode == "max":
        return np.where(seen > 0, tokens, np.float32(-1e9)).max(axis=1)
    if mode == "mean":
        return (tokens * seen).sum(axis=1) / count
    if mode == "mean_sqrt_len_tokens":
        return (tokens * seen).sum(axis=1) / np.sqrt(count)
    if mode == "weightedmean":
        places = np.arange(1, mask.shape[1] + 1, dtype=np.float32)
        seen = seen * places[None, :, None]
        return (tokens * seen).sum(axis=1) / seen.sum(axis=1)
    last = [np.flatnonzero(row)[-1] for row in mask]
    return tokens[np.arange(len(mask)), last]


DENSE = [{"name": "linear.weight", "shape": [24, WIDTH], "dtype": "F32",
          "scale": 0.3, "offset": 0.0},
         {"name": "linear.bias", "shape": [24], "dtype": "F32", "scale": 0.1,
          "offset": 0.0}]


def values(tensor):
    raw = b"".join(synth_rule.chunks(tensor))
    return np.frombuffer(raw, "<f4").reshape(tensor["shape"])


class Texts:
    """Models with modules, published as they are asked for."""

    def __init__(self, served):
        self.served = served
        self.count = 0

    def model(self, modules, files):
        self.count += 1
        repo_id = "sentences/model-%d" % self.count
        folder = self.served.folder / repo_id
        synth.write_repository(SPECS[BASE], FIXTURES / BASE, folder)
        listed = [{"idx": i, "name": str(i), "path": path, "type": kind}
                  for i, (path, kind) in enumerate(modules)]
        (folder / "modules.json").write_text(json.dumps(listed))
        for name, content in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            if name.endswith(".safetensors"):
                write(folder / name, content, {})
            else:
                (folder / name).write_text(json.dumps(content))
        self.served.hub.add(repo_id, folder)
        return self.served.mount.model(repo_id) / "pytorch"


@pytest.fixture(scope="module")
def texts(served):
    return Texts(served)


def assert_embeds(folder, vector_of, form=""):
    """Every case of the fixture; @vector_of: from tokens and mask."""
    path = folder / "sentence-similarity" / form / "staged.onnx"
    session = judge.open_session(path)
    stored = np.load(FIXTURES / BASE / "expected.npz")
    run = judge.run_rows if form else judge.run_whole
    for case in judge.cases(SPECS[BASE]):
        inputs = {entry["name"]: synth_rule.input_array(entry)
                  for entry in case["inputs"]}
        tokens = stored[case["outputs"][0]["key"]]
        got = run(session, inputs)
        assert list(got) == ["token_embeddings", "sentence_embedding"]
        np.testing.assert_allclose(got["token_embeddings"], tokens, atol=1e-4)
        np.testing.assert_allclose(
            got["sentence_embedding"],
            vector_of(tokens, inputs["attention_mask"]), atol=1e-4)


TRANSFORMER = ("", TYPES + "Transformer")
POOLING = ("1_Pooling", TYPES + "Pooling")
NORMALIZE = ("2_Normalize", TYPES + "Normalize")


@pytest.mark.parametrize("form", ["", "dl4j"])
@pytest.mark.parametrize("mode", MODES)
def test_each_pooling(texts, mode, form):
    flags = {key: each == mode for each, key in KEYS.items()}
    folder = texts.model([TRANSFORMER, POOLING],
                         {"1_Pooling/config.json": flags})
    assert_embeds(folder, lambda tokens, mask: pooled(mode, tokens, mask),
                  form)


def test_poolings_are_joined_and_the_newer_key_is_read(texts):
    modes = ["lasttoken", "cls", "mean"]
    folder = texts.model([TRANSFORMER, POOLING, NORMALIZE],
                         {"1_Pooling/config.json": {"pooling_mode": modes}})

    def vector(tokens, mask):
        parts = [pooled(mode, tokens, mask) for mode in MODES if mode in modes]
        joined = np.concatenate(parts, axis=1)
        return joined / np.linalg.norm(joined, axis=1, keepdims=True)

    assert_embeds(folder, vector)


@pytest.mark.parametrize("form", ["", "dl4j"])
@pytest.mark.parametrize("activation, apply", [
    ("torch.nn.modules.activation.Tanh", np.tanh),
    ("torch.nn.modules.linear.Identity", lambda x: x)])
def test_a_dense_layer(texts, activation, apply, form):
    weight, bias = [values(tensor) for tensor in DENSE]
    folder = texts.model(
        [TRANSFORMER, POOLING, ("2_Dense", TYPES + "Dense"),
         ("3_Normalize", TYPES + "Normalize")],
        {"1_Pooling/config.json": {"pooling_mode_mean_tokens": True},
         "2_Dense/config.json": {"in_features": WIDTH, "out_features": 24,
                                 "bias": True,
                                 "activation_function": activation},
         "2_Dense/model.safetensors": DENSE})

    def vector(tokens, mask):
        y = apply(pooled("mean", tokens, mask)
                  @ weight.T + bias)
        return y / np.linalg.norm(y, axis=1, keepdims=True)

    assert_embeds(folder, vector, form)
    judge.assert_right(folder / "staged.onnx", FIXTURES / BASE)


REFUSED = {
    "module": [TRANSFORMER, POOLING, ("2_LSTM", TYPES + "LSTM")],
    "folder": [("0_Transformer", TYPES + "Transformer"), POOLING],
    "no-pooling": [TRANSFORMER, NORMALIZE],
    "no-config": [TRANSFORMER, ("9_Pooling", TYPES + "Pooling")],
    "no-weights": [TRANSFORMER, POOLING, ("2_Dense", TYPES + "Dense")],
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_understood_is_refused(texts, what):
    """The rest of the model is staged none the less."""
    folder = texts.model(REFUSED[what], {
        "1_Pooling/config.json": {"pooling_mode_mean_tokens": True},
        "2_Dense/config.json": {"bias": True}})
    names = {each.name for each in (folder / "sentence-similarity").iterdir()}
    assert names == {"staged.status"}
    status = json.loads(
        (folder / "sentence-similarity/staged.status").read_text())
    assert status["state"] == "refused" and status["reason"].strip()
    judge.assert_right(folder / "staged.onnx", FIXTURES / BASE)


def test_without_modules_there_is_no_such_view(served):
    folder = served.model(BASE) / "pytorch"
    assert "sentence-similarity" not in {each.name for each in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("form", ["", "dl4j"])
@pytest.mark.parametrize("name", ["full-all-MiniLM-L6-v2",
                                  "full-all-mpnet-base-v2"])
def test_of_full_size(served, name, form):
    """As the library computed it, of the real configuration."""
    path = (served.model(name) / "pytorch/sentence-similarity" / form
            / "staged.onnx")
    session = judge.open_session(path)
    expected = np.load(FIXTURES / name / "expected.npz")
    run = judge.run_rows if form else judge.run_whole
    for case in judge.cases(SPECS[name]):
        inputs = {entry["name"]: synth_rule.input_array(entry)
                  for entry in case["inputs"]}
        got = run(session, inputs)
        got["last_hidden_state"] = got["token_embeddings"]
        wrong = [judge.compare(got[output["name"]], output, expected, inputs)
                 for output in case["outputs"]]
        assert not any(why for _, why in wrong), wrong
