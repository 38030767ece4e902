# SPDX-License-Identifier: MIT
"""A branch moves: who has a file open keeps its bytes, others see the new."""

import errno
import os
import stat
import subprocess
import time

import pytest

from fault_scenes import (MIB, errno_of, opened, payload, pread_all, read_at,
                          tiny_bert)
from mounted import drop_pages, wait_until

OLD, NEW = payload(6 * MIB, 1), payload(5 * MIB, 2)


@pytest.fixture
def model(hub, make_mount):
    first = hub.add("org/model", {"x.bin": OLD, "gone.txt": b"gone",
                                  "turn/file": b"a folder first"})
    mount = make_mount(hub).start()
    return mount, mount.model("org/model"), first


def refresh(path):
    os.setxattr(path, "user.omnihub.refresh", b"1")


def move(hub):
    return hub.commit("org/model", {"x.bin": NEW, "gone.txt": None,
                                    "new.txt": b"new", "turn/file": None,
                                    "turn": b"a file then"})


def test_open_file_keeps_its_bytes(hub, model):
    """Those read before and those fetched only after the move."""
    _, path, _ = model
    with opened(path / "repo/x.bin") as fd:
        assert pread_all(fd, 0, 1000) == OLD[:1000]
        move(hub)
        refresh(path)
        assert wait_until(lambda: (path / "repo/x.bin").stat().st_size
                          == len(NEW))
        assert os.fstat(fd).st_size == len(OLD)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        assert pread_all(fd, 0, len(OLD)) == OLD
    assert (path / "repo/x.bin").read_bytes() == NEW


def test_new_commit_after_a_refresh(hub, model):
    _, path, first = model
    inode = (path / "repo/x.bin").stat().st_ino
    second = move(hub)
    assert (path / "repo/x.bin").stat().st_ino == inode, "within its time"
    refresh(path)
    assert wait_until(lambda: revision(path / "repo") == second)
    assert sorted(os.listdir(path / "repo")) == ["new.txt", "turn", "x.bin"]
    assert (path / "repo/turn").read_bytes() == b"a file then"
    assert (path / "repo/x.bin").stat().st_ino != inode
    assert errno_of(os.stat, path / "repo/gone.txt") is not None
    old = path.parent / ("model@" + first) / "repo"
    assert (old / "x.bin").stat().st_ino == inode
    assert (old / "gone.txt").read_bytes() == b"gone"
    assert stat.S_ISDIR((old / "turn").stat().st_mode)


def revision(path):
    return os.getxattr(path, "user.omnihub.revision").decode()


def test_working_folder_of_the_old_commit(hub, model):
    """A process that stands in it goes on seeing one consistent commit."""
    _, path, first = model
    here = os.open(path / "repo", os.O_RDONLY)
    try:
        move(hub)
        refresh(path)
        assert wait_until(lambda: revision(path / "repo") != first)
        assert sorted(os.listdir(here)) == ["gone.txt", "turn", "x.bin"]
        fd = os.open("x.bin", os.O_RDONLY, dir_fd=here)
        assert os.fstat(fd).st_size == len(OLD)
        assert pread_all(fd, MIB, 1000) == OLD[MIB:MIB + 1000]
        os.close(fd)
    finally:
        os.close(here)


def test_staged_file_of_the_old_commit(hub, make_mount):
    """A composed file stays what it was, though its weights moved on."""
    first = hub.add("org/bert", tiny_bert(seed=1))
    mount = make_mount(hub).start()
    path = mount.model("org/bert/pytorch/staged.onnx")
    with opened(path) as fd:
        size = os.fstat(fd).st_size
        hub.commit("org/bert", {"model.safetensors":
                                tiny_bert(seed=2)["model.safetensors"]})
        refresh(mount.model("org/bert"))
        assert wait_until(lambda: revision(path) != first)
        old = pread_all(fd, 0, size)
    assert old == mount.model(
        "org/bert@%s/pytorch/staged.onnx" % first).read_bytes()
    new = path.read_bytes()
    assert len(new) == size and new != old


def test_branch_that_is_forced_back(hub, model):
    _, path, first = model
    second = move(hub)
    refresh(path)
    assert wait_until(lambda: revision(path / "repo") == second)
    hub.ref("org/model", "refs/heads/main", first)
    refresh(path)
    assert wait_until(lambda: revision(path / "repo") == first)
    assert (path / "repo/x.bin").read_bytes() == OLD


def test_move_while_the_hub_is_dead(hub, model):
    """The old commit goes on; the new one shows when the hub is back."""
    _, path, first = model
    assert (path / "repo/x.bin").read_bytes() == OLD
    second = move(hub)
    hub.kill()
    refresh(path)
    drop_pages(path / "repo/x.bin")
    assert (path / "repo/x.bin").read_bytes() == OLD
    assert revision(path / "repo") == first
    hub.start()
    assert wait_until(lambda: refresh(path) or
                      revision(path / "repo") == second, 20, 0.5)


def test_model_is_removed(hub, model):
    """Open files and known commits stay readable as far as cached."""
    _, path, first = model
    assert (path / "repo/x.bin").read_bytes() == OLD
    with opened(path / "repo/x.bin") as fd:
        hub.remove("org/model")
        refresh(path)
        assert wait_until(lambda: errno_of(os.stat, path / "repo") is not None)
        assert pread_all(fd, MIB, 1000) == OLD[MIB:MIB + 1000]
    pinned = path.parent / ("model@" + first)
    assert read_at(pinned / "repo/x.bin", 0, 1000) == OLD[:1000]


def test_model_that_is_removed_stays_so(hub, model):
    """Though the hub says no in the second in which it was asked for anew,
    and a little before had said yes."""
    mount, path, _ = model
    assert os.stat(path / "repo")
    hub.remove("org/model")
    time.sleep(1.1)  # what the kernel believes without asking
    assert wait_until(lambda: time.time() % 1 < 0.1)
    refresh(path)
    for _ in range(20):
        assert errno_of(os.stat, path / "repo") == errno.ENOENT
    before = mount.status()["lookups_total"]
    for _ in range(100):
        assert errno_of(os.stat, path / "repo") == errno.ENOENT
    assert mount.status()["lookups_total"] - before < 50, "not believed"


def test_find_during_moves(hub, model):
    """A walk over a moving branch meets no error but a vanished name."""
    _, path, _ = model
    for number in range(5):
        hub.commit("org/model", {"n%d/file" % number: b"%d" % number})
        refresh(path)
        done = subprocess.run(["find", path], capture_output=True, text=True,
                              check=False)
        assert not done.stderr, done.stderr
