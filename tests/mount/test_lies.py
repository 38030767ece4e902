# SPDX-License-Identifier: MIT
"""A hub or a network that lies: right bytes after another try, or an error."""

import errno
import os
import time

import pytest

from mounted import drop_pages, wait_until
from mount_scenes import MIB, errno_of, opened, payload, scaled

SIZE = 5 * MIB + 12345
TIMEOUT_S = 3

# mood -> its value; what is told once is asked for again, and right then.
LIES = {
    "cdn_ignores_range": {},
    "cdn_wrong_range": {},
    "cdn_short": {"after": 600000},
    "cdn_short at once": {"after": 0},
    "cdn_gzip": {},
    "drop_connection": {"after": 500000, "origin": "cdn"},
    "drop_connection at once": {"origin": "cdn"},
    "status": {"status": 500, "origin": "cdn"},
}
# What no second try can mend, if it is so for ever.
FATAL = {
    "redirect_loop": {},
    "cross_scheme": {},
    "etag_changes": {"origin": "hub"},
}


@pytest.fixture
def body():
    return payload(SIZE, 5)


@pytest.fixture
def path(hub, make_mount, body):
    """A file that was looked up but not read, with a short deadline."""
    hub.add("org/model", {"x.bin": body})
    mount = make_mount(hub, "--timeout", str(int(scaled(TIMEOUT_S)))).start()
    path = mount.model("org/model/repo/x.bin")
    os.stat(path)
    return path


def read_or_errno(path, body):
    """0, or an errno; bytes that are given are right, each read is in time."""
    offset = 0
    with opened(path) as fd:
        while offset < len(body):
            began = time.monotonic()
            try:
                # Short where a page behind could not be had: the next tells.
                got = os.pread(fd, MIB, offset)
            except OSError as error:
                return error.errno
            finally:
                assert time.monotonic() - began < scaled(TIMEOUT_S + 2)
            assert got, "the file ends at %d" % offset
            assert got == body[offset:offset + len(got)], "WRONG at %d" % offset
            offset += len(got)
    return 0


@pytest.mark.parametrize("mood", LIES)
def test_told_once(hub, path, body, mood):
    hub.set(**{mood.split()[0]: dict(LIES[mood], times=1)})
    assert read_or_errno(path, body) == 0


@pytest.mark.parametrize("mood", {**LIES, **FATAL})
def test_told_always(hub, path, body, mood):
    """An error within the deadline; and as if nothing had been, after."""
    hub.set(**{mood.split()[0]: {**LIES, **FATAL}[mood]})
    got = read_or_errno(path, body)
    print("%s: errno %d" % (mood, got))
    assert got in (0, errno.EIO, errno.ESTALE)
    hub.calm()
    assert wait_until(lambda: read_or_errno(path, body) == 0, scaled(30), 0.2)


@pytest.mark.parametrize("mood", ["cdn_wrong_range", "cdn_short"])
def test_a_lie_is_refused(hub, path, body, mood):
    """Not even the part of an answer that may be right is believed alone."""
    hub.set(**{mood: True})
    assert read_or_errno(path, body) == errno.EIO
    mount = path.parents[4]
    assert b"org/model/x.bin" in (mount.parent / "cache/omnihub.log").read_bytes()


def corrupt(hub, times=None):
    hub.set(cdn_corrupt={"times": times, "at": 3 * MIB})


def test_corrupt_bytes_verify_full(hub, make_mount, body):
    """Nothing is shown before all of it is proven."""
    hub.add("org/model", {"x.bin": body})
    corrupt(hub)
    mount = make_mount(hub, "--verify", "full", "--timeout",
                       str(int(scaled(TIMEOUT_S)))).start()
    path = mount.model("org/model/repo/x.bin")
    assert errno_of(path.read_bytes) == errno.EIO
    assert mount.status()["cache_bad_digests_total"] > 0
    hub.calm()
    mount.remount()
    assert path.read_bytes() == body


def test_corrupt_bytes_are_found(hub, make_mount, body):
    """By default the digest is checked once all is there; then none of it
    is shown any more, in this mount or the next."""
    hub.add("org/model", {"x.bin": body})
    corrupt(hub, times=1)
    mount = make_mount(hub, "--timeout", str(int(scaled(TIMEOUT_S)))).start()
    path = mount.model("org/model/repo/x.bin")
    errno_of(path.read_bytes)
    assert wait_until(lambda: mount.status()["cache_bad_digests_total"],
                      scaled(10))
    drop_pages(path)
    got = wait_until(lambda: read_or_errno(path, body) in (0, errno.EIO))
    assert got, "wrong bytes again"
    mount.remount()
    assert path.read_bytes() == body


def test_corrupt_pages_do_not_stay(hub, make_mount, body):
    """Nor does the kernel go on showing them to who opens the file anew."""
    hub.add("org/model", {"x.bin": body})
    corrupt(hub, times=1)
    mount = make_mount(hub, "--timeout", str(int(scaled(TIMEOUT_S)))).start()
    path = mount.model("org/model/repo/x.bin")
    errno_of(path.read_bytes)
    assert wait_until(lambda: mount.status()["cache_bad_digests_total"],
                      scaled(10))
    # It is counted a moment before the kernel is told.
    assert wait_until(lambda: shows_no_lie(path, body), scaled(2))
    assert read_or_errno(path, body) in (0, errno.EIO)


def shows_no_lie(path, body):
    try:
        read_or_errno(path, body)
    except AssertionError:
        return False
    return True


# What is hidden, entry by entry; what is no JSON text is refused whole.
HOSTILE = {"dotdot": True, "dot": True, "absolute": True, "empty": True,
           "nul": False, "surrogate": False, "control": True, "long": True,
           "both": True, "size": True, "type": True, "duplicate": True}


@pytest.mark.parametrize("group", HOSTILE)
def test_hostile_entries(hub, make_mount, group):
    """Entries that would lead out of the mount are not there."""
    good = {"good.txt": b"good", "sub/also.txt": b"good"}
    hub.add("org/model", good)
    hub.set(evil_entries=group)
    mount = make_mount(hub).start()
    repo = mount.model("org/model/repo")
    if not HOSTILE[group]:
        assert errno_of(os.listdir, repo) == errno.EIO
        return
    shown = {os.path.relpath(os.path.join(at, name), repo): name
             for at, folders, names in os.walk(repo)
             for name in names + folders}
    print(sorted(shown))
    assert {*good, "sub"} <= set(shown)
    assert len(shown) <= 5 and not any("evil" in name for name in shown
                                       if name != "both/evil")
    for path, content in good.items():
        assert (repo / path).read_bytes() == content
    assert len(os.listdir(repo)) == len(set(os.listdir(repo)))
    assert mount.alive()


LISTING_LIES = {"next_link_elsewhere": True, "next_link_loop": True}


@pytest.mark.parametrize("mood", LISTING_LIES)
def test_listing_that_leads_astray(hub, make_mount, mood):
    """It is refused whole, not shown in part."""
    hub.add("org/model", {"%d.txt" % i: b"x" for i in range(30)})
    hub.set(tree_page=10, **{mood: LISTING_LIES[mood]})
    mount = make_mount(hub, "--timeout", "10").start()
    repo = mount.model("org/model/repo")
    assert errno_of(os.listdir, repo) == errno.EIO
    assert len(hub.requests()) < 10
    hub.calm()
    assert wait_until(lambda: errno_of(os.listdir, repo) is None, scaled(40),
                      0.2)
    assert len(os.listdir(repo)) == 30


def test_branch_moves_between_pages(hub, make_mount):
    """The listing is of one commit, whatever the branch does meanwhile."""
    hub.add("org/model", {"%02d.txt" % i: b"x" for i in range(30)})
    hub.set(tree_page=10, moved_between_pages=True)
    mount = make_mount(hub).start()
    repo = mount.model("org/model/repo")
    assert sorted(os.listdir(repo)) == ["%02d.txt" % i for i in range(30)]
