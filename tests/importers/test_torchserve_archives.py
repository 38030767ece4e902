# SPDX-License-Identifier: MIT
"""TorchServe's archives: an eager model's state dict is staged, whether its
member is stored or packed; a scripted one's graph is not known."""

import json
import os
import zipfile

import onnx
import pytest

import dl4j_rules
import elsewhere as places
import judge
import judge_torch
import synth

# (archive of the zoo, fixture of its weights)
EAGER = {zipfile.ZIP_DEFLATED: ("resnet-18.mar", "resnet18"),
         zipfile.ZIP_STORED: ("squeezenet1_1.mar", "squeezenet1_1")}
SCRIPTED = "resnet-18_scripted.mar"
MODEL = b"from torchvision.models.resnet import ResNet\n"
KINDS = list(EAGER)


def manifest(file):
    return json.dumps({"runtime": "python", "model": {
        "modelName": "fixture", "serializedFile": file, "modelVersion": "1.0",
        "handler": "image_classifier", "modelFile": "model.py"},
        "archiverVersion": "0.1.0"}).encode()


def fixture_of(kind):
    return places.FIXTURES / "torchvision" / EAGER[kind][1]


def write_archive(path, members, kind):
    with zipfile.ZipFile(path, "w", kind, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def eager_members(kind, folder):
    spec = synth.load_spec(fixture_of(kind))
    synth.write_weights(spec, folder)
    file = spec["files"][0]["file"]
    return {file: (folder / file).read_bytes(), "model.py": MODEL,
            "index_to_name.json": b"{}",
            "MAR-INF/MANIFEST.json": manifest(file)}


@pytest.fixture(scope="module", params=KINDS, ids=["deflated", "stored"])
def eager(elsewhere, request, tmp_path_factory):
    """(kind of members, they, the model's folder)"""
    folder = tmp_path_factory.mktemp("eager")
    members = eager_members(request.param, folder)
    file = EAGER[request.param][0]
    write_archive(folder / file, members, request.param)
    return request.param, members, elsewhere.serve(file, folder / file)


def test_plain_form_computes_what_the_library_does(eager):
    kind, _, folder = eager
    path = folder / "staged.onnx"
    onnx.checker.check_model(str(path), full_check=True)
    judge_torch.assert_right(path, fixture_of(kind))


def test_dl4j_form(eager):
    kind, _, folder = eager
    path = folder / "dl4j/staged.onnx"
    judge_torch.assert_right(path, fixture_of(kind), judge.run_rows)
    assert dl4j_rules.broken(onnx.load(path)) == []


def below(folder):
    return {os.path.relpath(os.path.join(at, name), folder)
            for at, _, files in os.walk(folder) for name in files}


def test_archive_shows_its_members(eager):
    _, members, folder = eager
    assert below(folder / "archive") == set(members)
    for name, content in members.items():
        assert (folder / "archive" / name).read_bytes() == content, name


def scripted_weights(path):
    """As torch.jit.save writes: a zip with code and constants."""
    root = "resnet-18_scripted/"
    write_archive(path, {
        root + "data.pkl": b"\x80\x02c__torch__\nResNet\nq\x00)\x81q\x01.",
        root + "code/__torch__.py": b"class ResNet(Module):\n  pass\n",
        root + "constants.pkl": b"\x80\x02).", root + "version": b"3\n",
    }, zipfile.ZIP_STORED)


@pytest.mark.parametrize("kind", KINDS, ids=["deflated", "stored"])
def test_scripted_models_say_why_not(make_mount, tmp_path, kind):
    weights = tmp_path / "model.pt"
    scripted_weights(weights)
    members = {"model.pt": weights.read_bytes(),
               "MAR-INF/MANIFEST.json": manifest("model.pt")}
    (tmp_path / "host/mar_files").mkdir(parents=True)
    write_archive(tmp_path / "host/mar_files" / SCRIPTED, members, kind)
    mount = make_mount(None, "--verify", "off", "--endpoint",
                       "torchserve.pytorch.org=%s" % (tmp_path / "host"))
    folder = mount.start().path / "pytorch/torchserve" / SCRIPTED[:-4]
    names = os.listdir(folder)
    assert "staged.status" in names and "staged.onnx" not in names
    status = places.status_of(folder)
    assert (status["state"], status["code"]) == ("refused", "torchscript")
    assert "TorchScript" in status["reason"]
    assert below(folder / "archive") == set(members)
    assert (folder / "archive/model.pt").read_bytes() == members["model.pt"]
