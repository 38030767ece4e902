# SPDX-License-Identifier: MIT
"""What the other hubs are asked: how often, once only, and with whose
credentials."""

import collections
import os

import pytest

from hub_scene import (GITHUB_API, GOOGLE, KAGGLE, MODELS, RAW, SERVE, TORCH,
                       Scene, file_of)
from mounted import drop_pages, wait_until

PROBE = 512  # what is read of a file to know its size

# name -> requests of the first ls, and who is asked by the first read then.
# A signed address is not kept from the probe to the read that follows.
FIRST = {
    "onnx": ({}, {"hub", "cdn"}),
    "torchvision": ({TORCH: 2}, {TORCH}),
    "timm": ({"hub": 3, "cdn": 1}, {"cdn"}),
    "torchserve": ({SERVE: 3}, {SERVE}),
    "torchhub": ({GITHUB_API: 2}, {RAW}),
    "keras": ({GOOGLE: 1}, {GOOGLE}),
    "tensorflow": ({KAGGLE: 3, GOOGLE: 2}, set()),
}


@pytest.fixture
def scene(hub, tmp_path):
    return Scene(hub, tmp_path).fill()


def asked(hub):
    """origin -> number of requests since it was asked last."""
    counted = collections.Counter(seen["origin"] for seen in hub.requests())
    hub.forget()
    return counted


@pytest.mark.parametrize("name", MODELS)
def test_first_use(scene, make_mount, name):
    mount = scene.mount(make_mount).start()
    listing, reading = FIRST[name]
    os.listdir(mount.path / MODELS[name][0])
    assert asked(scene.hub) == listing
    file = file_of(mount, name)
    assert os.stat(file).st_size == len(scene.bodies[name])
    assert not asked(scene.hub), "the size was known"
    assert file.read_bytes() == scene.bodies[name]
    assert set(asked(scene.hub)) == reading
    drop_pages(file)
    assert file.read_bytes() == scene.bodies[name]
    assert not asked(scene.hub), "each byte is fetched once"


@pytest.mark.parametrize("name", MODELS)
def test_no_byte_twice(scene, make_mount, name):
    """Listing, staging and reading a file fetch it once, and the probes."""
    mount = scene.mount(make_mount).start()
    os.listdir(mount.path / MODELS[name][0])
    file_of(mount, name).read_bytes()
    path = MODELS[name][1].rpartition("/")[2]
    # What was sent is counted a moment after it was.
    assert wait_until(lambda: all(seen["ended"]
                                  for seen in scene.hub.requests()))
    bytes_sent = sum(seen["bytes"] for seen in scene.hub.requests()
                     if seen["status"] in (200, 206) and
                     ((seen["file"] or "").endswith(path)
                      or seen["origin"] in (TORCH, GOOGLE, SERVE)))
    assert len(scene.bodies[name]) <= bytes_sent <= \
        len(scene.bodies[name]) + PROBE


def everything(mount):
    """path -> bytes, or the target of a link, of each model."""
    found = {}
    for name in MODELS:
        for at, _, files in os.walk(mount.path / MODELS[name][0]):
            for path in files:
                full = os.path.join(at, path)
                with open(full, "rb") as file:
                    found[os.path.relpath(full, mount.path)] = file.read()
    return found


def test_second_mount_with_dead_hubs(scene, make_mount):
    """All that was used once is there without a request, offline or not."""
    mount = scene.mount(make_mount).start()
    before = everything(mount)
    assert len(before) > len(MODELS) and "staged.onnx" in "".join(before)
    mount.stop()
    scene.hub.kill()
    for options in ((), ("--offline",)):
        mount.start(*options)
        assert everything(mount) == before
        assert mount.status()["http_requests_total"] == 0
        mount.stop()


def test_an_interrupted_first_use(scene, make_mount):
    """kill -9 loses no more than what was not yet on the disk."""
    mount = scene.mount(make_mount).start()
    before = everything(mount)
    mount.kill()
    mount.start()
    assert everything(mount) == before


# ---- credentials ----

HF, GH, KG = "hf_secret0000000000", "ghp_secret1111111111", "kg_secret222222"
SECRETS = {"HF_TOKEN": HF, "GITHUB_TOKEN": GH, "KAGGLE_API_TOKEN": KG}
OWN = {HF: "hub", KG: KAGGLE}  # GitHub's goes to no mirror of it


def test_tokens_go_to_their_own_origin_only(scene, make_mount):
    for token in SECRETS.values():
        scene.hub.token(token, grants="*")
    mount = scene.mount(make_mount, env=SECRETS).start()
    everything(mount)
    seen_at = collections.defaultdict(set)
    for seen in scene.hub.requests(headers=True):
        text = seen["path"] + str(seen["headers"])
        for token in SECRETS.values():
            assert token not in seen["path"]
            if token in text:
                seen_at[token].add(seen["origin"])
    assert seen_at == {token: {origin} for token, origin in OWN.items()}
    log = mount.log() + (mount.path / ".omnihub/status.json").read_text()
    assert not any(token in log for token in SECRETS.values())


def test_a_key_of_kaggle(scene, make_mount):
    """KAGGLE_USERNAME and KAGGLE_KEY are a user by Basic, at Kaggle only."""
    scene.hub.token("someone:key", grants="*")
    mount = scene.mount(make_mount, env={"KAGGLE_USERNAME": "someone",
                                         "KAGGLE_KEY": "key"}).start()
    everything(mount)
    sent = {seen["origin"]: seen["authorization"]
            for seen in scene.hub.requests() if seen["authorization"]}
    assert set(sent) == {KAGGLE}
    assert sent[KAGGLE].startswith("Basic ")


def test_nobody_is_told_without_credentials(scene, make_mount):
    everything(scene.mount(make_mount).start())
    assert not [seen for seen in scene.hub.requests()
                if seen["authorization"]]
