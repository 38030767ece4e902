# SPDX-License-Identifier: MIT
"""Models of the ONNX zoo: as they are published, out of the archive where
there is no plain file, with their test data."""

import os

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import elsewhere as places
import fixture_runs
import judge
import judge_zoo
import synth_tensorflow

NAMES = places.names("onnx")
PACKED = [name for name in NAMES if "archive" in fixture_runs.load_spec(
    places.FIXTURES / "onnx" / name)]
EXTERNAL = "resnet-like-13-external"


def fixture_of(name):
    return places.FIXTURES / "onnx" / name


def archive_of(name):
    """path -> bytes of the members."""
    path = fixture_of(name) / fixture_runs.load_spec(fixture_of(name))[
        "archive"]
    return {member.as_posix(): content for member, content
            in synth_tensorflow.members(path)}


def folders_of(elsewhere, name):
    """By its path in the zoo, and as a repository of its own."""
    return [elsewhere.zoo(name), elsewhere.mount.path / "onnx" / name]


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_staged_model_computes_what_the_test_data_say(elsewhere, name, place):
    folder = folders_of(elsewhere, name)[place]
    judge_zoo.assert_right(folder / "staged.onnx", fixture_of(name))


def test_plain_file_is_staged_as_it_is(elsewhere):
    name = "plain-12"
    folder = elsewhere.zoo(name)
    assert (folder / "staged.onnx").read_bytes() == (
        fixture_of(name) / (name + ".onnx")).read_bytes()
    assert "archive" not in os.listdir(folder)


@pytest.mark.parametrize("name", PACKED)
def test_archive_shows_its_members(elsewhere, name):
    folder = elsewhere.zoo(name) / "archive"
    members = archive_of(name)
    shown = {(at / each).relative_to(folder).as_posix()
             for at, _, files in os_walk(folder) for each in files}
    assert shown == set(members)
    for path, content in members.items():
        assert (folder / path).stat().st_size == len(content)
        assert (folder / path).read_bytes() == content, path


def os_walk(folder):
    for at, folders, files in os.walk(folder):
        yield type(folder)(at), folders, files


def tensors(folder, kind):
    """The values of input_0.pb, input_1.pb ... or of the outputs."""
    paths = sorted(folder.glob(kind + "_*.pb"))
    return [numpy_helper.to_array(onnx.TensorProto.FromString(
        path.read_bytes())) for path in paths]


@pytest.mark.parametrize("name", PACKED)
def test_test_data_beside_the_model(elsewhere, name):
    """As a user would try a model: nothing but what the mount shows."""
    folder = elsewhere.zoo(name)
    session = judge.open_session(folder / "staged.onnx")
    wanted = [each.name for each in session.get_inputs()]
    sets = sorted((folder / "archive").glob("*/test_data_set_*"))
    assert len(sets) == len(fixture_runs.load_spec(fixture_of(name))["runs"])
    for each in sets:
        got = session.run(None, dict(zip(wanted, tensors(each, "input"))))
        want = tensors(each, "output")
        assert len(got) == len(want)
        for one, other in zip(got, want):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_external_data_lie_beside_the_model(elsewhere):
    """Under the name that the model asks for them by."""
    folder = elsewhere.zoo(EXTERNAL)
    model = onnx.load(folder / "staged.onnx", load_external_data=False)
    asked = {entry.value for each in model.graph.initializer
             for entry in each.external_data if entry.key == "location"}
    assert asked == {"model.onnx.data"}
    members = archive_of(EXTERNAL)
    assert (folder / "model.onnx.data").read_bytes() \
        == members["resnet_like/model.onnx.data"]
    assert (folder / "staged.onnx").read_bytes() \
        == members["resnet_like/model.onnx"]
    info = os.stat(folder / "model.onnx.data")
    assert info.st_nlink == 1 and not os.path.islink(
        folder / "model.onnx.data")
