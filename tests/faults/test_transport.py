# SPDX-License-Identifier: MIT
"""Trouble on the way that passes: it is waited for, and costs no wrong byte."""

import errno
import os
import time

import pytest

from fault_scenes import (MIB, errno_of, payload, run_together, scaled)

SIZE = 12 * MIB + 999

# name: moods of the hub, and how long at least a read has to wait
TROUBLES = {
    "429, window ends": ({"rate_limit": {"reset": 2, "times": 1,
                                         "on": "resolve"}}, 2),
    "429, Retry-After": ({"retry_after": {"seconds": 2, "times": 1,
                                          "on": "resolve"}}, 2),
    "503, 500, 502, 504": ({"burst": {"statuses": [503, 500, 502, 504],
                                      "times": 4}}, 0),
    "503 of the CDN": ({"status": {"status": 503, "origin": "cdn",
                                   "times": 3}}, 0),
    "connections end": ({"drop_connection": {"origin": "cdn", "times": 5,
                                             "after": 300000}}, 0),
    "connections end at once": ({"drop_connection": {"times": 3}}, 0),
    "slow": ({"delay_ms": 200}, 0.2),
    "slow bytes": ({"bytes_per_second": 3 * MIB}, 0.1),
}


@pytest.fixture
def model(hub, make_mount):
    """(mount, path of a cold file, its bytes)"""
    body = payload(SIZE, 3)
    hub.add("org/model", {"x.bin": body, "small.json": b"{}"})
    mount = make_mount(hub, "--timeout", str(int(scaled(30)))).start()
    path = mount.model("org/model/repo/x.bin")
    os.stat(path)
    return mount, path, body


@pytest.mark.parametrize("name", TROUBLES)
def test_passing_trouble(hub, model, name):
    mount, path, body = model
    moods, least_s = TROUBLES[name]
    hub.set(**moods)
    began = time.monotonic()
    assert path.read_bytes() == body
    took_s = time.monotonic() - began
    status = mount.status()
    print("%s: %.1f s, %d retries" % (name, took_s,
                                      status["http_retries_total"]))
    assert took_s >= least_s


@pytest.mark.parametrize("mood", [
    {"rate_limit": {"reset": 1, "times": 2, "on": "api"}},
    {"retry_after": {"seconds": 1, "times": 2, "on": "api"}},
    {"burst": {"times": 3}}, {"drop_connection": {"times": 2}}])
def test_passing_trouble_of_listings(hub, make_mount, mood):
    hub.add("org/model", {"%d.txt" % i: b"x" for i in range(25)})
    hub.set(tree_page=10, **mood)
    mount = make_mount(hub, "--timeout", str(int(scaled(30)))).start()
    assert len(os.listdir(mount.model("org/model/repo"))) == 25


def test_refused_host_is_left_alone(hub, model):
    """After a 429 nothing is sent to the hub until the window ends."""
    mount, path, _ = model
    hub.set(rate_limit={"reset": 3, "times": 1, "on": "resolve"})
    hub.forget()
    repo = path.parent
    run_together([(repo / "x.bin").read_bytes, (repo / "small.json").read_bytes,
                  lambda: errno_of(os.stat, mount.model("org/none"))],
                 scaled(30))
    seen = [request for request in hub.requests() if request["origin"] == "hub"]
    refused = next(request for request in seen if request["status"] == 429)
    after = [request["time"] - refused["time"] for request in seen
             if request["time"] > refused["time"] + 0.2]
    print(["%.2f" % wait for wait in after])
    assert after and min(after) >= 2.9


def test_limit_past_the_deadline_fails_soon(hub, make_mount):
    """Nobody waits for what cannot come in time."""
    hub.add("org/model", {"x.bin": payload(MIB)})
    mount = make_mount(hub, "--timeout", "5").start()
    path = mount.model("org/model/repo/x.bin")
    os.stat(path)
    hub.set(rate_limit={"reset": 300})
    began = time.monotonic()
    assert errno_of(path.read_bytes) == errno.EIO
    assert time.monotonic() - began < scaled(3)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("limit", [{"requests": 3}, {"seconds": 1}])
def test_expired_addresses_are_renewed(hub, model, limit, told):
    """A signed URL that is no longer good (403) is asked for again."""
    _, path, body = model
    hub.set(expire=dict(limit, told=told), bytes_per_second=MIB)
    assert path.read_bytes() == body
    resolved = [request for request in hub.requests()
                if "/resolve/" in request["path"]]
    print("resolved %d times" % len(resolved))
    assert 2 <= len(resolved) <= 40


def test_address_is_kept(hub, model):
    """One resolve for all ranges of a file."""
    _, path, body = model
    assert path.read_bytes() == body
    resolved = [request for request in hub.requests()
                if "/resolve/" in request["path"]]
    assert len(resolved) == 1


def test_early_close_is_resumed(hub, model):
    """Bytes that came before the end are not sent again."""
    mount, path, body = model
    before = mount.status()["http_bytes_total"]
    hub.set(drop_connection={"origin": "cdn", "after": 1000000, "times": 6})
    assert path.read_bytes() == body
    came = mount.status()["http_bytes_total"] - before
    print("received %.3f of the size" % (came / SIZE))
    assert came <= 1.02 * SIZE


@pytest.mark.slow
def test_stall_is_broken_off(hub, make_mount):
    """No byte for so long: another connection is tried, the rest is kept."""
    body = payload(SIZE, 3)
    hub.add("org/model", {"x.bin": body})
    mount = make_mount(hub, "--timeout", "100").start()
    path = mount.model("org/model/repo/x.bin")
    os.stat(path)
    hub.set(stall={"seconds": 3600, "after": 500000, "times": 1,
                   "origin": "cdn"})
    began = time.monotonic()
    assert path.read_bytes() == body
    took_s = time.monotonic() - began
    print("a stalled transfer cost %.1f s" % took_s)
    assert took_s < scaled(45)
    assert hub.bytes_sent("x.bin") <= 1.2 * SIZE


def test_stalled_file_is_in_nobodys_way(hub, make_mount):
    """One file stalls; others of the same host are read meanwhile.

    The kernel lets those who wait for the same page ask one after another:
    all of them fail in time all the same.
    """
    files = {"%d.bin" % i: payload(MIB, i) for i in range(8)}
    files["stuck.bin"] = payload(MIB, 99)
    hub.add("org/model", files)
    mount = make_mount(hub, "--timeout", "8").start()
    repo = mount.model("org/model/repo")
    os.stat(repo / "stuck.bin")
    hub.set_for("org/model", "stuck.bin", stall=True)
    stuck = [lambda: errno_of((repo / "stuck.bin").read_bytes)] * 4
    others = [lambda n=name: (repo / n).read_bytes() == files[n]
              for name in files if name != "stuck.bin"]
    began = time.monotonic()

    def timed(call):
        return call(), time.monotonic() - began

    got = run_together([lambda c=c: timed(c) for c in stuck + others],
                       scaled(14))
    assert [value for value, _ in got[:4]] == [errno.EIO] * 4
    assert all(value for value, _ in got[4:])
    assert max(took_s for _, took_s in got[4:]) < 4 * max(1, scaled(1))
