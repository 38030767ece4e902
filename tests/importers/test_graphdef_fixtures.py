# SPDX-License-Identifier: MIT
"""Models of transformers as TensorFlow's frozen graphs, tensorflow/.../
staged.pb: TensorFlow computes what the library did, in both forms.

TensorFlow runs once for all of them, in the interpreter that
OMNIHUB_TENSORFLOW_PYTHON names.  A fixture is found by its folder.
"""

import errno
import json
import os

import pytest

import frameworks
import judge_many
import repack
from served import BASE_TASKS, FIXTURES, FULL, REFUSED, SPECS, TINY, view_of

# What cannot be said in TensorFlow's operations: (family, form) -> the
# operator that staged.status names.  All else that is staged as ONNX must be.
UNSAID = {}

FORMS = ["", "dl4j"]
OTHERS = {
    "columns": lambda spec: repack.packed(repack.transposed(spec),
                                          "torch-zip"),
    "doubles": lambda spec: repack.cast(spec, "F64"),
    "shards": lambda spec: repack.sharded(spec, "safetensors"),
}
REPACKED = ["bert-fill-mask", "gpt2", "roberta-question-answering"]
HALVES = {"F16": "float16", "BF16": "bfloat16"}


def is_unsaid(name, form):
    return (SPECS[name]["family"], form) in UNSAID


def is_refused_as_onnx(served, name, form):
    """What the family does not do in that form, no format has."""
    folder = served.staged(name, form=form).parent
    return "staged.status" in os.listdir(folder)


def job(served, name, form, *variant):
    path = served.graphdef(name, *variant, form=form)
    return [FIXTURES / name, path, "rows"] if form == "dl4j" \
        else [FIXTURES / name, path]


def said_of(jobs):
    said = judge_many.verdicts("judge_graphdef", jobs.values())
    return dict(zip(jobs, said))


def jobs_of(served, names, forms):
    return {(name, form): job(served, name, form)
            for name in names for form in forms
            if not is_unsaid(name, form)
            and not is_refused_as_onnx(served, name, form)}


@pytest.fixture(scope="module")
def verdicts(served):
    """(name, form) -> what the judge says of its staged.pb."""
    return said_of(jobs_of(served, TINY, FORMS))


def assert_said(served, verdicts, name, form):
    if (name, form) in verdicts:
        assert verdicts[name, form]["wrong"] is None
    else:
        assert_refused(served.graphdef(name, form=form).parent,
                       UNSAID.get((SPECS[name]["family"], form)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", TINY)
def test_graph_computes_what_the_library_does(served, verdicts, name, form):
    assert_said(served, verdicts, name, form)


@pytest.mark.slow
@pytest.mark.parametrize("name", FULL)
def test_graph_of_full_size(served, name):
    """The other form differs from this in nothing that grows with size."""
    found = said_of(jobs_of(served, [name], [""]))
    assert_said(served, found, name, "")


def assert_refused(folder, operator=None):
    names = os.listdir(folder)
    assert "staged.status" in names and "staged.pb" not in names
    for name in ("staged.pb", "dl4j/staged.pb", "native/staged.pb"):
        with pytest.raises(OSError) as caught:
            open(folder / name, "rb")
        assert caught.value.errno == errno.ENOENT, name
    status = json.loads((folder / "staged.status").read_text())
    assert status["state"] == "refused" and status["reason"].strip()
    if operator:
        assert (status["code"], status["detail"]) \
            == ("unsupported-operator", operator)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_fixtures(served, name):
    assert_refused(served.model(name) / view_of(SPECS[name], "tensorflow"))


@pytest.fixture(scope="module")
def of_other_weights(served):
    jobs = {(name, what): job(served, name, "", "-" + what, OTHERS[what])
            for name in REPACKED for what in OTHERS}
    return said_of(jobs)


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("model", REPACKED)
def test_weights_that_lie_otherwise(of_other_weights, model, what):
    assert of_other_weights[model, what]["wrong"] is None


OF_TENSORFLOW = frameworks.names("tf")


def h5_variant(name):
    return "-tf-h5", lambda spec: frameworks.as_saved(spec, name, "tf")


@pytest.fixture(scope="module")
def of_tensorflow(served):
    return said_of({(name, form): job(served, name, form, *h5_variant(name))
                    for name in OF_TENSORFLOW for form in FORMS})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", OF_TENSORFLOW)
def test_weights_of_tensorflow(served, of_tensorflow, name, form):
    """tf_model.h5 alone: what PyTorch computes with its own."""
    assert of_tensorflow[name, form]["wrong"] is None
    path = served.graphdef(name, *h5_variant(name), form=form)
    info = json.loads((path.parent / "info.json").read_text())
    assert [each["path"] for each in info["sources"]] == ["tf_model.h5"]
    folder = os.listdir(served.model(name, *h5_variant(name)))
    assert "tensorflow" in folder and "pytorch" not in folder


def test_weights_of_tensorflow_come_first(served):
    """Where there are PyTorch's too."""
    name = "bert-base"

    def both(spec):
        saved = frameworks.as_saved(spec, name, "tf")
        return dict(spec, tensors=spec["tensors"] + saved["tensors"], files=[
            dict(saved["files"][0],
                 tensors=[each["name"] for each in saved["tensors"]]),
            {"file": "model.safetensors", "container": "safetensors",
             "tensors": [each["name"] for each in spec["tensors"]]}])

    for view, file in (("tensorflow", "tf_model.h5"),
                       ("pytorch", "model.safetensors")):
        info = served.model(name, "-graphdef-both", both) / view / "info.json"
        sources = json.loads(info.read_text())["sources"]
        assert [each["path"] for each in sources] == [file]


def narrowed(dtype):
    return "-graphdef-" + dtype, lambda spec: repack.cast(spec, dtype)


@pytest.mark.parametrize("dtype", HALVES)
def test_halves_give_the_graph_of_floats(served, dtype):
    """Widened as they are read: the same bytes but for the weights'."""
    wide = served.graphdef("bert-base").stat().st_size
    assert served.graphdef("bert-base", *narrowed(dtype)).stat().st_size \
        == wide


@pytest.mark.parametrize("dtype", HALVES)
def test_native_keeps_halves(served, dtype):
    """Smaller by some half of the weights, and listed for halves alone."""
    wide = served.graphdef("bert-base", *narrowed(dtype))
    native = served.graphdef("bert-base", *narrowed(dtype), form="native")
    assert native.stat().st_size < 0.8 * wide.stat().st_size
    assert "native" not in os.listdir(served.graphdef("bert-base").parent)


@pytest.fixture(scope="module")
def answers_of_halves(served):
    """Both profiles of one checkpoint, in TensorFlow."""
    jobs = {}
    for dtype in HALVES:
        path = served.graphdef("bert-base", *narrowed(dtype))
        jobs[dtype] = [path, path.parent / "native/staged.pb"]
    return dict(zip(jobs, judge_many.verdicts("compare_graphdefs",
                                              jobs.values())))


@pytest.mark.parametrize("dtype", HALVES)
def test_native_computes_the_same(answers_of_halves, dtype):
    assert answers_of_halves[dtype] == {"wrong": None, "error": 0.0}


@pytest.mark.parametrize("name", [name for name in TINY
                                  if SPECS[name]["task"] in BASE_TASKS])
def test_listing(served, name):
    """tensorflow/ has the tasks that pytorch/ has."""
    model = served.model(name)
    assert "tensorflow" in os.listdir(model)
    names = set(os.listdir(model / "tensorflow"))
    of_onnx = set(os.listdir(model / "pytorch"))
    if is_unsaid(name, ""):
        assert "staged.status" in names
        return
    assert {"staged.pb", "info.json"} <= names
    tasks = {each for each in of_onnx if "." not in each}
    assert {each for each in names if "." not in each} == tasks


def test_the_same_bytes_each_time(served, make_mount):
    path = served.graphdef("bert-base")
    mount = make_mount(served.hub).start()
    again = mount.model("fixtures/bert-base") / "tensorflow/staged.pb"
    assert again.read_bytes() == path.read_bytes()
