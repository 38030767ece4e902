# SPDX-License-Identifier: MIT
"""The token reaches the hub's origin, and nothing and nobody else."""

import errno
import os
import pathlib

import pytest

from mount_scenes import MIB, errno_of, payload, write_tree
from mounted import wait_until

TOKEN = "hf_" + "Secret" * 5 + "0123"
MODEL = {"config.json": b"{}", "weights.bin": payload(2 * MIB)}


def by_variable(work):
    return {"HF_TOKEN": TOKEN}


def by_path(work):
    path = work / "elsewhere"
    path.write_text("  %s\n" % TOKEN)
    path.chmod(0o600)
    return {"HF_TOKEN_PATH": str(path)}


def by_home(work):
    write_tree(work, {"hf_home/token": (TOKEN + "\n").encode()})
    (work / "hf_home/token").chmod(0o600)
    return {}


def by_cache_home(work):
    write_tree(work, {"xdg/huggingface/token": TOKEN.encode()})
    (work / "xdg/huggingface/token").chmod(0o600)
    return {"HF_HOME": None, "XDG_CACHE_HOME": str(work / "xdg")}


WAYS = [by_variable, by_path, by_home, by_cache_home]


@pytest.fixture
def private(hub, tmp_path):
    """A hub with a private model that TOKEN may read."""
    hub.add("org/private", MODEL, private=True)
    hub.token(TOKEN, ["org/private"])
    (tmp_path / "m").mkdir()
    return hub


def with_token(make_mount, hub, env, *options):
    """A mount; None in @env: a variable that is not set."""
    mount = make_mount(hub, *options)
    mount.env.update(env)
    mount.env = {name: value for name, value in mount.env.items()
                 if value is not None}
    return mount


def use(mount):
    """All kinds of requests: lists, info, tree, both kinds of files."""
    os.listdir(mount.hf)
    os.listdir(mount.model("org"))
    repo = mount.model("org/private/repo")
    assert {name: (repo / name).read_bytes() for name in os.listdir(repo)} \
        == MODEL


@pytest.mark.parametrize("way", WAYS)
def test_token_goes_to_the_hub_alone(private, make_mount, tmp_path, way):
    mount = with_token(make_mount, private, way(tmp_path / "m")).start()
    use(mount)
    seen = {origin: {request["authorization"] for request
                     in private.requests() if request["origin"] == origin}
            for origin in ("hub", "cdn")}
    assert seen == {"hub": {"Bearer " + TOKEN}, "cdn": {None}}


def test_no_token_is_sent_if_there_is_none(hub, make_mount):
    hub.add("org/private", MODEL)
    use(make_mount(hub).start())
    assert {request["authorization"] for request in hub.requests()} == {None}


def test_token_is_for_its_endpoint_only(private, make_mount, make_hub):
    """Redirected pages of a listing on another host get none at all."""
    private.add("org/many", {"%d.txt" % i: b"x" for i in range(30)})
    private.set(tree_page=10, next_link_elsewhere=True)
    mount = make_mount(private, env=by_variable(None)).start()
    assert errno_of(os.listdir, mount.model("org/many/repo")) == errno.EIO
    for request in private.requests():
        assert request["origin"] == "hub"
        assert request["authorization"] == "Bearer " + TOKEN


def places_of(mount):
    """What others may see, or find on the disk: name -> bytes."""
    places = {"cmdline": pathlib.Path("/proc/%d/cmdline" % mount.pid)
              .read_bytes()}
    for name in os.listdir(mount.path / ".omnihub"):
        places[name] = (mount.path / ".omnihub" / name).read_bytes()
    for top in ("org", "org/private", "org/private/repo",
                "org/private/repo/config.json", "org/private/repo/weights.bin"):
        for name in os.listxattr(mount.model(top)):
            places[top + name] = os.getxattr(mount.model(top), name)
    for at, _, names in os.walk(mount.cache):
        for name in names:
            path = os.path.join(at, name)
            with open(path, "rb") as file:
                places[path] = file.read()
    return places


@pytest.mark.parametrize("mood", [{}, {"status": 500, "origin": "cdn"}])
def test_token_and_signatures_are_nowhere(private, make_mount, mood):
    """Not in the log at its loudest either, whether all goes well or not."""
    mount = make_mount(private, "--log-level", "debug", "--timeout", "2",
                       env=by_variable(None)).start()
    os.stat(mount.model("org/private/repo"))
    if mood:
        private.set(status=mood)
        errno_of(mount.model("org/private/repo/weights.bin").read_bytes)
    else:
        use(mount)
    places = places_of(mount)
    assert any(name.endswith("omnihub.log") for name in places)
    assert len(mount.log()) > 100
    for name, content in places.items():
        assert TOKEN.encode() not in content, name
        assert TOKEN[3:20].encode() not in content, name
        assert b"Signature=" not in content, name
    mount.stop()
    assert TOKEN not in mount.log()


def test_daemon_is_not_dumpable(private, make_mount):
    """Its memory, with the token, is no other process's of the user."""
    mount = make_mount(private, env=by_variable(None)).start()
    assert os.stat("/proc/%d/environ" % mount.pid).st_uid == 0


# what, token and grants (None: anonymous), errno of a lookup, of a read
REFUSALS = [
    ("gated", None, None, errno.EACCES),
    ("gated", [], None, errno.EACCES),
    ("gated", ["org/model"], None, None),
    ("manual", None, None, errno.EACCES),
    ("private", None, errno.ENOENT, None),
    ("private", [], errno.ENOENT, None),
    ("private", ["org/model"], None, None),
    ("disabled", ["org/model"], errno.EACCES, None),
    ("invalid", None, errno.EACCES, None),
]
ABOUT = {"gated": {"gated": "auto"}, "manual": {"gated": "manual"},
         "private": {"private": True}, "disabled": {"disabled": True},
         "invalid": {"private": True}}


@pytest.mark.parametrize("what, grants, lookup, read", REFUSALS)
def test_refusals(hub, make_mount, what, grants, lookup, read):
    hub.add("org/model", MODEL, **ABOUT[what])
    env = {}
    if grants is not None:
        hub.token(TOKEN, grants)
    if grants is not None or what == "invalid":
        env = {"HF_TOKEN": TOKEN}
    mount = make_mount(hub, env=env).start()
    repo = mount.model("org/model/repo")
    assert errno_of(os.listdir, repo) == lookup
    if lookup:
        return
    for name, body in MODEL.items():
        assert errno_of((repo / name).read_bytes) == read, name
        assert (repo / name).stat().st_size == len(body)


def test_grants_are_believed_at_once(hub, make_mount):
    """Terms accepted after a refusal: the next read asks again."""
    hub.add("org/model", MODEL, gated="auto")
    hub.token(TOKEN, [])
    mount = make_mount(hub, env={"HF_TOKEN": TOKEN}).start()
    config = mount.model("org/model/repo/config.json")
    assert errno_of(config.read_bytes) == errno.EACCES
    hub.token(TOKEN, ["org/model"])
    assert wait_until(lambda: errno_of(config.read_bytes) is None)
    assert config.read_bytes() == MODEL["config.json"]


def test_who_asks_again_has_all_the_time(hub, make_mount):
    """A hub that said no is not silent: the next read is waited for."""
    hub.add("org/model", MODEL, gated="auto")
    mount = make_mount(hub).start()
    config = mount.model("org/model/repo/config.json")
    assert errno_of(config.read_bytes) == errno.EACCES
    hub.set(delay_ms=700)
    assert errno_of(config.read_bytes) == errno.EACCES


def test_what_a_token_saw_is_not_anonymous(private, make_mount):
    """The same cache without the token: the private model is not there."""
    mount = make_mount(private, env=by_variable(None)).start()
    use(mount)
    mount.stop()
    del mount.env["HF_TOKEN"]
    mount.start()
    assert errno_of(os.stat, mount.model("org/private/repo/config.json")) == \
        errno.ENOENT


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_token_file_that_others_can_change_is_not_used(private, make_mount,
                                                       tmp_path, mode):
    by_home(tmp_path / "m")
    (tmp_path / "m/hf_home/token").chmod(mode)
    mount = make_mount(private)
    try:
        mount.start()
    except AssertionError:
        pass  # refusing to mount is as good
    assert not any(request["authorization"] for request in private.requests())
