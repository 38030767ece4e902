# SPDX-License-Identifier: MIT
"""A hub that says nothing: what is cached answers, the rest ends in time."""

import errno
import os
import statistics
import time

import pytest

from fault_scenes import (KIB, MIB, errno_of, finish, payload, read_at,
                          run_together, scaled, start_together)
from mounted import drop_pages, wait_until

TIMEOUT_S = 5
READERS = 64


@pytest.fixture
def model(hub, make_mount):
    """A mount with one file cached, many that are not; all looked up."""
    files = {"cold-%02d.bin" % i: payload(200 * KIB, i) for i in range(READERS)}
    files["warm.bin"] = payload(3 * MIB, 77)
    hub.add("org/model", files)
    hub.add("org/other", files)
    mount = make_mount(hub, "--timeout", str(TIMEOUT_S)).start()
    repo = mount.model("org/model/repo")
    assert (repo / "warm.bin").read_bytes() == files["warm.bin"]
    os.listdir(repo)
    return mount, repo, files


def cached_read_ms(repo, body, offset):
    """One read that reaches the daemon."""
    drop_pages(repo / "warm.bin")
    began = time.monotonic()
    assert read_at(repo / "warm.bin", offset, 4 * KIB) == \
        body[offset:offset + 4 * KIB]
    return 1000 * (time.monotonic() - began)


def read_for(repo, body, until):
    """Milliseconds of cached reads, one after another, until @until()."""
    took_ms = []
    while not until():
        took_ms.append(cached_read_ms(repo, body, len(took_ms) % 700 * 4 * KIB))
        time.sleep(0.01)
    return took_ms


def statistics_of(took_ms):
    return "median %.2f ms, worst %.1f ms of %d" % (
        statistics.median(took_ms), max(took_ms), len(took_ms))


@pytest.mark.parametrize("silence", ["pause", "stall"])
def test_64_readers_of_a_silent_hub(hub, model, silence):
    mount, repo, files = model
    warm = files["warm.bin"]
    quiet = [cached_read_ms(repo, warm, i * 4 * KIB) for i in range(100)]
    threads = mount.proc("Threads")
    if silence == "pause":
        hub.pause()
    else:
        hub.set(stall=True)
    cold = [repo / name for name in files if name != "warm.bin"]
    waiting = start_together([lambda p=path: read_at(p, 0, 4 * KIB)
                              for path in cold])
    assert wait_until(lambda: mount.status()["waiting"] >= READERS - 1, 4)
    busy = read_for(repo, warm, lambda: all(o.done() for o in waiting))
    finish(waiting, scaled(TIMEOUT_S + 5))
    print("alone: %s; beside: %s; threads %d, then %d" % (
        statistics_of(quiet), statistics_of(busy), threads,
        mount.proc("Threads")))
    assert statistics.median(busy) < 5 * statistics.median(quiet) + 5
    assert max(busy) < 500 * max(1, scaled(1))
    for outcome in waiting:
        assert outcome.error.errno == errno.EIO
        assert TIMEOUT_S - 1 < outcome.took_s < scaled(TIMEOUT_S + 3)
    # libfuse may start readers of its own, up to ten.
    assert mount.proc("Threads") <= threads + 10
    assert wait_until(lambda: mount.status()["waiting"] == 0)
    hub.resume() if silence == "pause" else hub.calm()
    for name, body in files.items():
        # For a second more a read has little time (fs/late.h).
        assert wait_until(lambda p=repo / name: errno_of(p.read_bytes) is None,
                          scaled(20), 0.2), name
        assert (repo / name).read_bytes() == body


def test_metadata_of_a_silent_hub(hub, model):
    """Lookups and listings end in ETIMEDOUT; what is known is unharmed.

    Each name is looked up by five, for whom the kernel asks one after
    another.
    """
    mount, repo, files = model
    hub.pause()
    names = ["org/other", "org/other/repo", "new/one", "new", "gpt3",
             "org/model@side/repo"]
    calls = [lambda n=name: errno_of(os.stat, mount.model(n)) for name in names]
    calls += [lambda: errno_of(os.listdir, mount.model("else"))]
    waiting = start_together(calls * 5)
    assert wait_until(lambda: mount.status()["waiting"] > 0, 4)
    busy = read_for(repo, files["warm.bin"],
                    lambda: all(o.done() for o in waiting))
    finish(waiting, scaled(TIMEOUT_S + 5))
    print("beside: " + statistics_of(busy))
    got = {(names + ["else"])[i % len(calls)]: outcome.value
           for i, outcome in enumerate(waiting)}
    assert set(got.values()) == {errno.ETIMEDOUT}, got
    assert max(o.took_s for o in waiting) < scaled(TIMEOUT_S + 3)
    hub.resume()
    assert wait_until(lambda: errno_of(os.stat, mount.model("org/other/repo"))
                      is None, scaled(20), 0.2)


def test_more_lookups_than_threads(hub, model):
    """40 names at a time, which 16 threads ask for: all end in time."""
    mount, repo, files = model
    hub.pause()
    calls = [lambda i=i: errno_of(os.stat, mount.model("org/none-%d" % i))
             for i in range(40)]
    waiting = finish(start_together(calls), scaled(TIMEOUT_S + 5))
    assert {outcome.value for outcome in waiting} == {errno.ETIMEDOUT}
    assert max(o.took_s for o in waiting) < scaled(TIMEOUT_S + 3)
    hub.resume()
    assert wait_until(lambda: mount.status()["slow_lane_load"] == 0,
                      scaled(TIMEOUT_S + 5))


def test_readers_of_one_range_share_a_fate_in_time(hub, model):
    """Each has its own deadline, though they wait for one transfer."""
    _, repo, files = model
    hub.pause()
    path = repo / "cold-00.bin"
    first = start_together([lambda: read_at(path, 0, 4 * KIB)])
    time.sleep(2)
    second = start_together([lambda: read_at(path, 0, 4 * KIB)])
    finish(first + second, scaled(TIMEOUT_S + 6))
    for outcome in first + second:
        assert outcome.error.errno == errno.EIO
        assert outcome.took_s < scaled(TIMEOUT_S + 3)
    hub.resume()
    assert wait_until(lambda: errno_of(path.read_bytes) is None, scaled(20),
                      0.2)
    assert path.read_bytes() == files["cold-00.bin"]


def test_hub_that_comes_back_in_time(hub, model):
    """A silence shorter than the deadline costs nobody an error."""
    _, repo, files = model
    hub.pause()
    waiting = start_together([lambda p=repo / name: p.read_bytes()
                              for name in files])
    time.sleep(TIMEOUT_S / 3)
    hub.resume()
    finish(waiting, scaled(TIMEOUT_S + 5))
    assert [o.value for o in waiting] == list(files.values())


def test_dead_hub(hub, model):
    """Connections refused: an error, no hang; and right again after."""
    mount, repo, files = model
    hub.kill()
    got = run_together([lambda p=repo / name: errno_of(p.read_bytes)
                        for name in list(files)[:16]], scaled(TIMEOUT_S + 5))
    assert set(got) == {errno.EIO}
    assert errno_of(os.stat, mount.model("org/unheard")) in (
        errno.ETIMEDOUT, errno.ENETUNREACH)
    hub.start()
    for name, body in files.items():
        assert (repo / name).read_bytes() == body


def test_many_who_are_refused_slowly(hub, make_mount):
    """The kernel asks for each of them: not each waits as long as the first."""
    hub.add("org/model", {"x.bin": payload(200 * KIB, 1)}, gated="auto")
    mount = make_mount(hub, "--timeout", str(TIMEOUT_S)).start()
    path = mount.model("org/model/repo/x.bin")
    os.listdir(path.parent)
    hub.set(delay_ms=1300)
    waiting = start_together([lambda: read_at(path, 0, 4 * KIB)
                              for _ in range(10)])
    finish(waiting, scaled(30))
    assert {outcome.error.errno for outcome in waiting} <= \
        {errno.EACCES, errno.EIO}
    assert max(o.took_s for o in waiting) < scaled(TIMEOUT_S + 3)
