# SPDX-License-Identifier: MIT
"""The other hubs as the mount tests use them: a small model of each, and
catalogues that know its digest.

The program's own catalogues know the digests of the real files, which no
test has.  A test gets a copy of them in which the rows of its models have
the digests of what the imitation hub serves.
"""

import csv
import hashlib
import os
import pathlib

from hub_publish import tar_gz
from mount_scenes import KIB, payload
from mounted import BINARY
from origins import endpoints

SHARE = pathlib.Path(os.environ.get(
    "OMNIHUB_SHARE", pathlib.Path(BINARY).parent / "share/omnihub"))
HUBS = ("huggingface", "keras", "onnx", "pytorch", "tensorflow")

GOOGLE, TORCH = "storage.googleapis.com", "download.pytorch.org"
SERVE, KAGGLE = "torchserve.pytorch.org", "www.kaggle.com"
MEDIA, RAW = "media.githubusercontent.com", "raw.githubusercontent.com"
GITHUB, GITHUB_API = "github.com", "api.github.com"

ZOO_PATH = "validated/vision/classification/mnist/model/mnist-8.onnx"
TIMM_ID = "resnet18.a1_in1k"
KAGGLE_ID = "google/yamnet/tensorFlow2/yamnet/1"
HUB_ID = "huawei-noah/ghostnet"
KERAS_FILE = "resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5"
KERAS_NOTOP = KERAS_FILE.removesuffix(".h5") + "_notop.h5"

NOTOP = payload(20 * KIB, 99)

# Where in the mount the model of each hub is, and a file of it.
MODELS = {
    "onnx": ("onnx/MNIST/8", "repo/mnist-8.onnx"),
    "torchvision": ("pytorch/torchvision/alexnet/IMAGENET1K_V1",
                    "weights.pth"),
    "timm": ("pytorch/timm/" + TIMM_ID, "model.safetensors"),
    "torchserve": ("pytorch/torchserve/alexnet", "alexnet.mar"),
    "torchhub": ("pytorch/hub/%s/master" % HUB_ID, "repo/hubconf.py"),
    "keras": ("keras/ResNet50", "weights.h5"),
    "tensorflow": ("tensorflow/google/yamnet/yamnet/1",
                   "saved_model/saved_model.pb"),
}


def rows(catalogue):
    """The rows of a catalogue, as dicts."""
    with open(SHARE / "catalogues" / (catalogue + ".tsv"),
              encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter="\t",
                                   quoting=csv.QUOTE_NONE))


def share_with(folder, changes):
    """A share folder as the program's; its path.

    @changes: (catalogue, the first fields of a row) -> column -> value.
    """
    folder.mkdir()
    for part in SHARE.iterdir():
        if part.name != "catalogues":
            (folder / part.name).symlink_to(part)
    (folder / "catalogues").mkdir()
    for path in (SHARE / "catalogues").iterdir():
        lines = [line.split("\t") for line
                 in path.read_text().splitlines()]
        for (catalogue, key), columns in changes.items():
            if catalogue == path.stem:
                _change(lines, key, columns)
        (folder / "catalogues" / path.name).write_text(
            "".join("\t".join(fields) + "\n" for fields in lines))
    return folder


def _change(lines, key, columns):
    found = [fields for fields in lines if fields[:len(key)] == list(key)]
    assert len(found) == 1, "%d rows of %s" % (len(found), key)
    for name, value in columns.items():
        found[0][lines[0].index(name)] = str(value)


def sha256_of(body):
    return hashlib.sha256(body).hexdigest()


class Scene:
    """@hub with a model of each hub; bodies may be replaced before fill()."""

    def __init__(self, hub, folder):
        self.hub = hub
        self.folder = pathlib.Path(folder)
        self.bodies = {name: payload(300 * KIB, seed)
                       for seed, name in enumerate(MODELS)}
        self.bodies["torchhub"] = b"dependencies = []\n"
        self.archive = {"mnist/model.onnx": payload(40 * KIB, 77),
                        "mnist/test_data_set_0/input_0.pb": b"input"}
        self.share = None

    def fill(self, keras_digest=None, zoo_places=("github", "mirror")):
        """Publishes the bodies, and makes the catalogues that know them."""
        hub, bodies = self.hub, self.bodies
        hub.zoo(ZOO_PATH, bodies["onnx"], archive=self.archive,
                places=zoo_places)
        torch = hub.torchvision("alexnet-owt", bodies["torchvision"])
        hub.torchserve("alexnet.mar", bodies["torchserve"])
        hub.add("timm/" + TIMM_ID, {"model.safetensors": bodies["timm"],
                                    "config.json": b"{}"})
        hub.keras(KERAS_FILE, bodies["keras"])
        hub.keras(KERAS_NOTOP, NOTOP)
        hub.kaggle(KAGGLE_ID, {
            "saved_model.pb": bodies["tensorflow"],
            "variables/variables.index": b"index"})
        hub.github(HUB_ID, {"hubconf.py": bodies["torchhub"],
                            "sub/a.txt": b"a"}, branch="master")
        tar = tar_gz(self.archive)
        self.share = share_with(self.folder / "share", {
            ("onnx", ("MNIST", "8")): {
                "path": ZOO_PATH, "sha256": sha256_of(bodies["onnx"]),
                "bytes": len(bodies["onnx"]),
                "tar_path": ZOO_PATH.removesuffix(".onnx") + ".tar.gz",
                "tar_sha256": sha256_of(tar), "tar_bytes": len(tar)},
            ("torchvision", ("alexnet", "IMAGENET1K_V1")): {
                "url": torch, "digest": "sha256-prefix:" +
                sha256_of(bodies["torchvision"])[:8]},
            ("keras", ("ResNet50", "")): {
                "digest": keras_digest or "md5:" + hashlib.md5(
                    bodies["keras"]).hexdigest(),
                "size": len(bodies["keras"])},
            ("keras", ("ResNet50", "notop")): {
                "digest": "sha256:" + sha256_of(NOTOP),
                "size": len(NOTOP)}})
        return self

    def mount(self, make_mount, *options, env=None, **kwargs):
        """A mount of that Internet, not started."""
        other = "torchserve.s3.amazonaws.com=" + self.hub.hosts[SERVE]
        return make_mount(self.hub, *endpoints(self.hub), "--endpoint",
                          other, *options,
                          env={"OMNIHUB_SHARE": str(self.share),
                               **(env or {})}, **kwargs)


def file_of(mount, name):
    """The file of the model of @name in the mount."""
    folder, path = MODELS[name]
    return mount.path / folder / path
