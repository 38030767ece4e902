# SPDX-License-Identifier: MIT
"""keras.applications: the whole model and both ONNX forms of published
weights compute what the application did.

Keras runs once for all of them, in the interpreter that
OMNIHUB_TENSORFLOW_PYTHON names: Keras 3, and the package of Keras 2.
"""

import json
import os

import numpy as np
import onnx
import pytest

import dl4j_rules
import elsewhere as places
import fixture_runs
import judge
import judge_many

NAMES = places.names("keras")
# Without a digest to go by, numbers of one layer tell which graph it is.
SCATTERED = {"EfficientNetB0": 400_000}
# Both ONNX forms are of images of one size, which is not the fixture's.
OTHER_SIZE = ["MobileNetV3Small"]
SAME_SIZE = [name for name in NAMES if name not in OTHER_SIZE]
JUDGES = ["judge_keras", "judge_tf_keras"]


def fixture_of(name):
    return places.FIXTURES / "keras" / name


@pytest.fixture(scope="module")
def folders(elsewhere):
    yield {name: elsewhere.keras(name) for name in NAMES}
    elsewhere.forget("keras")


@pytest.fixture(scope="module")
def costs(elsewhere, folders):
    """Before anything else is asked of the models."""
    return {name: places.cost_of(elsewhere.hub, folder / "staged.h5")
            for name, folder in folders.items()}


@pytest.mark.parametrize("name", NAMES)
def test_size_is_known_from_headers(costs, name):
    assert costs[name].bytes <= SCATTERED.get(name, places.SIZE_KNOWN_BYTES)


@pytest.fixture(scope="module")
def verdicts(folders, costs):
    """judge -> name -> what it says of staged.h5"""
    jobs = [[fixture_of(name), folders[name] / "staged.h5"] for name in NAMES]
    return {judge: dict(zip(NAMES, judge_many.verdicts(judge, jobs)))
            for judge in JUDGES}


@pytest.mark.slow
@pytest.mark.parametrize("keras", JUDGES)
@pytest.mark.parametrize("name", NAMES)
def test_whole_model_computes_what_the_application_did(verdicts, keras, name):
    assert verdicts[keras][name]["wrong"] is None


def by_order(run, session, run_inputs):
    """@run with inputs and outputs taken in their order."""
    given = [each.name for each in session.get_inputs()]
    assert len(given) == len(run_inputs)
    return list(run(session, dict(zip(given, run_inputs))).values())


def assert_right(path, name, run=judge.run_whole):
    spec = fixture_runs.load_spec(fixture_of(name))
    arrays = fixture_runs.load_arrays(fixture_of(name))
    session = judge.open_session(path)
    for case in fixture_runs.runs_of(spec):
        got = by_order(run, session, [fixture_runs.input_array(each, arrays)
                                      for each in case["inputs"]])
        assert len(got) == len(case["outputs"])
        for output, values in zip(case["outputs"], got):
            fixture_runs.compare(output, values, arrays, spec["tolerance"])


def answers(path, name, count):
    """What @path computes of images as large as it takes: (images, outputs)"""
    session = judge.open_session(path)
    image, = session.get_inputs()
    spec = fixture_runs.load_spec(fixture_of(name))
    entry, = spec["runs"][0]["inputs"]
    images = fixture_runs.rule_array(dict(entry["synth"], shape=[
        count, *image.shape[1:]]))
    return images, judge.run_rows(session, {image.name: images})


def write_fixture(folder, name, images, outputs):
    """One that says that the application computes @outputs of @images."""
    folder.mkdir()
    spec = fixture_runs.load_spec(fixture_of(name))
    keys = [output["key"] for output in spec["runs"][0]["outputs"]]
    assert len(keys) == len(outputs)
    run = {"inputs": [{"key": "images", "array": "images"}],
           "outputs": [{"key": key, "array": "of_" + key} for key in keys]}
    (folder / "spec.json").write_text(json.dumps(
        {"runs": [run], "tolerance": spec["tolerance"]}))
    np.savez(folder / "expected.npz", images=images, **{
        "of_" + key: values for key, values in zip(keys, outputs.values())})
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHER_SIZE)
def test_forms_of_one_size(folders, tmp_path, name):
    """Keras judges what they compute of images of the size they take."""
    jobs = []
    for form in ("", "dl4j"):
        path = folders[name] / form / "staged.onnx"
        if form == "":
            onnx.checker.check_model(str(path), full_check=True)
        fixture = write_fixture(tmp_path / ("of" + form), name,
                                *answers(path, name, 1))
        jobs.append([fixture, folders[name] / "staged.h5"])
    assert [said["wrong"] for said in judge_many.verdicts(
        "judge_keras", jobs)] == [None, None]
    assert dl4j_rules.broken(onnx.load(folders[name]
                                       / "dl4j/staged.onnx")) == []


@pytest.mark.parametrize("name", SAME_SIZE)
def test_plain_form_computes_what_the_application_did(folders, name):
    path = folders[name] / "staged.onnx"
    onnx.checker.check_model(str(path), full_check=True)
    assert_right(path, name)


@pytest.mark.parametrize("name", SAME_SIZE)
def test_dl4j_form(folders, name):
    """An image at a time, and within its rules."""
    path = folders[name] / "dl4j/staged.onnx"
    assert_right(path, name, judge.run_rows)
    assert dl4j_rules.broken(onnx.load(path)) == []


@pytest.mark.parametrize("name", NAMES)
def test_info_tells_the_ports(folders, name):
    folder = folders[name]
    assert {"staged.h5", "staged.onnx", "weights.h5", "dl4j",
            "info.json"} <= set(os.listdir(folder))
    info = json.loads((folder / "info.json").read_text())
    graph = onnx.load(folder / "staged.onnx").graph
    assert [each["name"] for each in info["inputs"]] == [
        each.name for each in graph.input]
    assert [each["name"] for each in info["outputs"]] == [
        each.name for each in graph.output]
    weights = (folder / "weights.h5").stat().st_size
    assert 0 < (folder / "staged.h5").stat().st_size - weights < 4 << 20
