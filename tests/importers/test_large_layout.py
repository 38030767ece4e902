# SPDX-License-Identifier: MIT
"""Seven billion parameters: the layout of Llama-2-7b, in sparse files.

What a file is, is known from headers alone; no weight is read for it.  A
model of the same layout with fewer layers, above 3 GiB, is run.
"""

import hashlib
import os
import shutil
import time

import numpy as np
import onnx
import onnxruntime
import pytest

import llama_layout
from hub_process import Hub
from mounted import Mount

pytestmark = pytest.mark.slow

SLOWNESS = float(os.environ.get("OMNIHUB_TEST_SLOWNESS", "1"))
MIB = 1 << 20
STAT_S_MAX = 1.0 * SLOWNESS  # tests/bench/bench_llama.py has the figure
SENT_MAX = 200 * 1000  # before sizes are known: headers and an index
HWM_KIB_MAX = 64 * 1024 * (1 if SLOWNESS == 1 else 10)
PAGE = 4096
REPO_ID = "meta-llama/Llama-2-7b-hf"
TASKS = ("text-generation", "text-generation-with-past")


def publish(hub, folder, names, digests=None):
    hub.add(REPO_ID, folder, sha256=digests or {
        name: hashlib.sha256(name.encode()).hexdigest() for name in names})


@pytest.fixture(scope="module", params=llama_layout.DTYPES)
def seven(request, tmp_path_factory):
    """(hub, mount, weight files) of all layers."""
    work = tmp_path_factory.mktemp("seven")
    names = llama_layout.write(work / "repo", dtype=request.param)
    with Hub(work / "hub") as hub:
        publish(hub, work / "repo", names)
        with Mount(work / "m", hub) as mount:
            yield hub, mount, [work / "repo" / name for name in names]
    shutil.rmtree(work)


def view(mount, task="text-generation"):
    return mount.model(REPO_ID) / "pytorch" / task


def data_bytes(layers, each):
    """Of staged.onnx.data: each weight begins at a page."""
    end = 0
    for name, shape in llama_layout.tensors(layers):
        if name.endswith("inv_freq"):
            continue
        end += -end % PAGE
        end += llama_layout.size(shape) // llama_layout.BYTES * each
    return end


def test_files_are_as_large_as_the_real_ones(seven):
    sizes = [path.stat().st_size for path in seven[2]]
    assert sum(sizes) > 13 * 10**9
    real = [9_976_576_152, 3_500_296_424]
    assert all(abs(ours - theirs) < 10_000 for ours, theirs
               in zip(sizes, real, strict=True))
    assert sum(path.stat().st_blocks * 512 for path in seven[2]) < MIB


def test_sizes_cost_headers_alone(seven):
    hub, mount, _ = seven
    hub.forget()
    folder = view(mount)
    assert (folder / "staged.onnx").stat().st_size < MIB
    assert (folder / "staged.onnx.data").stat().st_size \
        == data_bytes(32, 4) > 26 * 10**9
    assert hub.bytes_sent(REPO_ID) < SENT_MAX
    native = folder / "native/staged.onnx.data"
    assert native.stat().st_size == data_bytes(32, 2)
    assert mount.proc("VmHWM") < HWM_KIB_MAX


@pytest.mark.parametrize("task", TASKS)
def test_a_mount_that_knows_headers_tells_sizes_at_once(seven, task):
    hub, mount, _ = seven
    sizes = [path.stat().st_size for path in sorted(view(mount, task)
                                                    .glob("staged.onnx*"))]
    hub.forget()
    mount.remount()
    start = time.monotonic()
    got = [os.stat(view(mount, task) / name).st_size
           for name in ("staged.onnx", "staged.onnx.data")]
    took = time.monotonic() - start
    assert got == sizes and not hub.bytes_sent(REPO_ID)
    assert took < STAT_S_MAX
    assert mount.proc("VmHWM") < HWM_KIB_MAX


def test_graph_is_valid(seven):
    path = view(seven[1]) / "staged.onnx"
    graph = onnx.load(path, load_external_data=False).graph
    weights = [each for each in graph.initializer if each.external_data]
    # Every tensor but the frequencies, of which the graph has its own.
    assert len(weights) == 32 * 9 + 3
    assert {each.data_type for each in weights} == {onnx.TensorProto.FLOAT}
    onnx.checker.check_model(str(path))


def test_weights_are_where_the_graph_says(seven):
    """Some rows, from both files."""
    folder = view(seven[1])
    graph = onnx.load(folder / "staged.onnx", load_external_data=False).graph
    places = {each.name: {entry.key: entry.value
                          for entry in each.external_data}
              for each in graph.initializer}
    with open(folder / "staged.onnx.data", "rb") as data:
        for name in ("model.embed_tokens.weight", "lm_head.weight",
                     "model.norm.weight"):
            begin = int(places[name]["offset"])
            for row, numbers in llama_layout.rows_of(name).items():
                data.seek(begin + row * 4 * llama_layout.HIDDEN)
                got = np.frombuffer(data.read(4 * llama_layout.HIDDEN), "<f4")
                np.testing.assert_array_equal(got, numbers, name)


def test_dl4j_form_is_refused(seven):
    folder = view(seven[1]) / "dl4j"
    assert "staged.status" in os.listdir(folder)
    assert not (folder / "staged.onnx").exists()


def open_session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.disable_prepacking", "1")
    return onnxruntime.InferenceSession(str(path), options,
                                        providers=["CPUExecutionProvider"])


def test_three_gigabytes_are_run(tmp_path):
    """Three layers, whose weights are mapped."""
    names = llama_layout.write(tmp_path / "repo", layers=3, dtype="BF16")
    with Hub(tmp_path / "hub") as hub:
        publish(hub, tmp_path / "repo", names, {"": ""})
        with Mount(tmp_path / "m", hub) as mount:
            folder = view(mount)
            assert (folder / "staged.onnx.data").stat().st_size \
                == data_bytes(3, 4) > 3 << 30
            session = open_session(folder / "staged.onnx")
            ids = np.array([llama_layout.WORDS, llama_layout.WORDS[::-1]])
            logits, = session.run(["logits"], {
                "input_ids": ids, "attention_mask": np.ones_like(ids)})
            del session
            assert mount.proc("VmHWM") < HWM_KIB_MAX
    want = llama_layout.expected_logits(ids)
    assert np.isfinite(logits).all() and np.abs(want).max() > 1
    np.testing.assert_allclose(logits, want, atol=1e-4)
    shutil.rmtree(tmp_path / "m")
