# SPDX-License-Identifier: MIT
"""What was used once is there again without a hub, and without a request."""

import errno
import os
import stat
import time

import pytest

from mount_scenes import MIB, errno_of, payload, scaled, tiny_bert
from mounted import wait_until

BERT_BASE = "google-bert/bert-base-uncased"
MISSING = ["org/none", "none/model", BERT_BASE + "/repo/none.json",
           BERT_BASE + "@none"]


def record(mount):
    """All that was used: each path -> its bytes, names, link or errno."""
    seen = {}
    for top in ("", ".", BERT_BASE, "bert-base", "org", "org/model@main"):
        seen[top] = sorted(os.listdir(mount.model(top)))
    seen["link"] = os.readlink(mount.model("bert-base"))
    for top in (BERT_BASE, "org/model@main"):
        for at, _, names in os.walk(mount.model(top)):
            for name in names:
                path = os.path.join(at, name)
                with open(path, "rb") as file:
                    seen[path] = file.read()
                entry = os.stat(path)
                seen[path, "stat"] = entry.st_ino, entry.st_size, entry.st_mode
                assert stat.S_ISREG(entry.st_mode)
    for name in MISSING:
        seen[name] = errno_of(os.stat, mount.model(name))
    return seen


def committed(mount):
    """All that was read is in the index: it survives kill -9."""
    path = mount.model("org/model@main/repo/weights.bin")
    return wait_until(lambda: os.getxattr(path, "user.omnihub.state") ==
                      b"verified", scaled(20))


@pytest.fixture
def used(hub, make_mount):
    """A mount that was used, and what was seen there."""
    hub.add(BERT_BASE, tiny_bert(), downloads=5)
    hub.add("org/model", {"config.json": b"{}", "empty": b"",
                          "weights.bin": payload(2 * MIB)})
    mount = make_mount(hub).start()
    seen = record(mount)
    assert [seen[name] for name in MISSING] == [errno.ENOENT] * len(MISSING)
    assert sum(isinstance(body, bytes) for body in seen.values()) > 8
    assert record(mount) == seen
    return mount, seen


def requests_made(mount):
    return mount.status()["http_requests_total"]


def test_second_use_makes_no_request(used, hub):
    mount, seen = used
    hub.forget()
    assert record(mount) == seen
    assert not hub.requests()


def test_second_mount_makes_no_request(used, hub):
    mount, seen = used
    hub.forget()
    mount.remount()
    assert record(mount) == seen
    assert not hub.requests() and requests_made(mount) == 0


def test_hub_is_dead(used, hub):
    mount, seen = used
    hub.kill()
    mount.remount()
    assert record(mount) == seen
    assert requests_made(mount) == 0


def test_hub_is_silent(used, hub):
    mount, seen = used
    hub.pause()
    mount.remount()
    assert record(mount) == seen
    assert requests_made(mount) == 0
    hub.resume()


@pytest.mark.parametrize("how", ["--offline", "HF_HUB_OFFLINE"])
def test_offline(used, hub, how):
    mount, seen = used
    hub.forget()
    mount.stop()
    if how == "--offline":
        mount.start("--offline")
    else:
        mount.env["HF_HUB_OFFLINE"] = "1"
        mount.start()
    assert record(mount) == seen
    assert errno_of(os.stat, mount.model("other/model")) == errno.ENETUNREACH
    assert not hub.requests()


def test_daemon_was_killed(used, hub):
    mount, seen = used
    assert committed(mount)
    # The committer gathers for a fifth of a second.
    assert wait_until(lambda: index_is_still(mount), scaled(20))
    mount.kill()
    hub.kill()
    mount.start()
    assert record(mount) == seen
    assert requests_made(mount) == 0


def index_is_still(mount, still_s=1.0):
    """Not written to for a while."""
    file = mount.cache / "index/data.mdb"
    return time.time() - file.stat().st_mtime > still_s


def test_part_of_a_file_is_kept(hub, make_mount):
    """What was read of it needs no hub, what was not fails."""
    body = payload(40 * MIB)
    hub.add("org/model", {"big.bin": body})
    mount = make_mount(hub, "--timeout", "3").start()
    path = mount.model("org/model/repo/big.bin")
    with open(path, "rb", buffering=0) as file:
        assert os.pread(file.fileno(), 5000, 20 * MIB) == \
            body[20 * MIB:20 * MIB + 5000]
    hub.kill()
    mount.remount()
    with open(path, "rb", buffering=0) as file:
        assert os.pread(file.fileno(), 5000, 20 * MIB) == \
            body[20 * MIB:20 * MIB + 5000]
        assert errno_of(os.pread, file.fileno(), 5000, MIB) == errno.EIO


def test_refresh_with_a_dead_hub_loses_nothing(used, hub):
    mount, seen = used
    hub.kill()
    for name in (BERT_BASE, "org/model@main", "org"):
        os.setxattr(mount.model(name), "user.omnihub.refresh", b"1")
    assert record(mount) == seen


def test_caches_of_two_mounts_are_two(used, hub, make_mount):
    """A second mount beside, with a cache of its own."""
    mount, seen = used
    other = make_mount(hub, name="other").start()
    beside = record(other)
    assert {os.path.basename(str(k)) for k in beside} == \
        {os.path.basename(str(k)) for k in seen}
