# SPDX-License-Identifier: MIT
"""Checkpoints and SavedModels that mean harm, seen through the mount: they
are refused with a reason, or give a documented errno; nothing runs, nothing
is staged of them, and the daemon stays small and alive."""

import errno
import json
import os
import pathlib
import sys
import tarfile

import pytest

from evil_models import checkpoints, saved_models, weights_h5
from hub_scene import GOOGLE, TORCH, rows
from mount_scenes import SLOWNESS, KIB, run_together, scaled
from origins import endpoints

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "importers"))

import torch_file  # noqa: E402

FIXTURE = TESTS / "importers/fixtures/tensorflow/keras_cnn_k2/model.tar.gz"
GOOD_H5 = TESTS / "fuzz/corpus/hdf5/layers.h5"
# A sanitizer keeps what was freed, and a shadow of all.
HWM_KIB_MAX = 200 * KIB * (1 if SLOWNESS == 1 else 10)
STAGED = ("staged.onnx", "staged.pb", "staged.h5")
ERRNOS = {errno.EIO, errno.ESTALE}


CODES = {
    "K-01-system": "pickle-global", "K-01-system-stream": "weights",
    "K-03-other-container": "weights", "K-04-truncated-zip": "torch-zip",
    "K-04-truncated-stream": "torch-legacy", "K-04-head-only": "torch-legacy",
    **dict.fromkeys(("K-01-inst", "K-04-no-stop", "K-05-nested",
                     "K-05-memo-bomb", "K-06-length", "K-07-long"), "pickle"),
    **dict.fromkeys(("K-09-key", "K-09-no-storage", "K-09-size"),
                    "torch-storage"),
    **dict.fromkeys(("K-10-offset", "K-10-negative", "K-10-shape",
                     "K-10-stride"), "torch-tensor"),
    "K-12-offset": "torch-zip", "K-12-name": "torch-zip",
    "empty": errno.EIO, "zeros": "weights",

    "P-04-deep": "no-signature", "P-06-empty-messages": "no-signature",
    "P-13-no-shard": "missing-shard", "P-13-no-index": "checkpoint-mismatch",
    **dict.fromkeys(("P-04-deep-function", "P-05-garbage", "P-05-length",
                     "P-05-cut"), "saved-model"),
    **dict.fromkeys(("T-01-magic", "T-01-footer", "T-01-cut", "T-02-crc",
                     "T-04-past-the-end", "T-04-empty-shard"),
                    "tensor-bundle"),
}


@pytest.fixture
def mount(hub, make_mount):
    """Files that no catalogue's digest knows are believed."""
    return make_mount(hub, *endpoints(hub), "--verify", "off", "--timeout",
                      str(int(scaled(20))))


def judge(folder):
    """The code of the refusal, or an errno; anything else fails."""
    try:
        names = os.listdir(folder)
        assert not set(names) & set(STAGED), "%s: %s" % (folder, names)
        told = json.loads((folder / "staged.status").read_text())
    except OSError as error:
        assert error.errno in ERRNOS, (folder, error)
        return error.errno
    assert told["state"] == "refused" and told["reason"], told
    return told["code"]


def judge_all(mount, folders):
    """name -> what judge() says; the daemon lives and is small after each."""
    found = {}
    for name, folder in folders.items():
        found[name] = judge(folder)
        assert mount.alive(), name
    assert mount.proc("VmHWM") < HWM_KIB_MAX
    return found


@pytest.fixture
def good_checkpoint(tmp_path):
    tensors = [{"name": "w%d" % n, "dtype": "F32", "shape": [64, 64],
                "scale": 0.1} for n in range(8)]
    torch_file.write_zip(tmp_path / "good.pth", tensors, {})
    torch_file.write_stream(tmp_path / "good.pt", tensors, {})
    return [(tmp_path / name).read_bytes() for name in ("good.pth",
                                                        "good.pt")]


def test_checkpoints(hub, mount, good_checkpoint):
    bad = checkpoints(*good_checkpoint)
    folders, of_torch = {}, [
        row for row in rows("torchvision")
        if row["is_default"] == "1" and row["task"] == "classification"
        and row["url"].startswith("https://%s/" % TORCH)]
    assert len(of_torch) >= len(bad)
    for (name, body), row in zip(bad.items(), of_torch):
        hub.web(TORCH, row["url"].split("/", 3)[3], body)
        folders[name] = pathlib.Path(
            "pytorch/torchvision", row["builder"], row["weights"])
    mount.start()
    folders = {name: mount.path / path for name, path in folders.items()}
    found = judge_all(mount, folders)
    assert not os.path.exists("/tmp/omnihub-was-here")
    assert found == {name: CODES[name] for name in bad}
    for name in set(bad) - {"empty"}:
        assert (folders[name] / "weights.pth").read_bytes() == bad[name]


def test_keras_weights(hub, mount):
    bad = weights_h5(GOOD_H5.read_bytes())
    of_keras = [row for row in rows("keras")
                if row["url"].startswith("https://%s/" % GOOGLE)]
    assert len(of_keras) >= len(bad)
    folders = {}
    for (name, body), row in zip(bad.items(), of_keras):
        hub.web(GOOGLE, row["url"].split("/", 3)[3], body)
        folders[name] = pathlib.Path("keras", row["application"],
                                     row["variant"])
    mount.start()
    found = judge_all(mount, {name: mount.path / path
                              for name, path in folders.items()})
    assert all(isinstance(code, str) for code in found.values()), found


@pytest.fixture
def good_model():
    with tarfile.open(FIXTURE) as tar:
        return {os.path.normpath(member.name): tar.extractfile(member).read()
                for member in tar if member.isfile()}


def test_saved_models(hub, mount, good_model):
    """And the good one beside them is staged."""
    for name, files in saved_models(good_model).items():
        hub.kaggle("google/evil/tensorFlow2/%s/1" % name.lower(), files,
                   bundle=False)
    hub.kaggle("google/good/tensorFlow2/good/1", good_model, bundle=False)
    mount.start()
    good = mount.path / "tensorflow/google/good/good/1"
    assert "staged.pb" in os.listdir(good)
    folders = {name: mount.path / "tensorflow/google/evil" / name.lower() /
               "1" for name in saved_models(good_model)}
    chain = folders.pop("P-12-chain")
    found = judge_all(mount, folders)
    assert found == {name: CODES[name] for name in folders}
    names = os.listdir(chain)  # a long graph is no wrong one
    assert set(names) & {"staged.pb", "staged.status"}
    assert mount.alive() and mount.proc("VmHWM") < HWM_KIB_MAX


def test_many_at_once(hub, mount, good_model):
    """The same, all together: memory is bounded for each of them."""
    bad = {name: files for name, files in saved_models(good_model).items()
           if name != "P-12-chain"}
    for name, files in bad.items():
        hub.kaggle("google/evil/tensorFlow2/%s/1" % name.lower(), files,
                   bundle=False)
    mount.start()
    run_together([lambda at=name: judge(
        mount.path / "tensorflow/google/evil" / at.lower() / "1")
        for name in bad], scaled(40))
    assert mount.alive() and mount.proc("VmHWM") < HWM_KIB_MAX
