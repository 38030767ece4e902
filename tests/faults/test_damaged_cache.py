# SPDX-License-Identifier: MIT
"""A cache that was damaged while nothing was mounted.

Bits flip, files shrink, vanish or are zeroed, the index too: no wrong byte is
ever read, the daemon lives, and nobody repairs anything.
"""

import os
import shutil

import pytest

from fault_scenes import MIB, payload, random_source, scaled, tiny_bert
from mounted import wait_until

ROUNDS = 20


def flip(path, source):
    size = path.stat().st_size
    with open(path, "r+b") as file:
        for _ in range(source.randrange(1, 50)):
            at = source.randrange(size)
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1 << source.randrange(8)]))


def truncate(path, source):
    os.truncate(path, source.randrange(path.stat().st_size))


def extend(path, source):
    with open(path, "ab") as file:
        file.write(source.randbytes(source.randrange(1, 5000)))


def delete(path, source):
    path.unlink()


def zero(path, source):
    size = path.stat().st_size
    first = source.randrange(size)
    with open(path, "r+b") as file:
        file.seek(first)
        file.write(bytes(source.randrange(size - first) + 1))


def scramble(path, source):
    with open(path, "r+b") as file:
        file.seek(source.randrange(path.stat().st_size))
        file.write(source.randbytes(4096))


def swap(path, source):
    """The content of another file of the cache in its place."""
    others = [p for p in path.parent.rglob("*") if p.is_file() and p != path]
    if others:
        path.write_bytes(source.choice(others).read_bytes())


HARMS = [flip, truncate, extend, delete, zero, scramble, swap]


def files_of(folder):
    return sorted(path for path in folder.rglob("*")
                  if path.is_file() and path.stat().st_size)


def targets(cache, what):
    """Block files, the index, or all but the log."""
    if what == "both":
        return files_of(cache / "blobs") + files_of(cache / "index")
    return files_of(cache / what)


@pytest.fixture
def model(hub, make_mount):
    files = {"a.bin": payload(5 * MIB + 3, 1), "b.bin": payload(MIB, 2),
             "config.json": b"{}", **{"small/%d.txt" % i: payload(500, i)
                                      for i in range(10)}}
    hub.add("org/model", files)
    hub.add("org/bert", tiny_bert(hidden_size=32, vocab_size=2000))
    mount = make_mount(hub).start()
    staged = mount.model("org/bert/pytorch/staged.onnx").read_bytes()
    return mount, files, staged


def read_all(mount, files, staged):
    repo = mount.model("org/model/repo")
    for name, body in files.items():
        assert (repo / name).read_bytes() == body, "WRONG: " + name
    assert mount.model("org/bert/pytorch/staged.onnx").read_bytes() == staged


@pytest.mark.parametrize("what", ["blobs", "index", "both"])
def test_damage_between_mounts(model, what):
    mount, files, staged = model
    source = random_source("damage of " + what)
    read_all(mount, files, staged)
    damaged = 0
    for number in range(ROUNDS):
        mount.stop()
        harms = []
        for path in targets(mount.cache, what):
            if path.exists() and source.random() < 0.6:
                harm = source.choice(HARMS)
                harm(path, source)
                harms.append((harm.__name__, path.name))
        try:
            mount.start()
            read_all(mount, files, staged)
        except BaseException:
            print("round %d: %s\n%s" % (number, harms, mount.log()[-3000:]))
            raise
        assert mount.alive()
        damaged += mount.status()["cache_damaged_total"]
    print("%d damaged blocks found in %d rounds" % (damaged, ROUNDS))
    assert what == "index" or damaged > 0


def test_damage_after_a_kill(model):
    """The index is suspect then, and looked through before it is used."""
    mount, files, staged = model
    source = random_source("damage after a kill")
    for _ in range(8):
        read_all(mount, files, staged)
        mount.kill()
        for path in targets(mount.cache, "both"):
            if source.random() < 0.3:
                source.choice(HARMS)(path, source)
        mount.start()
    read_all(mount, files, staged)


def test_damage_while_mounted(model):
    """Blocks that this mount has not read yet are proven when it does."""
    mount, files, staged = model
    read_all(mount, files, staged)
    mount.remount()
    source = random_source("damage while mounted")
    repo = mount.model("org/model/repo")
    os.listdir(repo)
    for path in files_of(mount.cache / "blobs"):
        flip(path, source)
    read_all(mount, files, staged)
    assert mount.status()["cache_damaged_total"] > 0
    assert repo.exists()


def test_cache_is_deleted(model):
    """While nothing is mounted, wholly or in part."""
    mount, files, staged = model
    for part in ("index", "blobs", "lock", "running", ""):
        read_all(mount, files, staged)
        mount.stop()
        path = mount.cache / part
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        mount.start()
    read_all(mount, files, staged)


def test_lost_index_is_made_again_from_whole_files(model, hub):
    """Files that are all there are proven by their digest, not fetched."""
    mount, files, staged = model
    read_all(mount, files, staged)
    repo = mount.model("org/model/repo")
    assert wait_until(lambda: os.getxattr(
        repo / "a.bin", "user.omnihub.state") == b"verified", scaled(10))
    mount.stop()
    shutil.rmtree(mount.cache / "index")
    mount.start()
    hub.forget()
    read_all(mount, files, staged)
    print("sent again: %d bytes" % hub.bytes_sent())
    assert hub.bytes_sent("a.bin") == 0


def test_a_cache_from_the_future(model):
    """An index that is no index at all."""
    mount, files, staged = model
    mount.stop()
    data = mount.cache / "index/data.mdb"
    for content in (b"", b"x", b"SQLite format 3\0" * 1000, bytes(1 << 20)):
        data.write_bytes(content)
        mount.start()
        read_all(mount, files, staged)
        mount.stop()
    mount.start()
