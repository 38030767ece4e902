# SPDX-License-Identifier: MIT
"""A disk without room turns caching off, never reading; a budget is kept."""

import json
import os
import subprocess
import time

import pytest

from fault_scenes import (KIB, MIB, opened, payload, pread_all,
                          random_source, run_together, scaled)
from mounted import drop_pages, wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0,
                             reason="mounting a small disk needs root")


@pytest.fixture
def small_disk(tmp_path):
    """small_disk(bytes) -> a folder that holds no more."""
    made = []

    def make(size):
        folder = tmp_path / "disk"
        folder.mkdir(mode=0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o",
                        "size=%d,mode=700" % size, "tmpfs", folder], check=True)
        made.append(folder)
        return folder

    yield make
    for folder in made:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def mount_on(small_disk, make_mount):
    """mount_on(hub, bytes, ...) -> a mount with its cache on a small disk."""
    mounts = []

    def make(hub, size, *options):
        mount = make_mount(hub, "--keep-free", str(size // 20), *options)
        mount.cache = small_disk(size) / "cache"
        mounts.append(mount)
        return mount

    yield make
    for mount in mounts:
        mount.close()


def same(path, body, step=MIB):
    with opened(path) as fd:
        for offset in range(0, len(body), step):
            assert os.pread(fd, step, offset) == body[offset:offset + step]


def allocated(folder):
    """Bytes that the block files take."""
    return sum(512 * os.lstat(os.path.join(at, name)).st_blocks
               for at, _, names in os.walk(folder / "blobs") for name in names)


@as_root
@pytest.mark.parametrize("disk", [4 * MIB, 20 * MIB])
def test_disk_smaller_than_the_file(hub, mount_on, disk):
    """The budget is far beyond what the disk has."""
    files = {"%d.bin" % i: payload(30 * MIB, i) for i in range(2)}
    hub.add("org/model", files)
    mount = mount_on(hub, disk, "--cache-size", "10G").start()
    repo = mount.model("org/model/repo")
    for _ in range(2):
        for name, body in files.items():
            drop_pages(repo / name)
            same(repo / name, body)
    print({name: value for name, value in mount.status().items()
           if name in ("cache_bypass", "cache_bytes", "cache_bytes_max",
                       "cache_evicted_bytes_total")}, mount.log()[-600:])
    assert mount.alive()


@as_root
def test_disk_that_others_fill(hub, mount_on):
    """No block can be written: status says bypass; then room comes back."""
    body = payload(12 * MIB, 4)
    hub.add("org/model", {"b.bin": body[::-1], "c.bin": body[5:]})
    mount = mount_on(hub, 64 * MIB, "--cache-size", "10G").start()
    repo = mount.model("org/model/repo")
    os.listdir(repo)
    fill = mount.cache.parent / "fill"
    fill_up(fill)
    same(repo / "b.bin", body[::-1])
    assert mount.status()["cache_bypass"] == 1
    told = mount.run("status", mount.path).stdout
    assert "caching is off" in told
    drop_pages(repo / "b.bin")
    same(repo / "b.bin", body[::-1])
    fill.unlink()
    assert wait_until(lambda: cached_again(mount, repo, body), scaled(30), 1)


def fill_up(path):
    with open(path, "wb", buffering=0) as file:
        for step in (MIB, 4 * KIB):
            try:
                while True:
                    file.write(bytes(step))
            except OSError:
                pass


def cached_again(mount, repo, body):
    drop_pages(repo / "c.bin")
    same(repo / "c.bin", body[5:])
    return int(os.getxattr(repo / "c.bin", "user.omnihub.cached")) > 0


@as_root
def test_room_is_left_to_others(hub, mount_on):
    """--keep-free: what is kept goes before the disk is full."""
    body = payload(48 * MIB, 5)
    hub.add("org/model", {"x.bin": body})
    mount = mount_on(hub, 64 * MIB, "--cache-size", "10G",
                     "--keep-free", "40M").start()
    path = mount.model("org/model/repo/x.bin")
    for _ in range(2):
        drop_pages(path)
        same(path, body)
        assert 20 * MIB < allocated(mount.cache) <= 24 * MIB


@as_root
def test_folders_of_models_are_listed(hub, mount_on):
    """What a listing is made of is asked for again when it has gone."""
    config = {"model_type": "unheard-of",
              "architectures": ["UnheardOfForImageClassification"]}
    hub.add("org/model", {"config.json": json.dumps(config).encode(),
                          "model.safetensors": payload(MIB)})
    mount = mount_on(hub, 64 * MIB, "--keep-free", "1T").start()
    view = mount.model("org/model/pytorch")
    for _ in range(3):
        assert set(os.listdir(view)) == {"image-classification",
                                         "staged.status"}
        assert os.listdir(view / "image-classification") == ["staged.status"]
        time.sleep(1.2)  # a listing that may change is kept for a second


@as_root
def test_many_readers_of_a_full_disk(hub, mount_on):
    """More bytes are waited for than memory is spent on: none fails."""
    source = random_source("full disk")
    body = payload(96 * MIB, 6)
    hub.add("org/model", {"x.bin": body})
    mount = mount_on(hub, 4 * MIB, "--cache-size", "10G").start()
    path = mount.model("org/model/repo/x.bin")
    os.stat(path)
    fill_up(mount.cache.parent / "fill")
    offsets = [i * (3 * MIB // 2) for i in range(64)]
    source.shuffle(offsets)

    def reader(offset):
        with opened(path) as fd:
            for at in range(offset, offset + MIB, 512 * KIB):
                assert pread_all(fd, at, 512 * KIB) == body[at:at + 512 * KIB]

    run_together([lambda o=o: reader(o) for o in offsets], scaled(60))
    peak = mount.proc("VmHWM") / 1024
    print("peak memory %.0f MiB" % peak)


@as_root
def test_mount_on_a_full_disk(hub, mount_on):
    """Not even the index can be written: a clear error, or a mount that works."""
    hub.add("org/model", {"x.bin": payload(2 * MIB)})
    mount = mount_on(hub, MIB)
    fill_up(mount.cache.parent / "fill")
    done = subprocess.run(mount.command(), env=mount.env, text=True,
                          capture_output=True, timeout=60, check=False)
    if done.returncode == 0:
        mount.pid = mount.status()["pid"]
        same(mount.model("org/model/repo/x.bin"), payload(2 * MIB))
    else:
        assert "No space left" in done.stderr, done.stderr


def test_budget_is_kept(hub, make_mount):
    """Reading four times the budget, over and over, with right bytes."""
    files = {"%d.bin" % i: payload(16 * MIB, i) for i in range(4)}
    hub.add("org/model", files)
    mount = make_mount(hub, "--cache-size", "16M").start()
    repo = mount.model("org/model/repo")
    most = 0
    for _ in range(2):
        for name, body in files.items():
            drop_pages(repo / name)
            same(repo / name, body)
            most = max(most, mount.status()["cache_bytes"],
                       allocated(mount.cache))
    print("budget 16 MiB, at most %.1f" % (most / MIB))
    assert most <= 16 * MIB + 4 * MIB
    assert mount.status()["cache_bypass"] == 0, "a full budget is no full disk"
    assert mount.status()["cache_evicted_bytes_total"] >= 100 * MIB


def test_budget_smaller_than_what_readers_hold(hub, make_mount):
    """64 readers at a time hold more than the whole budget."""
    body = payload(64 * MIB, 2)
    hub.add("org/model", {"x.bin": body})
    mount = make_mount(hub, "--cache-size", "8M").start()
    path = mount.model("org/model/repo/x.bin")
    os.stat(path)

    def reader(number):
        with opened(path) as fd:
            for at in range(number * MIB, (number + 1) * MIB, 256 * KIB):
                assert pread_all(fd, at, 256 * KIB) == body[at:at + 256 * KIB]

    run_together([lambda n=n: reader(n) for n in range(64)], scaled(60))
    assert wait_until(lambda: allocated(mount.cache) <= 12 * MIB)


def test_budget_after_a_remount(hub, make_mount):
    """A smaller budget is met by what earlier mounts left."""
    files = {"%d.bin" % i: payload(8 * MIB, i) for i in range(5)}
    hub.add("org/model", files)
    mount = make_mount(hub).start()
    repo = mount.model("org/model/repo")
    for name, body in files.items():
        same(repo / name, body)
    assert allocated(mount.cache) >= 40 * MIB
    mount.stop()
    mount.start("--cache-size", "12M")
    for name, body in files.items():
        drop_pages(repo / name)
        same(repo / name, body)
    assert wait_until(lambda: allocated(mount.cache) <= 16 * MIB), \
        "%d bytes" % allocated(mount.cache)
