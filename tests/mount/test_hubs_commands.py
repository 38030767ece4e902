# SPDX-License-Identifier: MIT
"""What a user learns of a model of the other hubs, and makes of one:
attributes, omnihub info, omnihub stage, skeletons of one's own."""

import errno
import gzip
import json
import os
import pathlib
import sys
import tarfile

import onnx
import pytest
from onnx import TensorProto, helper

from hub_scene import MODELS, SHARE, Scene, file_of, sha256_of
from mount_scenes import errno_of, scaled
from mounted import wait_until

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "importers"))

import torch_file  # noqa: E402

FIXTURE = TESTS / ("importers/fixtures/tensorflow/tf2_two_signatures_215/"
                   "model.tar.gz")
BUILT_IN = "squeezenet1_1"  # the smallest of torchvision's
PAGES = {"onnx": "https://github.com/onnx/models/tree/main/",
         "torchvision": "https://docs.pytorch.org/vision/",
         "timm": "/timm/", "torchserve": "https://github.com/pytorch/serve/",
         "torchhub": "https://github.com/huawei-noah/ghostnet/tree/",
         "keras": "https://keras.io/api/applications/",
         "tensorflow": "https://www.kaggle.com/models/google/yamnet/"}


def skeleton(name=BUILT_IN):
    """The bytes of a skeleton of torchvision."""
    path = SHARE / "skeletons/torchvision" / (name + ".onnx.gz")
    return gzip.decompress(path.read_bytes())


def checkpoint(path, name=BUILT_IN):
    """A .pth with every tensor that the skeleton asks for."""
    tensors = []
    for hole in onnx.load_from_string(skeleton(name)).graph.initializer:
        where = [entry.value for entry in hole.external_data
                 if entry.key == "location"]
        if where:
            assert hole.data_type == TensorProto.FLOAT
            tensors.append({"name": where[0], "dtype": "F32",
                            "shape": list(hole.dims), "scale": 0.1})
    torch_file.write_zip(path, tensors, {})
    return path


def small_onnx():
    shape = ["n", 3]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)])
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)]
    ).SerializeToString()


@pytest.fixture(scope="module")
def saved_model():
    """path -> bytes of a SavedModel with two signatures."""
    with tarfile.open(FIXTURE) as tar:
        return {os.path.normpath(member.name): tar.extractfile(member).read()
                for member in tar if member.isfile()}


# ---- attributes ----

def attributes(path):
    return {name.removeprefix("user.omnihub."):
            os.getxattr(path, name).decode() for name in os.listxattr(path)}


@pytest.fixture
def scene(hub, tmp_path):
    return Scene(hub, tmp_path).fill()


@pytest.mark.parametrize("name", MODELS)
def test_attributes(scene, make_mount, name):
    """A page for people, a revision that pins, and what is here of it."""
    mount = scene.mount(make_mount).start()
    os.listdir(mount.path / MODELS[name][0])
    file = file_of(mount, name)
    told = attributes(file)
    assert PAGES[name] in told["url"]
    assert told["revision"]
    file.read_bytes()
    size = len(scene.bodies[name])
    assert int(attributes(file)["cached"]) == size
    assert wait_until(lambda: attributes(file)["state"] in (
        "verified", "complete"), scaled(10))
    proven = name in ("onnx", "torchvision", "timm", "keras")
    assert wait_until(lambda: (attributes(file)["state"] == "verified") ==
                      proven or not proven, scaled(10))
    if name in ("onnx", "timm"):
        assert told["sha256"] == sha256_of(scene.bodies[name])
    revision = told["revision"]
    mount.remount()
    assert attributes(file)["revision"] == revision
    assert int(attributes(file)["cached"]) == size


def test_attributes_of_hubs_and_their_folders(scene, make_mount):
    mount = scene.mount(make_mount).start()
    for path in ("keras", "onnx", "pytorch", "pytorch/timm", "tensorflow",
                 "pytorch/hub", "tensorflow/google"):
        assert not os.listxattr(mount.path / path), path
        assert errno_of(os.setxattr, mount.path / path, "user.omnihub.pin",
                        b"1") == errno.EOPNOTSUPP, path


def test_pin_and_refresh(scene, make_mount):
    mount = scene.mount(make_mount).start()
    for name in MODELS:
        file = file_of(mount, name)
        assert file.read_bytes() == scene.bodies[name]
        os.setxattr(file, "user.omnihub.pin", b"1")
        os.setxattr(file, "user.omnihub.pin", b"0")
        os.setxattr(mount.path / MODELS[name][0], "user.omnihub.refresh",
                    b"1")
        assert file.read_bytes() == scene.bodies[name], name


# ---- omnihub info ----

@pytest.fixture
def models(hub, tmp_path, make_mount, saved_model):
    """A mount with a model of each kind that is staged."""
    scene = Scene(hub, tmp_path)
    scene.bodies["onnx"] = small_onnx()
    scene.fill()
    hub.web("download.pytorch.org", "models/squeezenet1_1-b8a52dc0.pth",
            checkpoint(tmp_path / "weights.pth"))
    hub.kaggle("google/two/tensorFlow2/two/1", saved_model)
    return scene.mount(make_mount, "--verify", "off").start()


INFO = {
    "pytorch/torchvision/squeezenet1_1/DEFAULT": [
        "torchvision/squeezenet1_1/IMAGENET1K_V1",
        "input        pixel_values: float32 [batch, 3, height, width]",
        "output       logits: float32 [batch, 1000]",
        "resize: shortest_edge 256", "crop: height 224, width 224",
        "mean: 0.485, 0.456, 0.406", "antialias: true", "staged_by    skeleton"],
    "onnx/MNIST/8": [
        "input        Input3: tensor(float) [1x1x28x28]",
        "output       Plus214_Output_0: tensor(float) [1x10]"],
    "tensorflow/google/two/two/1": [
        "staged_by    freeze of signature serving_default",
        "input        x: float32 [?, 8]", "output       y: float32 [?, 4]"],
}


@pytest.mark.parametrize("path", INFO)
def test_info(models, path):
    done = models.run("info", models.path / path)
    assert done.returncode == 0, done.stderr
    for line in INFO[path]:
        assert line in done.stdout, done.stdout
    told = json.loads(models.run("info", "--json", models.path / path).stdout)
    for port in told["inputs"] + told["outputs"]:
        assert port["name"]


@pytest.mark.parametrize("path, word", [
    ("pytorch/timm/resnet18.a1_in1k", "refused"),
    ("pytorch/torchserve/alexnet", "refused"), ("keras/ResNet50", "refused")])
def test_info_says_why_not(models, path, word):
    done = models.run("info", models.path / path)
    told = json.loads((models.path / path / "staged.status").read_text())
    assert told["state"] == word
    assert told["reason"] in done.stdout + done.stderr


def test_a_signature_of_its_own(models):
    """The other signature has a folder with its staged file."""
    folder = models.path / "tensorflow/google/two/two/1"
    assert "scaled" in os.listdir(folder)
    assert {"staged.pb", "info.json"} <= set(os.listdir(folder / "scaled"))


# ---- omnihub stage ----

def stage(mount, *arguments):
    done = mount.run("stage", *arguments)
    assert done.returncode == 0, done.stderr
    return done


def test_stage_a_saved_model(make_mount, tmp_path, saved_model, models):
    """What is written is what the mount shows."""
    from mount_scenes import write_tree
    folder = write_tree(tmp_path / "saved", saved_model)
    shown = models.path / "tensorflow/google/two/two/1"
    for task, path in ((), "staged.pb"), (("-t", "scaled"),
                                          "scaled/staged.pb"):
        out = tmp_path / "out.pb"
        stage(models, folder, *task, "-o", out, "--force")
        assert out.read_bytes() == (shown / path).read_bytes()
    plan = json.loads(stage(models, folder, "--plan").stdout)
    assert plan["size"] == (shown / "staged.pb").stat().st_size
    done = models.run("stage", folder, "-t", "nope", "-o", tmp_path / "no")
    assert done.returncode == 1 and "nope" in done.stderr
    assert not (tmp_path / "no").exists()


def test_stage_weights_with_a_skeleton(models, tmp_path):
    """By name, the file alone: the same as in the mount, and it runs."""
    out = tmp_path / "out.onnx"
    stage(models, tmp_path / "weights.pth", "--skeleton",
          "torchvision/" + BUILT_IN, "-o", out)
    shown = models.path / "pytorch/torchvision/squeezenet1_1/DEFAULT"
    assert out.read_bytes() == (shown / "staged.onnx").read_bytes()
    onnx.checker.check_model(onnx.load(out))
    dl4j = tmp_path / "dl4j.onnx"
    stage(models, tmp_path / "weights.pth", "--skeleton",
          "torchvision/" + BUILT_IN, "--form", "dl4j", "-o", dl4j)
    assert dl4j.read_bytes() == (shown / "dl4j/staged.onnx").read_bytes()


@pytest.mark.parametrize("arguments, word", [
    (("--skeleton", "torchvision/nope"), "nope"),
    (("--skeleton", "torchvision/resnet18"), "refused"),
    (("--application", "ResNet50/top"), ""),
    ((), "no model")])
def test_stage_says_why_not(models, tmp_path, arguments, word):
    out = tmp_path / "no.onnx"
    done = models.run("stage", tmp_path / "weights.pth", *arguments, "-o",
                      out)
    assert done.returncode == 1 and word in done.stderr, done.stderr
    assert done.stderr.startswith("omnihub: ") and not out.exists()


def test_stage_keras_weights_of_something_else(models, tmp_path):
    source = TESTS / "fuzz/corpus/hdf5/layers.h5"
    done = models.run("stage", source, "--application", "ResNet50/top", "-o",
                      tmp_path / "no.h5")
    assert done.returncode == 1 and "refused" in done.stderr
    assert not (tmp_path / "no.h5").exists()


# ---- skeletons of one's own ----

@pytest.fixture
def own(tmp_path):
    """A folder with a built-in skeleton under another name."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "my_net.onnx").write_bytes(skeleton())
    return folder


def test_stage_with_a_skeleton_of_ones_own(make_mount, tmp_path, own):
    mount = make_mount()
    checkpoint(tmp_path / "weights.pth")
    mine, theirs = tmp_path / "mine.onnx", tmp_path / "theirs.onnx"
    stage(mount, tmp_path / "weights.pth", "--skeletons", own, "--skeleton",
          "my_net", "-o", mine)
    stage(mount, tmp_path / "weights.pth", "--skeleton",
          "torchvision/" + BUILT_IN, "-o", theirs)
    assert mine.read_bytes() == theirs.read_bytes()


def test_a_skeleton_that_nobody_has(make_mount, tmp_path, own):
    """A name without a set is one's own and no other."""
    checkpoint(tmp_path / "weights.pth")
    for name in ("nope", BUILT_IN):
        done = make_mount().run("stage", tmp_path / "weights.pth",
                                "--skeletons", own, "--skeleton", name, "-o",
                                tmp_path / "no.onnx")
        assert done.returncode == 1 and "not known" in done.stderr


def test_a_damaged_skeleton_is_refused(make_mount, tmp_path, own):
    (own / "my_net.onnx").write_bytes(skeleton()[:1000])
    checkpoint(tmp_path / "weights.pth")
    done = make_mount().run("stage", tmp_path / "weights.pth", "--skeletons",
                            own, "--skeleton", "my_net", "-o",
                            tmp_path / "no.onnx")
    assert done.returncode == 1 and "refused" in done.stderr


def test_a_mount_prefers_ones_own(hub, make_mount, tmp_path):
    """DIR/<architecture>.onnx comes before the program's."""
    own = tmp_path / "own"
    own.mkdir()
    model = onnx.load_from_string(skeleton())
    for thing in [*model.graph.output, *model.graph.node]:
        if hasattr(thing, "output"):
            for at, name in enumerate(thing.output):
                if name == "logits":
                    thing.output[at] = "mine"
        elif thing.name == "logits":
            thing.name = "mine"
    (own / (BUILT_IN + ".onnx")).write_bytes(model.SerializeToString())
    scene = Scene(hub, tmp_path).fill()
    hub.web("download.pytorch.org", "models/squeezenet1_1-b8a52dc0.pth",
            checkpoint(tmp_path / "weights.pth"))
    path = "pytorch/torchvision/squeezenet1_1/DEFAULT/staged.onnx"
    with_own = scene.mount(make_mount, "--verify", "off", "--skeletons",
                           str(own), name="own_mount").start()
    without = scene.mount(make_mount, "--verify", "off").start()
    names = [onnx.load(mount.path / path).graph.output[0].name
             for mount in (with_own, without)]
    assert names == ["mine", "logits"]
