# SPDX-License-Identifier: MIT
"""`omnihub stage` and `omnihub info` find what a model has.

Which frameworks' weights there are decides what can be written, and the
output's name in which format; what is written is what the mount shows.
"""

import json

import pytest

import frameworks
from served import SPECS
from test_parts import PARTS, SEQ2SEQ, view_of


def bert(served, framework):
    if framework == "pytorch":
        return served.model("bert-base")
    kind = {"jax": "flax", "tensorflow": "tf"}[framework]
    return served.model("bert-base", "-alone-" + kind,
                        lambda spec: frameworks.as_saved(spec, "bert-base",
                                                         kind))


def stage(served, folder, out, *arguments):
    return served.mount.run("stage", "--force", "-o", out, folder, *arguments)


@pytest.mark.parametrize("framework, arguments, output, shown", [
    ("pytorch", (), "out.onnx", "pytorch/staged.onnx"),
    ("pytorch", (), "out.pb", "tensorflow/staged.pb"),
    ("pytorch", ("--format", "pb"), "out", "tensorflow/staged.pb"),
    ("pytorch", ("--format", "onnx"), "out.pb", "pytorch/staged.onnx"),
    ("pytorch", ("--form", "dl4j"), "x.pb", "tensorflow/dl4j/staged.pb"),
    ("jax", (), "out.onnx", "jax/staged.onnx"),
    ("jax", (), "out", "jax/staged.onnx"),
    ("jax", ("--form", "dl4j"), "out", "jax/dl4j/staged.onnx"),
    ("tensorflow", (), "out.pb", "tensorflow/staged.pb"),
    ("tensorflow", (), "out", "tensorflow/staged.pb")])
def test_stage_writes(served, tmp_path, framework, arguments, output, shown):
    folder = bert(served, framework)
    done = stage(served, folder, tmp_path / output, *arguments)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / output).read_bytes() == (folder / shown).read_bytes()


@pytest.mark.parametrize("framework, arguments, output, word", [
    ("pytorch", (), "out.h5", "staged as onnx, not as h5"),
    ("jax", (), "out.pb", "staged as onnx, not as pb"),
    ("tensorflow", (), "out.onnx", "staged as pb, not as onnx"),
    ("pytorch", ("--part", "encoder_model"), "out.onnx", "encoder_model"),
    ("pytorch", ("--part", "tail"), "out.onnx", "decoder_model")])
def test_stage_has_no_such_format(served, tmp_path, framework, arguments,
                                  output, word):
    done = stage(served, bert(served, framework), tmp_path / output,
                 *arguments)
    assert done.returncode != 0 and word in done.stderr, done.stderr
    assert not (tmp_path / output).exists()


@pytest.mark.parametrize("name", SEQ2SEQ)
def test_stage_writes_parts(served, tmp_path, name):
    folder = served.model(name)
    for part in PARTS:
        done = stage(served, folder, tmp_path / part, "--part",
                     part.removesuffix(".onnx"), "--task", SPECS[name]["task"])
        assert done.returncode == 0, done.stderr
        shown = folder / view_of(SPECS[name]) / part
        assert (tmp_path / part).read_bytes() == shown.read_bytes()


@pytest.mark.parametrize("framework", ["pytorch", "jax", "tensorflow"])
def test_info_of_a_models_folder(served, framework):
    folder = bert(served, framework)
    done = served.mount.run("info", "--json", folder)
    assert done.returncode == 0, done.stderr
    told = (folder / framework / "info.json").read_text()
    assert json.loads(done.stdout) == json.loads(told)
