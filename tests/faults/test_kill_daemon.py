# SPDX-License-Identifier: MIT
"""kill -9 of the daemon in the middle of a download, many times.

Each time it is mounted again and what is there is read: every byte is right
and nobody has to repair anything.
"""

import os
import shutil
import time

from fault_scenes import (MIB, kill_daemon, opened, payload, random_source,
                          scaled, start_together)
from mounted import is_mounted, wait_until

SIZE = 25 * MIB
SPEED = 3 * MIB  # bytes a second of each connection


def read_and_compare(path, body):
    with opened(path) as fd:
        for offset in range(0, len(body), MIB):
            got = os.pread(fd, MIB, offset)
            assert got == body[offset:offset + MIB], "WRONG at %d" % offset


def read_quietly(path):
    """As a victim does: until the daemon is gone."""
    try:
        with opened(path) as fd:
            while os.read(fd, 128 << 10):
                pass
    except OSError:
        pass


def kill_in_download(mount, path, after_s):
    """Whether the kill fell into the download."""
    [victim] = start_together([lambda: read_quietly(path)])
    time.sleep(after_s)
    midway = not victim.done()
    kill_daemon(mount)
    assert wait_until(victim.done)
    return midway


def test_25_kills(hub, make_mount):
    """Cold at first; then what survived is what the next round begins with.

    The cache is emptied now and then, so that most kills find a download.
    """
    source = random_source("kills")
    body = payload(SIZE, 9)
    hub.add("org/model", {"x.bin": body, "config.json": b"{}"})
    hub.set(bytes_per_second=SPEED)
    mount = make_mount(hub).start()
    path = mount.model("org/model/repo/x.bin")
    midway = resumed = 0
    for number in range(25):
        os.stat(path)
        midway += kill_in_download(mount, path, source.uniform(0.02, 0.7))
        hub.forget()
        mount.start()
        if number % 3 == 2:
            hub.calm()
            read_and_compare(path, body)
            resumed += hub.bytes_sent("x.bin") < SIZE
            mount.stop()
            remove_blocks(mount)
            mount.start()
            hub.set(bytes_per_second=SPEED)
    print("%d of 25 kills in a download, %d resumed of 8" % (midway, resumed))
    read_and_compare(path, body)
    assert midway >= 15
    assert resumed >= 4, "what was downloaded before a kill is used"
    assert (path.parent / "config.json").read_bytes() == b"{}"


def remove_blocks(mount):
    """As a user may, while nothing is mounted."""
    shutil.rmtree(mount.cache)


def test_killed_between_download_and_index(hub, make_mount):
    """The last moments before a kill may be lost, and nothing else."""
    body = payload(4 * MIB, 8)
    hub.add("org/model", {"a.bin": body, "b.bin": body[::-1]})
    mount = make_mount(hub).start()
    repo = mount.model("org/model/repo")
    for _ in range(5):
        assert (repo / "a.bin").read_bytes() == body
        assert (repo / "b.bin").read_bytes() == body[::-1]
        kill_daemon(mount)
        mount.start()


def test_terminated_daemon_leaves_no_mount(hub, make_mount):
    """SIGTERM ends it as an unmount does."""
    hub.add("org/model", {"a.bin": payload(MIB)})
    mount = make_mount(hub).start()
    assert mount.model("org/model/repo/a.bin").read_bytes() == payload(MIB)
    os.kill(mount.pid, 15)
    assert wait_until(lambda: not mount.alive(), scaled(20))
    assert not is_mounted(mount.path)
    hub.kill()
    mount.start()
    assert mount.model("org/model/repo/a.bin").read_bytes() == payload(MIB)
