# SPDX-License-Identifier: MIT
"""The other hubs as directories: what the catalogues say, without a request;
names as people type them; that each name leads somewhere."""

import collections
import errno
import os
import stat
import subprocess
import time

import pytest

from hub_scene import HUB_ID, HUBS, MODELS, Scene, rows
from mount_scenes import errno_of

DEPTH = 3
LINES_MIN = 2900
UNKNOWN = "onnx/tree"  # the zoo by path: no catalogue has it


def catalogued():
    """directory -> the names that the catalogues have there."""
    names = collections.defaultdict(set)
    names[""] = {".omnihub", *HUBS}
    names["pytorch"] = {"hub", "timm", "torchserve", "torchvision"}
    names["keras"] = {"hub"}
    names["onnx"] = {"tree"}
    names["tensorflow"] = {"tfhub.dev"}
    for row in rows("keras"):
        names["keras"].add(row["application"])
        if row["variant"]:
            names["keras/" + row["application"]].add(row["variant"])
    names["keras/hub"] = {row["preset"] for row in rows("kerashub")
                          if row["hf_mirror"]}
    for row in rows("onnx"):
        names["onnx"].add(row["name"])
        names["onnx/" + row["name"]].add(row["opset"])
    for row in rows("torchvision"):
        names["pytorch/torchvision"].add(row["builder"])
        names["pytorch/torchvision/" + row["builder"]].add(row["weights"])
        if row["is_default"] == "1":
            names["pytorch/torchvision/" + row["builder"]].add("DEFAULT")
    names["pytorch/torchserve"] = {row["id"] for row in rows("torchserve")}
    names["pytorch/timm"] = {row["id"] for row in rows("timm")}
    for row in rows("torchhub"):
        owner, name = row["id"].split("/")
        names["pytorch/hub"].add(owner)
        names["pytorch/hub/" + owner].add(name)
    for row in rows("tfhub"):
        owner, model = row["kaggle_handle"].split("/")[:2]
        names["tensorflow"].add(owner)
        names["tensorflow/" + owner].add(model)
    return names


def entries(top, depth):
    """path -> its os.DirEntry, of what is at most @depth below @top."""
    found, folders = {}, [""]
    for _ in range(depth):
        inner = []
        for folder in folders:
            if folder == UNKNOWN:
                continue
            with os.scandir(os.path.join(top, folder)) as listed:
                for entry in listed:
                    path = os.path.join(folder, entry.name)
                    found[path] = entry
                    if entry.is_dir(follow_symlinks=False):
                        inner.append(path)
        folders = inner
    return found


@pytest.fixture
def offline(make_mount):
    """No endpoint, no cache, no network."""
    return make_mount(None, "--offline").start()


def test_the_catalogues_are_listed(offline):
    """All of it and nothing else, offline and with nothing in the cache.

    A file of which all is known, keras/ResNet50/weights.h5, may be there.
    """
    for folder, names in catalogued().items():
        listed = set(os.listdir(offline.path / folder))
        if folder.startswith("keras/"):
            listed.discard("weights.h5")
        assert listed == names, "%s: %s" % (folder, sorted(
            listed ^ names)[:10])
    assert offline.status()["http_requests_total"] == 0


def test_find_three_levels(offline):
    """As a user would look around; how long it takes is only told."""
    began = time.monotonic()
    done = subprocess.run(["find", str(offline.path), "-maxdepth",
                           str(DEPTH)], capture_output=True, text=True,
                          check=False)
    took_s = time.monotonic() - began
    lines = done.stdout.splitlines()
    print("bench: find -maxdepth %d: %d lines in %.2f s" % (
        DEPTH, len(lines), took_s))
    below = [name for folder, names in catalogued().items()
             if folder.count("/") < DEPTH - 1 for name in names]
    assert len(lines) >= max(LINES_MIN, len(below))
    wrong = [line for line in done.stderr.splitlines()
             if UNKNOWN not in line]
    assert not wrong, wrong[:5]


def test_readdir_and_lookup_agree(offline):
    for path, entry in entries(offline.path, DEPTH).items():
        looked_up = os.lstat(offline.path / path)
        assert entry.inode() == looked_up.st_ino, path
        assert entry.is_dir(follow_symlinks=False) == stat.S_ISDIR(
            looked_up.st_mode), path
        assert entry.is_symlink() == stat.S_ISLNK(looked_up.st_mode), path


def test_inodes_of_all_hubs_are_stable(offline):
    def inodes():
        return {path: entry.inode()
                for path, entry in entries(offline.path, DEPTH).items()
                if not path.startswith(".omnihub")}

    before = inodes()
    assert len(set(before.values())) == len(before) > LINES_MIN
    offline.remount()
    assert inodes() == before


# ---- names as they are typed ----

TYPED = {
    "onnx/mnist": "MNIST",
    "onnx/squeezenet_1.0": "SqueezeNet_1.0",
    "onnx/emotion_ferplus": "Emotion_FERPlus",
    "onnx/Emotion FERPlus": "Emotion_FERPlus",
    "keras/resnet50": "ResNet50",
    "keras/EFFICIENTNETB0": "EfficientNetB0",
    "pytorch/torchvision/ResNet50": "resnet50",
    "pytorch/torchvision/ViT_B_16": "vit_b_16",
}


@pytest.mark.parametrize("typed", TYPED)
def test_other_ways_to_write_a_name(offline, typed):
    path = offline.path / typed
    assert os.readlink(path) == TYPED[typed]
    assert path.is_dir()
    assert path.name not in os.listdir(path.parent)


def test_names_that_no_hub_has(offline):
    """Offline, what no catalogue has is not there or cannot be asked for."""
    for name in ("keras/ResNet5", "keras/hub/nope", "pytorch/nope",
                 "pytorch/torchvision/resnet5",
                 "pytorch/torchvision/resnet50/IMAGENET1K_V9",
                 "pytorch/torchserve/nope", "onnx/MNIST/99"):
        assert errno_of(os.stat, offline.path / name) == errno.ENOENT, name
    for name in ("onnx/nope", "keras/ResNet50/nope", "pytorch/timm/nope.x",
                 "pytorch/hub/owner/repo/main", "tensorflow/o/m/v/1"):
        assert errno_of(os.stat, offline.path / name) in (
            errno.ENETUNREACH, errno.ENOENT), name


def test_default_weights(offline):
    """DEFAULT is what torchvision calls so, for each builder."""
    defaults = {row["builder"]: row["weights"] for row in rows("torchvision")
                if row["is_default"] == "1"}
    assert len(defaults) > 100
    for builder, weights in defaults.items():
        link = offline.path / "pytorch/torchvision" / builder / "DEFAULT"
        assert os.readlink(link) == weights
        assert link.is_dir()


def test_bare_names_of_timm(offline):
    """"resnet50" is the tag that timm takes unasked."""
    defaults = [row["id"] for row in rows("timm") if row["is_default"] == "1"]
    assert len(defaults) > 500
    for name in defaults:
        bare, dot, _ = name.partition(".")
        path = offline.path / "pytorch/timm" / bare
        if dot:
            assert os.readlink(path) == name
        assert path.is_dir(), bare


def test_links_from_one_hub_to_another(offline):
    for row in rows("kerashub"):
        if row["hf_mirror"]:
            assert os.readlink(offline.path / "keras/hub" / row["preset"]) \
                == "../../huggingface/" + row["hf_mirror"]
    handles = {row["name"]: row["kaggle_handle"] for row in rows("tfhub")}
    for name, handle in handles.items():
        if "/" in name:
            continue
        version = handle.rpartition("/")[2]
        link = os.path.realpath(offline.path / "tensorflow/tfhub.dev" / name)
        assert os.path.relpath(link, offline.path).startswith("tensorflow/")
        assert version


# ---- nothing leads nowhere ----

@pytest.fixture
def scene(hub, tmp_path):
    return Scene(hub, tmp_path).fill()


@pytest.mark.parametrize("name", MODELS)
def test_each_name_of_a_model_leads_somewhere(scene, make_mount, name):
    """All that is listed can be looked up, opened and read to its size."""
    mount = scene.mount(make_mount).start()
    seen = 0
    for at, folders, files in os.walk(mount.path / MODELS[name][0]):
        listed = {entry.name: entry for entry in os.scandir(at)}
        for path in folders + files:
            looked_up = os.stat(os.path.join(at, path))
            assert listed[path].inode() == looked_up.st_ino, path
        for path in files:
            with open(os.path.join(at, path), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                assert len(file.read()) == size, path
            seen += 1
    assert seen
    assert mount.alive()


def test_a_preset_leads_to_its_mirror(scene, make_mount):
    row = next(row for row in rows("kerashub") if row["hf_mirror"])
    scene.hub.add(row["hf_mirror"], {"config.json": b"{}"})
    mount = scene.mount(make_mount).start()
    path = mount.path / "keras/hub" / row["preset"] / "repo/config.json"
    assert path.read_bytes() == b"{}"


def test_revisions_of_torch_hub(scene, make_mount):
    """A branch, a commit, and torchvision's models under its repository."""
    mount = scene.mount(make_mount).start()
    folder = mount.path / "pytorch/hub" / HUB_ID
    commit = os.getxattr(folder / "master/repo",
                         "user.omnihub.revision").decode()
    assert len(commit) == 40
    pinned = folder / commit / "repo/hubconf.py"
    assert pinned.read_bytes() == scene.bodies["torchhub"]
    assert errno_of(os.stat, folder / "no-such-branch/repo") == errno.ENOENT
