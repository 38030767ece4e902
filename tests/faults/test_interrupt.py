# SPDX-License-Identifier: MIT
"""Who waits for a silent hub can be interrupted, killed, unmounted under."""

import os
import signal
import time

import pytest

from fault_scenes import (KIB, Worker, close_all, errno_of, payload,
                          read_at, scaled, start_together)
from mounted import is_mounted, wait_until

FAR_S = 300  # a deadline that no test waits for


@pytest.fixture
def silent(hub, make_mount):
    """A mount of a hub that has said what it has and is silent now."""
    hub.add("org/model", {"cold.bin": payload(900 * KIB), "warm.json": b"{}"})
    hub.add("org/later", {"config.json": b"{}"})
    mount = make_mount(hub, "--timeout", str(FAR_S)).start()
    repo = mount.model("org/model/repo")
    assert (repo / "warm.json").read_bytes() == b"{}"
    hub.pause()
    return mount


@pytest.fixture
def worker(silent):
    workers = []

    def start(what, name):
        workers.append(Worker(what, silent.model(name)))
        return workers[-1]

    yield start
    close_all(workers)


WAITS = {"lookup": "org/unknown/repo", "readdir": "somebody",
         "open": "org/unknown/repo/config.json",
         "read": "org/model/repo/cold.bin"}


@pytest.mark.parametrize("what", [w for w in WAITS if w != "read"])
def test_sigint_ends_a_wait(silent, worker, what):
    """At once, with EINTR, and the daemon answers others."""
    one = worker(what, WAITS[what])
    assert one.waits()
    said, took_s = one.end(signal.SIGINT, 20)
    print("%s: %s after %.3f s" % (what, said, took_s))
    assert said == "interrupted"
    assert took_s < scaled(2)
    assert wait_until(lambda: silent.status()["interrupts_total"] > 0)
    assert silent.model("org/model/repo/warm.json").read_bytes() == b"{}"


@pytest.mark.parametrize("what", WAITS)
def test_kill_9_of_who_waits(silent, worker, what):
    """Gone at once, however many wait for the same.

    The kernel does not tell of readers that are gone: it reads ahead for
    them, and that request stays until its deadline.
    """
    many = [worker(what, WAITS[what]) for _ in range(8)]
    assert all(one.waits() for one in many)
    began = time.monotonic()
    for one in many:
        one.process.kill()
    for one in many:
        one.process.wait(timeout=scaled(5))
    took_s = time.monotonic() - began
    print("8 killed in %.3f s" % took_s)
    assert took_s < scaled(2)
    assert what == "read" or wait_until(
        lambda: silent.status()["waiting"] == 0)


@pytest.mark.parametrize("what", WAITS)
def test_umount_under_who_waits(silent, worker, what):
    """The daemon ends, and everyone who waits gets an answer."""
    many = [worker(what, WAITS[what]) for _ in range(4)]
    assert all(one.waits() for one in many)
    began = time.monotonic()
    done = silent.run("umount", "--lazy", silent.path)
    assert done.returncode == 0 and not is_mounted(silent.path)
    for one in many:
        one.process.kill()
    for one in many:
        one.process.wait(timeout=scaled(5))
    assert wait_until(lambda: not silent.alive(), scaled(10)), "still running"
    print("ended in %.2f s" % (time.monotonic() - began))


@pytest.mark.parametrize("what", WAITS)
def test_sigterm_under_who_waits(silent, worker, what):
    """Nobody is killed: the readers' requests are answered by the end."""
    many = [worker(what, WAITS[what]) for _ in range(4)]
    assert all(one.waits() for one in many)
    began = time.monotonic()
    os.kill(silent.pid, signal.SIGTERM)
    assert wait_until(lambda: not silent.alive(), scaled(10)), "still running"
    print("ended in %.2f s" % (time.monotonic() - began))
    for one in many:
        said, _ = one.process.communicate(timeout=scaled(5))
        assert said.startswith("errno"), said


def test_interrupted_lookup_is_no_answer(hub, silent, worker):
    """Nothing is remembered of it: asked again, the name is there."""
    one = worker("lookup", "org/later/repo")
    assert one.waits()
    one.end(signal.SIGINT, 20)
    hub.resume()
    assert errno_of(os.stat, silent.model("org/later/repo")) is None


def test_reader_gone_download_goes_on_for_others(hub, make_mount):
    """One of two that wait for the same bytes is killed."""
    body = payload(900 * KIB)
    hub.add("org/model", {"cold.bin": body})
    mount = make_mount(hub, "--timeout", "60").start()
    path = mount.model("org/model/repo/cold.bin")
    os.stat(path)
    hub.pause()
    victim = Worker("read", path)
    try:
        assert victim.waits()
        [other] = start_together([lambda: read_at(path, 32 * KIB, 4 * KIB)])
        assert wait_until(lambda: mount.status()["waiting"] >= 2)
    finally:
        victim.close()
    hub.resume()
    assert wait_until(other.done, scaled(30))
    assert other.value == body[32 * KIB:36 * KIB]
    assert path.read_bytes() == body
