# SPDX-License-Identifier: MIT
"""SavedModels of TensorFlow's hub: each signature's staged.pb computes what
the model did, read by file and out of an archive.

TensorFlow runs once for all of them, in the interpreter that
OMNIHUB_TENSORFLOW_PYTHON names.
"""

import os

import pytest

import elsewhere as places
import fixture_runs
import judge_many
import synth_tensorflow

NAMES = places.names("tensorflow")
ODD = [name for name in NAMES if name.startswith("tar_")]
# By archive only: the odd ones, and what else differs in how it is read.
PACKED = [*ODD, "index_snappy", "keras_cnn_k3", "tf1_partitioned",
          "tf1_table_asset", "tf2_dtypes_221", "tf2_two_signatures_215"]
WAYS = [("saved_model", name) for name in NAMES] + [
    ("bundle", name) for name in PACKED]
# What there is to be said of a refusal: a node of the graph.
CULPRITS = {
    "tf1_table_asset": "hash_table", "tf2_table_215": "LookupTableFindV2",
    "tf2_stateful_215": "Assign", "tf2_no_signature_215": None,
}


def fixture_of(name):
    return places.FIXTURES / "tensorflow" / name


def spec_of(name):
    return fixture_runs.load_spec(fixture_of(name))


def signatures(name, expect):
    """Those whose runs are all to end so, in order."""
    spec = spec_of(name)
    return list(dict.fromkeys(run["signature"] for run in spec["runs"]
                              if run["expect"] == expect))


def folder_of(folder, name, signature):
    """Where a signature's file is staged."""
    default = spec_of(name)["default_signature"]
    return folder if signature == default else folder / signature


def is_refused(folder):
    return "staged.status" in os.listdir(folder)


SOUND = [name for name in NAMES if spec_of(name)["expect"] != "refuse"]
STAGED = [(way, name, signature) for way, name in WAYS
          for signature in signatures(name, "ok")]
REFUSED = [(way, name, signature) for way, name in WAYS
           for signature in signatures(name, "refuse")]


@pytest.fixture(scope="module")
def costs(elsewhere):
    """Before anything else is asked of the models."""
    return {name: places.cost_of(elsewhere.hub, elsewhere.saved_model(name)
                                 / "staged.pb")
            for name in SOUND}


@pytest.mark.parametrize("name", SOUND)
def test_size_is_known_from_the_graph_and_the_index(elsewhere, costs, name):
    """Of the variables nothing is read but what is an index."""
    saved = elsewhere.saved_model(name) / "saved_model"
    graph = (saved / "saved_model.pb").stat().st_size
    assert costs[name].bytes <= graph + places.SIZE_KNOWN_BYTES


@pytest.fixture(scope="module")
def verdicts(elsewhere, costs):
    """(way, name, signature) -> what the judge says of its staged.pb."""
    jobs = {}
    for way, name, signature in STAGED:
        folder = folder_of(getattr(elsewhere, way)(name), name, signature)
        jobs[way, name, signature] = [fixture_of(name), folder / "staged.pb",
                                      signature]
    said = judge_many.verdicts("judge_tensorflow", jobs.values())
    return dict(zip(jobs, said))


def way_id(value):
    return str(value)


@pytest.mark.parametrize("way, name, signature", STAGED, ids=way_id)
def test_staged_graph_computes_what_the_model_did(verdicts, elsewhere, way,
                                                  name, signature):
    if spec_of(name)["expect"] == "ok_or_refuse" and way == "bundle" \
            and is_refused(elsewhere.bundle(name)):
        return
    assert verdicts[way, name, signature]["wrong"] is None


@pytest.mark.parametrize("way, name, signature", REFUSED, ids=way_id)
def test_refused_rather_than_guessed(elsewhere, way, name, signature):
    folder = folder_of(getattr(elsewhere, way)(name), name, signature)
    names = os.listdir(folder)
    assert "staged.status" in names and "staged.pb" not in names
    with pytest.raises(FileNotFoundError):
        open(folder / "staged.pb", "rb")
    status = places.status_of(folder)
    assert status["state"] == "refused" and status["reason"].strip()
    culprit = CULPRITS[name]
    assert culprit is None or culprit in status["detail"]


def everything(folder):
    return [os.path.join(at, name) for at, folders, files in os.walk(folder)
            for name in (*folders, *files)]


@pytest.mark.parametrize("name", ODD)
def test_odd_members_lead_nowhere(elsewhere, name):
    """Neither in the mount nor beside it: what is forbidden is nowhere."""
    folder = elsewhere.bundle(name)
    os.listdir(folder / "saved_model")
    forbidden = spec_of(name).get("forbidden", [])
    assert forbidden or name == "tar_no_dot_prefix"
    work = elsewhere.mount.work
    beside = [each for each in (*work.iterdir(), *work.parent.iterdir())
              if each not in (work, elsewhere.mount.path)]
    for at in (folder, folder.parents[2], *beside):
        for path in (str(at), *everything(at)):
            assert not any(word in path for word in forbidden), path
    for path in everything(folder):
        assert not os.path.islink(path), path


@pytest.mark.parametrize("name", PACKED)
def test_members_of_the_archive(elsewhere, name):
    """saved_model/ shows the archive's files, byte by byte."""
    folder = elsewhere.bundle(name)
    if is_refused(folder) and name in ODD:
        return
    archive = fixture_of(name) / spec_of(name)["archive"]
    members = {path.as_posix(): content for path, content
               in synth_tensorflow.members(archive)}
    assert members
    for path, content in members.items():
        assert (folder / "saved_model" / path).read_bytes() == content


def test_signatures_are_directories(elsewhere):
    folder = elsewhere.saved_model("tf2_two_signatures_215")
    assert {"staged.pb", "scaled", "info.json", "saved_model"} <= set(
        os.listdir(folder))
    assert set(os.listdir(folder / "scaled")) == {"info.json", "staged.pb"}
