# SPDX-License-Identifier: MIT
"""Fixtures of the other hubs, published where these have their files, and
seen through a mount.

The bytes follow a formula, so their digests are not those that the hubs
tell: the mount is to be told `--verify off`.
"""

import csv
import json
import pathlib
import shutil
import time
import typing
import urllib.parse

import fixture_runs
import synth
import synth_keras
import synth_tensorflow
from mounted import wait_until
from raw_http import ask

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE / "fixtures"
CATALOGUES = HERE.parents[1] / "providers/catalogues"
OPTIONS = ("--verify", "off", "--cache-size", "1G")
TORCH_HOST = "download.pytorch.org"
KAGGLE_MODEL = "fixtures/%s/tensorFlow2/saved/%d"
ZOO_FOLDER = "validated/fixtures/"
ZOO_MIRROR = "onnxmodelzoo"
SIZE_KNOWN_BYTES = 200_000  # the design's bound, for the weights' headers


def names(ecosystem):
    return sorted(path.parent.name
                  for path in (FIXTURES / ecosystem).glob("*/spec.json"))


def catalogue(name):
    with open(CATALOGUES / (name + ".tsv"), encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def weights_name(builder, url):
    """What torchvision calls the weights that are at @url."""
    return next(row["weights"] for row in catalogue("torchvision")
                if (row["builder"], row["url"]) == (builder, url))


def status_of(folder):
    return json.loads((folder / "staged.status").read_text())


def _zoo_file(name):
    """What is published of a fixture: the archive, or the model alone."""
    spec = fixture_runs.load_spec(FIXTURES / "onnx" / name)
    return FIXTURES / "onnx" / name / (spec.get("archive") or spec["file"])


class Cost(typing.NamedTuple):
    """What it takes until a file's size is known."""

    size: int
    seconds: float
    requests: int
    bytes: int


def cost_of(hub, path):
    """Of the first stat() of @path, which nobody has looked at before."""
    hub.forget()
    start = time.monotonic()
    size = path.stat().st_size
    seconds = time.monotonic() - start
    assert wait_until(lambda: all(each["ended"] for each in hub.requests()))
    asked = hub.requests()
    return Cost(size, seconds, len(asked), sum(each["bytes"] or 0
                                               for each in asked))


class Elsewhere:
    """@hub gets a fixture when it is first asked for; @mount shows it.

    What a method gives is the model's folder in the mount.
    """

    def __init__(self, hub, mount, folder):
        self.hub = hub
        self.mount = mount
        self.folder = folder
        self.folder.mkdir()
        self.known = set()

    def _is_new(self, *what):
        new = what not in self.known
        self.known.add(what)
        return new

    def _web(self, host, path, local):
        """A real host knows a file's digest before anyone asks."""
        self.hub.web(host, path, local)
        reply = ask("%s/%s" % (self.hub.hosts[host], path), "HEAD",
                    {"User-Agent": "omnihub-test"})
        assert reply.status == 200

    def torchvision(self, name):
        spec = synth.load_spec(FIXTURES / "torchvision" / name)
        if self._is_new("torchvision", name):
            folder = self.folder / "torchvision" / name
            folder.mkdir(parents=True)
            synth.write_weights(spec, folder)
            path = urllib.parse.urlsplit(spec["url"]).path[1:]
            self._web(TORCH_HOST, path, folder / spec["files"][0]["file"])
        return (self.mount.path / "pytorch/torchvision" / name
                / weights_name(name, spec["url"]))

    def timm(self, name):
        """As a model of pytorch/timm; timm_hub() is the same elsewhere."""
        spec = synth.load_spec(FIXTURES / "timm" / name)
        if self._is_new("timm", name):
            folder = self.folder / "timm" / name
            synth.write_repository(spec, FIXTURES / "timm" / name, folder)
            self.hub.add(spec["repo_id"], folder)
        return self.mount.path / "pytorch/timm" / name

    def timm_hub(self, name):
        self.timm(name)
        return self.mount.model("timm/" + name) / "pytorch"

    def keras(self, name):
        spec = fixture_runs.load_spec(FIXTURES / "keras" / name)
        if self._is_new("keras", name):
            path = self.folder / "keras" / spec["file"]
            path.parent.mkdir(exist_ok=True)
            synth_keras.write_by_tensorflow(FIXTURES / "keras" / name, path)
            row = next(row for row in catalogue("keras") if
                       (row["application"], row["variant"]) == (name, ""))
            parts = urllib.parse.urlsplit(row["url"])
            self._web(parts.netloc, parts.path[1:], path)
        return self.mount.path / "keras" / name

    def saved_model(self, name):
        """Kaggle gives its files one by one, as version 1."""
        handle = KAGGLE_MODEL % (name, 1)
        if self._is_new("saved_model", name):
            folder = self.folder / "tensorflow" / name
            folder.mkdir(parents=True)
            synth_tensorflow.write_model(FIXTURES / "tensorflow" / name,
                                         folder)
            self.hub.kaggle(handle, folder, bundle=False)
        return self.version(name, 1)

    def bundle(self, name):
        """Kaggle gives single files in a zip only: version 2 is read from
        the archive, which is the fixture's own."""
        handle = KAGGLE_MODEL % (name, 2)
        fixture = FIXTURES / "tensorflow" / name
        if self._is_new("bundle", name):
            archive = fixture / fixture_runs.load_spec(fixture)["archive"]
            files = {path.as_posix(): content for path, content
                     in synth_tensorflow.members(archive)}
            self.hub.kaggle(handle, files, bundle=archive)
            self.hub.set_for(handle, "", auto_zip=True)
        return self.version(name, 2)

    def version(self, name, number):
        return self.mount.path / "tensorflow/fixtures" / name / "saved" / str(
            number)

    def zoo(self, name):
        """All at once: a branch is believed for a while."""
        if self._is_new("zoo"):
            files = {each: _zoo_file(each) for each in names("onnx")}
            self.hub.zoo_files({ZOO_FOLDER + each + "/" + file.name: file
                                for each, file in files.items()},
                               places=("mirror",))
            for each, file in files.items():
                self.hub.add("%s/%s" % (ZOO_MIRROR, each), {file.name: file})
        return self.mount.path / "onnx/tree" / ZOO_FOLDER / name

    def serve(self, file, archive):
        """An archive of TorchServe's model zoo, by its name there."""
        self.hub.torchserve(file, archive)
        return (self.mount.path / "pytorch/torchserve"
                / file.removesuffix(".mar"))

    def forget(self, *parts):
        """The files below are not needed any more."""
        shutil.rmtree(self.folder.joinpath(*parts))
