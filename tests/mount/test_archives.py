# SPDX-License-Identifier: MIT
"""Archives as directories: one job for all who ask, none the second time,
and what hostile archives may show and do."""

import errno
import io
import json
import os
import pathlib
import signal
import threading
import time
import zipfile

import pytest

from evil_archives import GOOD, tars, zips
from hub_publish import tar_gz
from hub_scene import MODELS, SERVE, Scene, rows
from mount_scenes import (KIB, MIB, SLOWNESS, errno_of, finish, payload,
                          run_together, scaled, start_together)
from mounted import wait_until

WORKER = "omnihub-unpack"
MIRROR = "onnxmodelzoo/legacy_models"
READERS = 16
# A sanitizer keeps what was freed, and a shadow of all.
HWM_KIB_MAX = 200 * KIB * (1 if SLOWNESS == 1 else 10)


def children(pid):
    """The worker processes of the daemon @pid."""
    found = set()
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, rest = stat.read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if head.endswith("(" + WORKER) and rest.split()[1] == str(pid):
            found.add(int(stat.parent.name))
    return found


def no_children(pid):
    """A worker that has answered still has to end."""
    return wait_until(lambda: not children(pid), scaled(10))


class Watch:
    """The worker processes that there were while it lasts."""

    def __init__(self, mount):
        self.mount = mount
        self.seen = set()
        self.over = threading.Event()

    def _look(self):
        while not self.over.is_set():
            self.seen |= children(self.mount.pid)

    def __enter__(self):
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


@pytest.fixture
def scene(hub, tmp_path):
    """A zoo model whose archive takes a while at @slow()."""
    scene = Scene(hub, tmp_path)
    scene.archive["mnist/model.onnx"] = payload(2 * MIB, 77)
    return scene.fill()


def slow(scene, rate=MIB):
    scene.hub.set(bytes_per_second=rate)


def archive_of(mount):
    return mount.path / MODELS["onnx"][0] / "archive"


def content(folder):
    """path -> bytes of what is below @folder; errors are errors."""
    def fail(error):
        raise error
    return {os.path.relpath(os.path.join(at, name), folder):
            pathlib.Path(at, name).read_bytes()
            for at, _, names in os.walk(folder, onerror=fail)
            for name in names}


def test_one_job_for_all(scene, make_mount):
    mount = scene.mount(make_mount).start()
    slow(scene)
    file = archive_of(mount) / "mnist/model.onnx"
    with Watch(mount) as watch:
        got = run_together([file.read_bytes] * READERS, scaled(60))
    assert all(body == scene.archive["mnist/model.onnx"] for body in got)
    assert len(watch.seen) == 1
    assert no_children(mount.pid)
    tar = [seen["range"] for seen in scene.hub.requests()
           if seen["status"] == 206]
    assert len(tar) == len(set(tar)), "each byte is fetched once"


def test_a_second_mount_has_no_job(scene, make_mount):
    mount = scene.mount(make_mount).start()
    assert content(archive_of(mount)) == scene.archive
    mount.stop()
    scene.hub.kill()
    mount.start("--offline")
    with Watch(mount) as watch:
        assert content(archive_of(mount)) == scene.archive
    assert not watch.seen
    assert mount.status()["http_requests_total"] == 0


def test_the_status_tells_of_jobs(scene, make_mount):
    mount = scene.mount(make_mount).start()
    assert mount.status()["jobs"] == []
    slow(scene, 400 * KIB)
    stuck = start_together([lambda: os.listdir(archive_of(mount))])
    told = wait_until(lambda: mount.status()["jobs"], scaled(10))
    assert len(told) == 1, told
    assert wait_until(lambda: len(children(mount.pid)) == 1, scaled(10))
    assert {"label", "done", "total", "seconds"} <= set(told[0])
    assert told[0]["label"].endswith(".tar.gz")
    assert 0 <= told[0]["done"] <= told[0]["total"]
    assert told[0]["total"] > MIB
    scene.hub.calm()
    finish(stuck, scaled(60))
    assert stuck[0].value == ["mnist"]
    assert wait_until(lambda: mount.status()["jobs"] == [], scaled(10))


@pytest.fixture
def archive_only(scene):
    """A folder of the zoo with an archive alone; its model inside."""
    body = payload(20 * MIB, 5)
    scene.hub.zoo_files({"validated/only/model.tar.gz": tar_gz({
        "model.onnx": body, "weights.bin": b"w"})}, ("mirror",))
    return "onnx/tree/validated/only", body


def test_a_job_tells_how_far_it_is(scene, make_mount, archive_only):
    """More than once: an archive of some pieces grows while it is read."""
    path, body = archive_only
    mount = scene.mount(make_mount).start()
    scene.hub.set_for(MIRROR, "validated/only/model.tar.gz",
                      bytes_per_second=4 * MIB)
    stuck = start_together([lambda: os.listdir(mount.path / path)])
    seen = set()

    def grown():
        seen.update(job["done"] for job in mount.status()["jobs"])
        return len(seen) > 2

    assert wait_until(grown, scaled(20)), seen
    assert max(seen) <= len(body) + MIB
    scene.hub.calm()
    finish(stuck, scaled(60))
    assert "staged.onnx" in stuck[0].value


def goes_on(scene, mount, path, body, rate):
    """The deadline passes first: staged.status, then the model, no error."""
    folder = mount.path / path
    scene.hub.set_for(MIRROR, "validated/only/model.tar.gz",
                      bytes_per_second=rate)
    assert wait_until(lambda: told_state(folder) == "unpacking", scaled(10))
    assert errno_of(os.listdir, folder / "archive") in (None,
                                                        errno.ETIMEDOUT)
    assert wait_until(lambda: "staged.onnx" in os.listdir(folder), scaled(60),
                      0.3)
    assert (folder / "staged.onnx").read_bytes() == body
    assert "staged.status" not in os.listdir(folder)


def test_unpacking_is_told_and_goes_on(scene, make_mount, archive_only):
    mount = scene.mount(make_mount, "--timeout", "2").start()
    goes_on(scene, mount, *archive_only, 3 * MIB)
    assert "was not unpacked" not in mount.log()


def test_a_bundle_tells_how_far_it_is(scene, make_mount):
    """A SavedModel that comes as an archive alone: no error, staged.status."""
    handle = "fixtures/bundled/tensorFlow2/saved/1"
    bundle = tar_gz({"./saved_model.pb": b"no graph",
                     "./variables/variables.index": payload(20 * MIB, 6)})
    scene.hub.kaggle(handle, {"model.tar.gz": bundle}, bundle=bundle)
    mount = scene.mount(make_mount, "--timeout", "2").start()
    folder = mount.path / "tensorflow/fixtures/bundled/saved/1"
    scene.hub.set(bytes_per_second=3 * MIB)
    assert wait_until(lambda: told_state(folder) == "unpacking", scaled(10))
    assert errno_of(os.stat, folder / "staged.pb") == errno.ETIMEDOUT
    scene.hub.calm()
    assert wait_until(lambda: told_state(folder) == "refused", scaled(60),
                      0.3), "there is no graph in it"


@pytest.mark.slow
def test_a_job_is_not_bound_by_the_timeout(scene, make_mount, archive_only):
    """A piece that takes longer than --timeout does not end the job."""
    mount = scene.mount(make_mount, "--timeout", "2").start()
    goes_on(scene, mount, *archive_only, 500 * KIB)


def told_state(folder):
    try:
        told = json.loads((folder / "staged.status").read_text())
    except OSError:
        return None
    assert 0 <= told.get("done", 0) <= told.get("total", 0)
    return told["state"]


def test_a_killed_worker(scene, make_mount):
    """EIO for who waited, and the next who asks has it unpacked."""
    mount = scene.mount(make_mount).start()
    slow(scene, 300 * KIB)
    waiting = start_together([lambda: os.listdir(archive_of(mount))])
    worker = wait_until(lambda: children(mount.pid), scaled(10))
    os.kill(worker.pop(), signal.SIGKILL)
    finish(waiting, scaled(20))
    assert waiting[0].error is not None and \
        waiting[0].error.errno == errno.EIO
    assert mount.alive()
    scene.hub.calm()
    assert wait_until(lambda: errno_of(os.listdir, archive_of(mount)) is None,
                      scaled(20), 0.2)
    assert content(archive_of(mount)) == scene.archive


def test_a_killed_daemon_leaves_no_worker(scene, make_mount):
    mount = scene.mount(make_mount).start()
    slow(scene, 200 * KIB)
    start_together([lambda: os.listdir(archive_of(mount))])
    worker = wait_until(lambda: children(mount.pid), scaled(10)).pop()
    mount.kill()
    assert wait_until(lambda: not os.path.exists("/proc/%d" % worker),
                      scaled(10))
    scene.hub.calm()
    mount.start()
    assert content(archive_of(mount)) == scene.archive


def test_members_of_a_zip(scene, make_mount):
    """A .mar is listed without a job; a packed member is one when read."""
    out, body = io.BytesIO(), b"text " * 50000
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("MAR-INF/MANIFEST.json", b"{}")
        z.writestr("packed.txt", body)
        z.writestr(zipfile.ZipInfo("stored.txt"), body, zipfile.ZIP_STORED)
    scene.hub.torchserve("alexnet.mar", out.getvalue())
    mount = scene.mount(make_mount).start()
    folder = mount.path / MODELS["torchserve"][0] / "archive"
    with Watch(mount) as watch:
        assert sorted(os.listdir(folder)) == ["MAR-INF", "packed.txt",
                                              "stored.txt"]
        assert (folder / "packed.txt").stat().st_size == len(body)
    assert not watch.seen
    got = run_together([(folder / "packed.txt").read_bytes] * READERS,
                       scaled(30))
    assert set(got) == {body}
    assert (folder / "stored.txt").read_bytes() == body


# ---- hostile archives ----

# What may be seen beside good.txt, or the code of the refusal.
MEMBERS = {
    "Z-01-dotdot": {}, "Z-01-absolute": {},
    "Z-02-symlink": {"evil/passwd": b"evil"}, "Z-02-symlink-up": {},
    "Z-03-hardlink": {}, "Z-03-hardlink-itself": {}, "Z-04-devices": {},
    "Z-12-duplicate": {"twice": b"two!"},
    "Z-12-file-and-folder": {"both/evil": b"in"},
    "Z-01-dotdot-zip": {}, "Z-01-absolute-zip": {},
    "Z-09-mismatch": {"evil.dat": errno.EIO},
    "Z-13-crc": {"evil.dat": errno.EIO},
}
REFUSED = {
    "Z-07-bomb": "archive-too-big", "Z-14-encrypted": "archive-unsupported",
    "Z-14-method": "archive-unsupported",
    **dict.fromkeys((
        "Z-05-overlap", "Z-08-size-lie", "Z-08-size-lie-zip",
        "Z-10-second-end", "Z-11-count", "Z-15-sparse", "Z-16-checksum",
        "Z-18-layers", "Z-19-no-tar", "Z-21-trailing", "empty-gzip",
        "truncated", "truncated-zip"), "archive-damaged"),
}


def seen_in(folder):
    """path -> bytes, or the errno of reading them."""
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = pathlib.Path(at, name)
            try:
                found[os.path.relpath(path, folder)] = path.read_bytes()
            except OSError as error:
                found[os.path.relpath(path, folder)] = error.errno
    return found


def everything_below(folder, *but):
    """path -> what tells a change, of what is not of the hub or cache."""
    found = {}
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders
                      if os.path.join(at, name) not in but]
        for name in folders + names:
            entry = os.lstat(os.path.join(at, name))
            found[os.path.join(at, name)] = (entry.st_mode, entry.st_size,
                                             entry.st_mtime_ns)
    return found


@pytest.fixture
def hostile(hub, tmp_path, make_mount):
    """(name -> its folder in the mount, the mount)."""
    scene = Scene(hub, tmp_path).fill()
    hub.zoo_files({"validated/evil/%s/model.tar.gz" % name: body
                   for name, body in tars().items()}, ("mirror",))
    mount = scene.mount(make_mount)
    folders = {name: mount.path / "onnx/tree/validated/evil" / name
               for name in tars()}
    of_serve = (row for row in rows("torchserve") if row["urls"].startswith(
        "https://%s/mar_files/" % SERVE) and row["id"] != "alexnet")
    for (name, body), row in zip(zips().items(), of_serve):
        hub.torchserve(row["file"], bytes(body))
        folders[name] = mount.path / "pytorch/torchserve" / row["id"]
    return folders, mount.start()


def test_hostile_archives(hostile, tmp_path):
    """Each shows what is good in it or is refused; nothing is written."""
    folders, mount = hostile
    assert set(folders) == {*MEMBERS, *REFUSED}
    outside = [str(mount.cache), str(mount.path), str(tmp_path / "hub0")]
    before = everything_below(tmp_path, *outside)
    for name, folder in folders.items():
        seen = seen_in(folder / "archive")
        told = json.loads((folder / "staged.status").read_text())
        assert told["state"] == "refused", name
        if name in MEMBERS:
            assert seen == {"good.txt": GOOD, **MEMBERS[name]}, name
        else:
            assert told["code"] == REFUSED[name], name
            assert set(seen) <= {"staged.status"}, name
        assert mount.alive(), name
    assert everything_below(tmp_path, *outside) == before
    assert not any(path.name.startswith("evil")
                   for path in mount.cache.rglob("*"))
    assert not os.path.exists("/tmp/evil") and no_children(mount.pid)
    assert mount.proc("VmHWM") < HWM_KIB_MAX


def reason_in(folder):
    told = json.loads((folder / "staged.status").read_text())
    return told["code"], told["reason"]


def test_refused_archives_are_not_tried_again(hostile):
    """A refusal is remembered: no job, in this mount or the next."""
    folders, mount = hostile
    refused = [folders[name] for name in REFUSED if "zip" not in name]
    first = [reason_in(folder) for folder in refused]
    mount.remount()
    with Watch(mount) as watch:
        assert first == [reason_in(folder) for folder in refused]
    assert not watch.seen


def test_a_bomb_takes_no_room(hostile):
    """Refused before it is written."""
    folders, mount = hostile
    began = time.monotonic()
    before = os.statvfs(mount.cache).f_bavail
    assert os.listdir(folders["Z-07-bomb"] / "archive") == ["staged.status"]
    assert time.monotonic() - began < scaled(20)
    used = sum(path.stat().st_blocks * 512 for path
               in mount.cache.rglob("*") if path.is_file())
    assert used < 64 * MIB, before
