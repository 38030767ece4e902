# SPDX-License-Identifier: MIT
"""Above 2 GiB the weights are in staged.onnx.data, as ONNX demands.

The checkpoint is a sparse file: a table of words of which five rows are not
zero.  A small model with only those rows says what the outputs must be.
"""

import json
import os
import shutil

import numpy as np
import onnx
import pytest

import judge
import synth_rule
from served import SPECS

pytestmark = pytest.mark.slow

REPO_ID = "fixtures/large-bert"
NAME = "bert-base"
TABLE = "embeddings.word_embeddings.weight"
WIDTH = 48
ROW_BYTES = 4 * WIDTH
ROWS = (1 << 31) // ROW_BYTES + 10_000
WORDS = [0, 1, 5_592_405, ROWS // 2, ROWS - 1]
PAGE = 4096
SENT_MAX = 64 << 20  # of 2 GiB: it is mapped, and little of it looked at
HEAD_BYTES = 1 << 14


def table_of(spec):
    return next(t for t in spec["tensors"] if t["name"] == TABLE)


def small_spec():
    """As many words as are used."""
    spec = dict(SPECS[NAME], config={"vocab_size": len(WORDS)})
    spec["tensors"] = [dict(t, shape=[len(WORDS), WIDTH])
                       if t["name"] == TABLE else t for t in spec["tensors"]]
    return spec


def head_of(spec):
    """The header of the large file, and each tensor's place in it."""
    head, places, at = {}, {}, 0
    for tensor in spec["tensors"]:
        shape = [ROWS, WIDTH] if tensor["name"] == TABLE else tensor["shape"]
        end = at + synth_rule.size(dict(tensor, shape=shape))
        head[tensor["name"]] = {"dtype": tensor["dtype"], "shape": shape,
                                "data_offsets": [at, end]}
        places[tensor["name"]] = 8 + HEAD_BYTES + at
        at = end
    text = json.dumps(head).encode().ljust(HEAD_BYTES)
    assert len(text) == HEAD_BYTES
    return HEAD_BYTES.to_bytes(8, "little") + text, places, at


def write_large(folder, spec):
    head, places, length = head_of(spec)
    with open(folder / "model.safetensors", "wb") as f:
        f.write(head)
        f.truncate(len(head) + length)
        for tensor in spec["tensors"]:
            f.seek(places[tensor["name"]])
            raw = synth_rule.raw_bytes(tensor)
            if tensor["name"] != TABLE:
                f.write(raw)
                continue
            for row, word in enumerate(WORDS):
                f.seek(places[TABLE] + word * ROW_BYTES)
                f.write(raw[row * ROW_BYTES:(row + 1) * ROW_BYTES])


@pytest.fixture(scope="module")
def large(served, tmp_path_factory):
    """The folder in the mount; the small model's is beside it."""
    files = tmp_path_factory.mktemp("large")
    spec = small_spec()
    served.model(NAME, "-few-words", lambda _: spec)
    source = served.folder / "fixtures" / (NAME + "-few-words")
    shutil.copy(source / "config.json", files)
    config = json.loads((files / "config.json").read_text())
    config["vocab_size"] = ROWS
    (files / "config.json").write_text(json.dumps(config))
    write_large(files, spec)
    served.hub.add(REPO_ID, files)
    yield served.mount.model(REPO_ID) / "pytorch"
    shutil.rmtree(files)


def external(graph):
    """name -> what external_data says, of the weights that have it."""
    return {each.name: {entry.key: entry.value for entry in each.external_data}
            for each in graph.initializer if each.external_data}


def test_data_lie_beside_the_graph(large):
    assert {"staged.onnx", "staged.onnx.data"} <= set(os.listdir(large))
    onnx.checker.check_model(str(large / "staged.onnx"))
    graph = onnx.load(large / "staged.onnx", load_external_data=False).graph
    weights, end = external(graph), 0
    assert sorted(weights) == sorted(t["name"] for t in SPECS[NAME]["tensors"])
    for said in sorted(weights.values(), key=lambda said: int(said["offset"])):
        assert set(said) == {"location", "offset", "length"}
        assert said["location"] == "staged.onnx.data"
        assert int(said["offset"]) % PAGE == 0
        assert int(said["offset"]) >= end
        end = int(said["offset"]) + int(said["length"])
    assert end == (large / "staged.onnx.data").stat().st_size > 1 << 31
    assert (large / "staged.onnx").stat().st_size < 1 << 20


def test_data_are_the_weights(large):
    graph = onnx.load(large / "staged.onnx", load_external_data=False).graph
    weights, spec = external(graph), small_spec()
    with open(large / "staged.onnx.data", "rb") as data:
        for tensor in spec["tensors"]:
            said, raw = weights[tensor["name"]], synth_rule.raw_bytes(tensor)
            begin = int(said["offset"])
            if tensor["name"] != TABLE:
                data.seek(begin)
                assert data.read(int(said["length"])) == raw, tensor["name"]
                continue
            for row, word in enumerate(WORDS):
                data.seek(begin + word * ROW_BYTES)
                want = raw[row * ROW_BYTES:(row + 1) * ROW_BYTES]
                assert data.read(ROW_BYTES) == want, word


def test_info_tells_both_files(large):
    info = json.loads((large / "info.json").read_text())
    for key, name in (("plan", "staged.onnx"), ("data_plan",
                                                "staged.onnx.data")):
        assert info[key]["size"] == (large / name).stat().st_size


def test_outputs_are_those_of_the_small_model(large, served):
    rows = np.array([[0, 1, 2, 3, 4, 4, 1], [3, 2, 0, 4, 1, 0, 0]])
    inputs = {"input_ids": rows, "attention_mask": np.ones_like(rows),
              "token_type_ids": np.zeros_like(rows)}
    small = served.staged(NAME, "-few-words")
    want = judge.run_whole(judge.open_session(small), inputs)
    inputs["input_ids"] = np.array(WORDS)[rows]
    served.hub.forget()
    session = judge.open_session(large / "staged.onnx")
    got = judge.run_whole(session, inputs)
    assert sorted(got) == sorted(want)
    for name, value in got.items():
        np.testing.assert_allclose(value, want[name], atol=1e-6)
    assert served.hub.bytes_sent(REPO_ID) < SENT_MAX


def test_dl4j_form_is_refused(large):
    """It is one file, and protobuf's messages end at 2 GiB."""
    assert not (large / "dl4j/staged.onnx").exists()
    status = json.loads((large / "dl4j/staged.status").read_text())
    assert status["code"] == "too-large"
