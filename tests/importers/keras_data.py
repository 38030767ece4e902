# SPDX-License-Identifier: MIT
"""The generated files for keras.applications, and how to make them again."""

import gzip
import hashlib
import json
import os
import pathlib
import subprocess
import sys

import onnx

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools/keras"
CONFIGS = ROOT / "staging/keras/configs"
SKELETONS = ROOT / "staging/skeletons/keras"
FORMS = {"plain": ".onnx.gz", "dl4j": ".dl4j.onnx.gz"}


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def models(folder):
    """What is said of each model that is not refused."""
    return {key: entry for key, entry in manifest(folder)["models"].items()
            if "refused" not in entry}


def unpacked(path):
    with gzip.open(path) as stored:
        return stored.read()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tensorflow_python():
    return os.environ.get("OMNIHUB_TENSORFLOW_PYTHON", sys.executable)


def run(python, tool, *arguments):
    """What the tool prints, line by line."""
    done = subprocess.run(
        [python, TOOLS / tool, *map(str, arguments)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
        env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    assert done.returncode == 0, (
        "%s of %s failed; tests/requirements-tensorflow.txt says what "
        "OMNIHUB_TENSORFLOW_PYTHON needs:\n%s"
        % (tool, python, done.stderr[-2000:]))
    return done.stdout.splitlines()


def holes(model):
    """{the initializer's name: the number of its weight}"""
    return {each.name: int(each.external_data[0].value.removeprefix("#"))
            for each in model.graph.initializer if each.external_data}


def unused(model):
    metadata = {each.key: each.value for each in model.metadata_props}
    return [int(each.removeprefix("#")) for each
            in metadata.get("omnihub.unused", "").split()]


def bound(model, weights):
    """The skeleton with @weights, by number, in its holes."""
    numbers = holes(model)
    for each in model.graph.initializer:
        if each.name in numbers:
            value = weights[numbers[each.name]]
            assert list(each.dims) == list(value.shape), each.name
            each.ClearField("external_data")
            each.ClearField("data_location")
            each.raw_data = value.astype("<f4").tobytes()
    onnx.checker.check_model(model)
    return model.SerializeToString()
