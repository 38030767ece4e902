# SPDX-License-Identifier: MIT
"""The other hubs in bad moods: right bytes, or the errno that is documented,
within the deadline; never wrong ones."""

import errno
import os
import time

import pytest

from hub_scene import (GITHUB, GITHUB_API, GOOGLE, KAGGLE, KAGGLE_ID, MEDIA,
                       MODELS, SERVE, TIMM_ID, TORCH, ZOO_PATH, Scene,
                       file_of)
from mount_scenes import (KIB, MIB, errno_of, finish, opened, payload,
                          pread_all, run_together, scaled, start_together)
from mounted import drop_pages, wait_until

TIMEOUT_S = 3
HOSTS = {"torchvision": TORCH, "torchserve": SERVE, "torchhub": GITHUB_API,
         "keras": GOOGLE, "tensorflow": KAGGLE, "timm": "hub"}
ASSETS = "release-assets.githubusercontent.com"


@pytest.fixture
def scene(hub, tmp_path):
    return Scene(hub, tmp_path)


@pytest.fixture
def impatient(scene, make_mount):
    """A filled scene and a mount of it with a short deadline."""
    return start(scene.fill(), make_mount)


def start(scene, make_mount, *options):
    return scene.mount(make_mount, "--timeout", str(int(scaled(TIMEOUT_S))),
                       *options).start()


def folder_of(mount, name):
    return mount.path / MODELS[name][0]


def outcome(path):
    """The bytes of a file, or the errno of getting them."""
    began = time.monotonic()
    try:
        return path.read_bytes()
    except OSError as error:
        return error.errno
    finally:
        assert time.monotonic() - began < scaled(TIMEOUT_S + 2)


# ---- refusals ----

REFUSALS = [
    (401, {errno.EACCES}), (403, {errno.EACCES}), (404, {errno.ENOENT}),
    (429, {errno.EIO, errno.ETIMEDOUT}),
    pytest.param(500, {errno.EIO, errno.ETIMEDOUT}, marks=pytest.mark.slow),
]


def refused(mount, name):
    """The errnos of the listing and of the reading of what is refused."""
    return (errno_of(os.listdir, folder_of(mount, name)),
            outcome(file_of(mount, name)))


@pytest.mark.parametrize("status, errnos", REFUSALS)
def test_refusals(scene, impatient, status, errnos):
    """Of what was never seen, at each hub: its errno, and no file.

    What the catalogue knows all of is listed unasked: then the read tells,
    and a host that has not what the catalogue says is an error (EIO).
    """
    scene.hub.set(status={"status": status, "origin": "any"})
    got = run_together([lambda at=name: refused(impatient, at)
                        for name in HOSTS], scaled(2 * TIMEOUT_S + 4))
    for name, (listed, read) in zip(HOSTS, got):
        if name == "keras" and status == 404:
            assert (listed, read) == (None, errno.EIO)
        else:
            assert {listed, read} <= errnos, (name, listed, read)
    os.listdir(folder_of(impatient, "onnx"))
    assert outcome(file_of(impatient, "onnx")) in errnos | {errno.EIO}
    assert impatient.alive()


@pytest.mark.parametrize("status", [
    429, pytest.param(500, marks=pytest.mark.slow)])
def test_what_passes_is_forgotten(scene, impatient, status):
    """A hub that is well again is believed again, soon."""
    scene.hub.set(status={"status": status, "origin": "any"})
    run_together([lambda at=name: refused(impatient, at) for name in HOSTS],
                 scaled(2 * TIMEOUT_S + 4))
    scene.hub.calm()
    for name in HOSTS:
        assert wait_until(lambda at=name: outcome(file_of(impatient, at)) ==
                          scene.bodies[at], scaled(40), 0.3), name


@pytest.mark.parametrize("name", HOSTS)
def test_told_to_wait_once(scene, impatient, name):
    """429 with Retry-After costs that second and nothing else."""
    scene.hub.set(retry_after={"origin": HOSTS[name], "seconds": 1,
                               "times": 1})
    os.listdir(folder_of(impatient, name))
    assert outcome(file_of(impatient, name)) == scene.bodies[name]


# ---- something else in place of the file ----

@pytest.mark.parametrize("name", ["torchvision", "torchserve", "torchhub",
                                  "keras", "tensorflow"])
def test_a_page_in_place_of_the_file(scene, impatient, name):
    """200 with HTML, as hosts that are gone answer: never the model."""
    scene.hub.set(html={"origin": "any"})
    assert errno_of(os.listdir, folder_of(impatient, name)) == errno.EIO
    assert outcome(file_of(impatient, name)) == errno.EIO
    scene.hub.calm()
    assert wait_until(lambda: outcome(file_of(impatient, name)) ==
                      scene.bodies[name], scaled(40), 0.3)


@pytest.mark.parametrize("mood", ["lfs_pointer", "html", "status"])
def test_the_zoo_without_a_mirror(scene, make_mount, mood):
    """The only place that is left has no model, and then it has.

    Where nobody has the file, what Hugging Face says counts: 401, as of all
    that it does not have or does not show.
    """
    mount = start(scene.fill(zoo_places=("github",)), make_mount)
    options = {"lfs_pointer": True, "html": {"origin": MEDIA},
               "status": {"status": 404, "origin": MEDIA}}[mood]
    scene.hub.set(**{mood: options})
    file = folder_of(mount, "onnx") / "staged.onnx"
    assert outcome(file) == (errno.EACCES if mood == "status" else errno.EIO)
    scene.hub.calm()
    assert wait_until(lambda: outcome(file) == scene.bodies["onnx"],
                      scaled(20), 0.3)


# Of the places of the zoo, which are there and what the first does.
FALLBACKS = [
    (("github", "mirror"), {}, "cdn"),
    (("github", "mirror"), {"status": {"status": 404, "origin": "hub"}},
     MEDIA),
    (("github", "mirror"), {"status": {"status": 403, "origin": "hub"}},
     MEDIA),
    (("github", "mirror"), {"stall": {"seconds": 60, "origin": "hub"}},
     MEDIA),
    (("github",), {}, MEDIA),
    (("mirror",), {}, "cdn"),
    (("mirror",), {"status": {"status": 404, "origin": MEDIA}}, "cdn"),
]


@pytest.mark.parametrize("places, mood, giver", FALLBACKS)
def test_places_of_the_zoo(scene, make_mount, places, mood, giver):
    """The next place is asked where one has nothing or says nothing."""
    mount = start(scene.fill(zoo_places=places), make_mount)
    for name, options in mood.items():
        scene.hub.set_for("onnxmodelzoo/legacy_models", "",
                          **{name: options})
    file = folder_of(mount, "onnx") / "staged.onnx"
    assert outcome(file) == scene.bodies["onnx"]
    gave = {seen["origin"] for seen in scene.hub.requests()
            if seen["bytes"] >= 60 * KIB}
    assert gave == {giver}, "bytes of two places are never mixed"


@pytest.mark.parametrize("name", ["onnx", "keras"])
@pytest.mark.parametrize("change", ["longer", "shorter", "empty"])
def test_another_size_than_the_catalogue_says(scene, make_mount, name,
                                              change):
    """The size that was shown holds; a file of another size is not it."""
    body = scene.bodies[name]
    other = {"longer": body + b"x", "shorter": body[:-1], "empty": b""}
    scene.fill()
    if name == "keras":
        scene.hub.commit(GOOGLE, {
            "tensorflow/keras-applications/resnet/resnet50_weights_tf_dim_"
            "ordering_tf_kernels.h5": other[change]}, kind="web")
    else:
        scene.hub.zoo_files({ZOO_PATH: other[change]})
    mount = start(scene, make_mount)
    wanted = errno.ESTALE if change == "empty" else errno.EIO
    assert outcome(file_of(mount, name)) == wanted
    assert mount.alive()


# ---- digests ----

DIGESTS = ["keras", "torchvision", "onnx"]  # md5, sha256's beginning, sha256


def spoil(scene):
    """One byte of each file is another than its digest says, for good."""
    scene.hub.set(cdn_corrupt={"at": 100 * KIB, "origin": "any"})


@pytest.mark.parametrize("name", DIGESTS)
def test_a_wrong_digest_complete(scene, impatient, name):
    """Shown until all of it is there, then no more; not after a remount."""
    spoil(scene)
    file = file_of(impatient, name)
    with opened(file) as fd:
        try:
            head = os.pread(fd, 4 * KIB, 0)
            assert head == scene.bodies[name][:4 * KIB], "it begins right"
        except OSError as error:
            assert error.errno == errno.EIO
    errno_of(file.read_bytes)
    assert wait_until(
        lambda: impatient.status()["cache_bad_digests_total"], scaled(10))
    drop_pages(file)
    assert wait_until(lambda: outcome(file) == errno.EIO, scaled(10), 0.2)
    scene.hub.calm()
    impatient.remount()
    assert wait_until(lambda: outcome(file) == scene.bodies[name],
                      scaled(10), 0.3)


@pytest.mark.parametrize("name", DIGESTS)
def test_a_wrong_digest_full(scene, make_mount, name):
    """Not one byte before all is proven."""
    mount = start(scene.fill(), make_mount, "--verify", "full")
    spoil(scene)
    file = file_of(mount, name)
    with opened_or_errno(file) as fd:
        if fd is not None:
            assert errno_of(os.pread, fd, 1, 0) == errno.EIO
    assert mount.status()["cache_bad_digests_total"] > 0
    scene.hub.calm()
    mount.remount()
    assert outcome(file) == scene.bodies[name]


class opened_or_errno:
    """The descriptor, or None where opening gives EIO."""

    def __init__(self, path):
        self.path = path
        self.fd = None

    def __enter__(self):
        try:
            self.fd = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            assert error.errno == errno.EIO
        return self.fd

    def __exit__(self, *_):
        if self.fd is not None:
            os.close(self.fd)


def test_another_digest_of_keras(scene, make_mount):
    """SHA-256 in the catalogue, and verify off believes what comes."""
    scene.fill(keras_digest="sha256:" + "0" * 64)
    mount = start(scene, make_mount, "--verify", "full")
    assert outcome(file_of(mount, "keras")) == errno.EIO
    mount.stop()
    mount.options += ["--verify", "off"]
    mount.start()
    assert outcome(file_of(mount, "keras")) == scene.bodies["keras"]


# ---- signed addresses ----

def read_past_the_end_of_addresses(scene, path, body):
    """Addresses end between two reads; the second is right all the same."""
    with opened(path) as fd:
        assert pread_all(fd, 0, MIB) == body[:MIB]
        scene.hub.set(expire="now")
        for at in range(MIB, len(body), MIB):
            want = body[at:at + MIB]
            assert pread_all(fd, at, len(want)) == want


def test_kaggle_addresses_are_renewed(scene, make_mount):
    body = payload(24 * MIB, 8)
    scene.fill().hub.commit(KAGGLE_ID, {"variables/large": body},
                            kind="kaggle")
    mount = start(scene, make_mount)
    file = folder_of(mount, "tensorflow") / "saved_model/variables/large"
    read_past_the_end_of_addresses(scene, file, body)
    asked = [seen for seen in scene.hub.requests()
             if seen["origin"] == KAGGLE and "/download/" in seen["path"]]
    refused = [seen for seen in scene.hub.requests()
               if seen["status"] == 403]
    assert refused and len(asked) > 1, "an address had ended"


def release_of_timm(scene):
    """A model of timm that is an asset of a release: (id, body)."""
    body = payload(24 * MIB, 9)
    name = "gcvit_base.in1k"
    file = "gcvit_base_224_nvidia-f009139b.pth"
    tag = "v0.1-weights-morevit"
    scene.hub.github("huggingface/pytorch-image-models", {"README": b"x"},
                     renamed_from=["rwightman/pytorch-image-models"])
    scene.hub.release("huggingface/pytorch-image-models", tag, {file: body})
    return name, body


def test_addresses_of_a_release_are_renewed(scene, make_mount):
    name, body = release_of_timm(scene)
    mount = start(scene.fill(), make_mount, "--verify", "off")
    folder = mount.path / "pytorch/timm" / name
    weights = [entry for entry in os.listdir(folder)
               if entry.endswith(".pth")]
    assert len(weights) == 1, os.listdir(folder)
    read_past_the_end_of_addresses(scene, folder / weights[0], body)
    assert [seen for seen in scene.hub.requests()
            if seen["status"] == 403 and seen["origin"] == ASSETS]
    assert GITHUB in {seen["origin"] for seen in scene.hub.requests()}


# ---- silence ----

@pytest.mark.parametrize("name", [
    name if name in ("torchvision", "tensorflow") else
    pytest.param(name, marks=pytest.mark.slow) for name in HOSTS])
def test_a_silent_hub(scene, impatient, name):
    """ETIMEDOUT at the deadline; every other hub answers meanwhile."""
    origin = HOSTS[name]
    others = [each for each in HOSTS if HOSTS[each] != origin
              and (each, name) != ("tensorflow", "keras")]
    if name == "timm":  # of "hub" there are several
        scene.hub.set_for("timm/" + TIMM_ID, "", stall={"seconds": 60})
    else:
        scene.hub.set(stall={"seconds": 60, "origin": origin})
    stuck = start_together([
        lambda: os.listdir(folder_of(impatient, name))])
    began = time.monotonic()
    for other in others:
        assert outcome(file_of(impatient, other)) == scene.bodies[other]
    assert time.monotonic() - began < scaled(TIMEOUT_S), \
        "the others waited too"
    finish(stuck, scaled(TIMEOUT_S + 3))
    assert isinstance(stuck[0].error, OSError), stuck[0].value
    assert stuck[0].error.errno == errno.ETIMEDOUT
    assert stuck[0].took_s >= TIMEOUT_S - 0.5
    scene.hub.calm()
    assert wait_until(lambda: outcome(file_of(impatient, name)) ==
                      scene.bodies[name], scaled(40), 0.3)


def test_what_is_known_answers_while_all_are_silent(scene, impatient):
    """Read once, then every hub stops: no wait, in this mount or the next."""
    for name in MODELS:
        os.listdir(folder_of(impatient, name))
        assert outcome(file_of(impatient, name)) == scene.bodies[name]
    scene.hub.pause()
    for again in (impatient, impatient.remount()):
        began = time.monotonic()
        for name in MODELS:
            os.listdir(folder_of(again, name))
            assert outcome(file_of(again, name)) == scene.bodies[name]
        assert time.monotonic() - began < scaled(2)
    scene.hub.resume()
