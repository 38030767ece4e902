# SPDX-License-Identifier: MIT
"""user.omnihub.*: what they tell, and the two that act."""

import errno
import hashlib
import os

import pytest

from mounted import drop_pages, wait_until
from mount_scenes import (KIB, MIB, errno_of, payload, read_at, scaled,
                          tiny_bert, write_tree)

OURS = "user.omnihub."


def attributes(path):
    """name (without the prefix) -> value; getxattr and listxattr agree."""
    found = {}
    for name in os.listxattr(path):
        assert name.startswith(OURS), name
        found[name[len(OURS):]] = os.getxattr(path, name).decode()
    return found


def cached(path):
    return int(attributes(path)["cached"])


@pytest.fixture
def mount(hub, make_mount):
    hub.add("org/model", {"config.json": b"{}",
                          "weights.safetensors": payload(3 * MIB)})
    hub.add("org/bert", tiny_bert())
    return make_mount(hub).start()


def test_a_file_of_the_hub(mount, hub):
    path = mount.model("org/model/repo/weights.safetensors")
    body = payload(3 * MIB)
    told = attributes(path)
    assert told["url"] == hub.url + "/org/model"
    assert len(told["revision"]) == 40
    assert told["sha256"] == hashlib.sha256(body).hexdigest()
    assert "plan" not in told
    read_at(path, MIB, 4 * KIB)
    assert attributes(path)["state"] == "partial"
    assert 4 * KIB <= cached(path) <= MIB
    assert path.read_bytes() == body
    assert cached(path) == len(body)
    assert wait_until(lambda: attributes(path)["state"] == "verified")


def test_what_the_cache_has_is_told_unopened(mount):
    """After a remount, before anyone opens the file."""
    path = mount.model("org/model/repo/weights.safetensors")
    assert cached(path) == 0
    path.read_bytes()
    assert wait_until(lambda: attributes(path)["state"] == "verified")
    mount.remount()
    assert attributes(path)["state"] == "verified"
    assert cached(path) == 3 * MIB


def test_a_small_file_has_no_sha256(mount):
    """Git's own digest is none of the file alone, and is not shown."""
    path = mount.model("org/model/repo/config.json")
    path.read_bytes()
    assert "sha256" not in attributes(path)
    assert wait_until(lambda: attributes(path)["state"] == "verified")


def test_a_staged_file(mount):
    path = mount.model("org/bert/pytorch/staged.onnx")
    told = attributes(path)
    assert told["state"] == "composed" and len(told["plan"]) == 64
    assert "sha256" not in told and "cached" not in told
    assert told["url"].endswith("/org/bert")
    other = attributes(mount.model("org/bert/pytorch/dl4j/staged.onnx"))
    assert other["plan"] != told["plan"]


def test_folders(mount):
    assert not os.listxattr(mount.path) and not os.listxattr(mount.hf)
    assert set(attributes(mount.model("org/model/repo"))) == {"url", "revision"}


def test_errors(mount):
    path = mount.model("org/model/repo/config.json")
    for name in (OURS + "plan", OURS + "nope", "user.other"):
        assert errno_of(os.getxattr, path, name) == errno.ENODATA
    assert errno_of(os.setxattr, path, OURS + "refresh", b"1") == \
        errno.EOPNOTSUPP
    for folder in (mount.path, mount.hf, path.parent):
        assert errno_of(os.setxattr, folder, OURS + "pin", b"1") == \
            errno.EOPNOTSUPP, folder
    staged = mount.model("org/bert/pytorch/staged.onnx")
    assert errno_of(os.setxattr, staged, OURS + "pin", b"1") == \
        errno.EOPNOTSUPP


def test_pin_keeps_a_file(hub, make_mount):
    """Twice the budget is read past a pinned file, across a remount too."""
    files = {"%d.bin" % i: payload(8 * MIB, i) for i in range(6)}
    hub.add("org/model", files)
    mount = make_mount(hub, "--cache-size", "24M").start()
    repo = mount.model("org/model/repo")
    assert (repo / "0.bin").read_bytes() == files["0.bin"]
    os.setxattr(repo / "0.bin", OURS + "pin", b"1")
    mount.remount()
    for name, body in files.items():
        assert (repo / name).read_bytes() == body
    assert cached(repo / "0.bin") == 8 * MIB
    assert mount.status()["cache_evicted_bytes_total"] > 0
    os.setxattr(repo / "0.bin", OURS + "pin", b"0")
    for name in ("1.bin", "2.bin", "3.bin", "4.bin"):
        read_all_again(repo / name, files[name])
    assert cached(repo / "0.bin") < 8 * MIB


def read_all_again(path, body):
    drop_pages(path)
    assert path.read_bytes() == body


def test_refresh_shows_a_new_commit(mount, hub):
    """Within the time to live only a refresh does."""
    config = mount.model("org/model/repo/config.json")
    assert config.read_bytes() == b"{}"
    hub.commit("org/model", {"config.json": b'{"new": 1}', "more": b"more"})
    assert config.read_bytes() == b"{}"
    os.setxattr(mount.model("org/model"), OURS + "refresh", b"1")
    assert wait_until(lambda: config.read_bytes() == b'{"new": 1}',
                      scaled(5))
    assert "more" in os.listdir(config.parent)


def test_refresh_of_the_hub(mount, hub):
    assert errno_of(os.stat, mount.model("org/later")) == errno.ENOENT
    hub.add("org/later", {"config.json": b"{}"})
    assert errno_of(os.stat, mount.model("org/later")) == errno.ENOENT
    os.setxattr(mount.model("org"), OURS + "refresh", b"1")
    assert wait_until(lambda: errno_of(os.stat, mount.model("org/later"))
                      is None, scaled(5))


def test_local_files_say_so(tmp_path, make_mount):
    write_tree(tmp_path / "hub/org/model", {"config.json": b"{}"})
    path = make_mount(tmp_path / "hub").start().model(
        "org/model/repo/config.json")
    assert path.read_bytes() == b"{}"
    assert attributes(path)["state"] == "local"
