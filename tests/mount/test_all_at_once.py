# SPDX-License-Identifier: MIT
"""Everything at the same time: readers, listings, refreshes, pins, a cache
that is too small and a hub whose mood changes.

Each read gives right bytes or an errno, and at the end all is there.  What
threads do to each other, a build with sanitizers tells.
"""

import os
import random
import threading
import time

import pytest

from hub_scene import Scene, file_of
from mount_scenes import KIB, errno_of, payload, scaled, tiny_bert
from mounted import drop_pages, wait_until

READERS = 12
SECONDS = 8
OURS = "user.omnihub."
ATTRIBUTES = ("state", "cached", "url", "sha256", "plan")
TROUBLE = {"status": 500, "origin": "any"}
MOODS = ({}, {}, {"delay_ms": 100}, {"stall": True}, {"status": TROUBLE},
         {"status": dict(TROUBLE, status=429)})


@pytest.fixture
def world(hub, make_mount, tmp_path):
    """A mount of all hubs, and path -> bytes of what is read in it."""
    files = {"%d.bin" % i: payload((i + 1) * 300 * KIB, i) for i in range(10)}
    hub.add("org/model", files)
    hub.add("org/bert", tiny_bert())
    scene = Scene(hub, tmp_path).fill()
    mount = scene.mount(make_mount, "--timeout", "3", "--cache-size",
                        "4M").start()
    repo, bert = mount.model("org/model/repo"), mount.model("org/bert")
    bodies = {repo / name: body for name, body in files.items()}
    bodies.update((file_of(mount, name), body)
                  for name, body in scene.bodies.items())
    for name in ("pytorch/staged.onnx", "tensorflow/staged.pb"):
        bodies[bert / name] = (bert / name).read_bytes()
    return mount, bodies


def read_some(path, body, source):
    """Where the second page cannot be had, a read ends with the first."""
    offset = source.randrange(len(body))
    file = os.open(path, os.O_RDONLY)
    try:
        got = os.pread(file, source.choice([1, 100, 5000, 70000, 1 << 20]),
                       offset)
    finally:
        os.close(file)
    assert got and got == body[offset:offset + len(got)], (path, offset)


def do_something(mount, path, body, source):
    what = source.randrange(10)
    if what == 0:
        os.listdir(path.parent)
    elif what == 1:
        os.setxattr(path.parent, OURS + "refresh", b"1")
    elif what == 2:
        os.setxattr(path, OURS + "pin", source.choice([b"0", b"1"]))
    elif what == 3:
        os.getxattr(path, OURS + source.choice(ATTRIBUTES))
    elif what == 4:
        drop_pages(path)
    elif what == 5:
        mount.status()
    else:
        read_some(path, body, source)


def reader(world, source, over, wrong):
    mount, bodies = world
    paths = list(bodies)
    while not over.is_set():
        path = source.choice(paths)
        try:
            do_something(mount, path, bodies[path], source)
        except OSError:
            pass
        except AssertionError as error:
            wrong.append(error)
            over.set()


@pytest.mark.parametrize("seed", [
    0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 4))])
def test_right_bytes_or_an_errno(hub, world, seed):
    mount, bodies = world
    source = random.Random(seed)
    over, wrong = threading.Event(), []
    readers = [threading.Thread(target=reader, args=(
        world, random.Random(source.random()), over, wrong))
        for _ in range(READERS)]
    for each in readers:
        each.start()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and not wrong:
        hub.calm()
        hub.set(**source.choice(MOODS))
        time.sleep(source.random())
    hub.calm()
    over.set()
    for each in readers:
        each.join(scaled(30))
        assert not each.is_alive()
    assert not wrong
    for path, body in bodies.items():
        assert wait_until(lambda p=path: errno_of(p.read_bytes) is None,
                          scaled(30), 0.2), path
        assert path.read_bytes() == body, path
    mount.stop()
