# SPDX-License-Identifier: MIT
"""Each mood of the imitation hub, by raw HTTP: what it does, and that it ends.

README.md has the same moods in a table.
"""

import gzip
import json
import pathlib
import re
import threading
import time
import urllib.parse

import pytest

from hub_evil import EVIL
from hub_moods import MOODS
from hub_process import Hub
from raw_http import ask, connect, exchange, target_of

TOKEN = "hf_moods"
BYTES = bytes(range(256)) * 400
SIZE = len(BYTES)
TEXT = b"text" * 50
MANY = ["f%02d.txt" % n for n in range(30)]


class Site:
    def __init__(self, folder):
        self.hub = hub = Hub(folder / "hub").start()
        self.commit = hub.add("org/m", {
            "w.bin": BYTES, "v.bin": BYTES, "a.txt": TEXT, "c.txt": TEXT},
            shapes={"c.txt": "C"})
        hub.add("org/other", {"w.bin": BYTES, "a.txt": TEXT})
        hub.add("org/many", {name: name.encode() for name in MANY})
        hub.token(TOKEN, grants="*")

    def get(self, target, method="GET", **headers):
        headers = {name.replace("_", "-"): value
                   for name, value in headers.items()}
        if not target.startswith("http"):
            target = self.hub.url + target
        return ask(target, method, headers)

    def set(self, **moods):
        self.hub.set(**moods)

    def place(self, path="w.bin", repo="org/m"):
        reply = self.get("/%s/resolve/main/%s" % (repo, path))
        return urllib.parse.urljoin(self.hub.url, reply.header("Location"))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("moods"))
    yield site
    site.hub.close()
    assert "Traceback" not in site.hub.log()


@pytest.fixture
def site(served):
    served.hub.calm()
    served.hub.forget()
    return served


INFO = "/api/models/org/m"
TREE = "/api/models/org/many/tree/main"
RESOLVE = "/org/m/resolve/main/w.bin"


# ---- bytes of files ----

PART = BYTES[100:200]


def flipped(at):
    return bytes(b ^ 0xFF if n == at else b for n, b in enumerate(PART, 100))


@pytest.mark.parametrize("name, value, status, told, body, broken", [
    ("cdn_ignores_range", 1, 200, None, BYTES, False),
    ("cdn_wrong_range", 1, 206, (101, 200, SIZE), PART, False),
    ("cdn_wrong_range", {"form": "total", "times": 1}, 206,
     (100, 199, SIZE + 1), PART, False),
    ("cdn_wrong_range", {"form": "missing", "times": 1}, 206, None, PART,
     False),
    ("cdn_wrong_range", {"form": "shifted", "times": 1}, 206,
     (101, 200, SIZE), BYTES[101:201], False),
    ("cdn_short", {"after": 7, "times": 1}, 206, (100, 199, SIZE), PART[:7],
     True),
    ("cdn_short", {"after": 0, "times": 1}, 206, (100, 199, SIZE), b"", True),
    ("cdn_corrupt", 1, 206, (100, 199, SIZE), flipped(150), False),
    ("cdn_corrupt", {"at": 100, "times": 1}, 206, (100, 199, SIZE),
     flipped(100), False),
    ("cdn_corrupt", {"at": 199, "times": 1}, 206, (100, 199, SIZE),
     flipped(199), False),
])
def test_bytes(site, name, value, status, told, body, broken):
    place = site.place()
    site.set(**{name: value})
    reply = site.get(place, Range="bytes=100-199")
    assert (reply.status, reply.body, reply.broken) == (status, body, broken)
    assert reply.header("Content-Range") == (
        "bytes %d-%d/%d" % told if told else None)
    assert int(reply.header("Content-Length")) == (
        SIZE if status == 200 else 100)
    again = site.get(place, Range="bytes=100-199")
    assert (again.status, again.body) == (206, PART), "once, and no more"


@pytest.mark.parametrize("value", [{"at": 99}, {"at": 200}])
def test_corruption_elsewhere_is_not_seen(site, value):
    place = site.place()
    site.set(cdn_corrupt={**value, "times": 1})
    assert site.get(place, Range="bytes=100-199").body == PART
    assert site.get(place).body != BYTES, "not used up by the first"


def test_cdn_gzip(site):
    place = site.place()
    site.set(cdn_gzip=True)
    reply = site.get(place, Range="bytes=100-199")
    assert reply.status == 200
    assert reply.header("Content-Encoding") == "gzip"
    assert reply.header("Content-Length") is None
    assert gzip.decompress(reply.body) == BYTES
    site.set(cdn_gzip="asked")
    assert site.get(place, Range="bytes=0-0").status == 206
    asked = site.get(place, Range="bytes=0-0", Accept_Encoding="br, gzip")
    assert (asked.status, gzip.decompress(asked.body)) == (200, BYTES)


def test_the_hub_itself_is_not_the_cdn(site):
    direct, cached = "/org/m/resolve/main/c.txt", site.place("a.txt")
    site.set(cdn_corrupt=True, cdn_short=3, cdn_ignores_range=True)
    assert site.get(direct).body == TEXT == site.get(cached).body
    site.set(cdn_short={"after": 3, "origin": "hub"})
    assert site.get(direct).body == TEXT[:3] == site.get(cached).body


def test_etag_changes(site):
    place = site.place()
    true = site.get(place).header("ETag")
    site.set(etag_changes=2)
    etags = [site.get(place).header("ETag") for _ in range(3)]
    assert etags[0] != true != etags[1] and etags[2] == true


# ---- signed URLs ----

def expires_of(place):
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(place).query)
    return float(query["Expires"][0]) if "Expires" in query else None


def test_expire_after_requests(site):
    site.set(expire={"requests": 2})
    for _ in range(2):
        place = site.place()
        assert [site.get(place).status for _ in range(3)] == [200, 200, 403]
        assert expires_of(place) - time.time() > 3000


def test_expire_after_seconds(site):
    site.set(expire={"seconds": 0.3})
    place = site.place()
    assert site.get(place).status == 200
    assert expires_of(place) - time.time() < 1
    end = time.monotonic() + 10
    while site.get(place).status != 403:
        assert time.monotonic() < end
    site.set(expire={"seconds": 0, "told": False})
    place = site.place()
    assert expires_of(place) - time.time() > 3000, "it does not say so"
    assert site.get(place).status == 403


def test_expire_now(site):
    old = site.place()
    site.set(expire="now")
    assert site.get(old).status == 403
    assert site.get(site.place()).status == 200
    site.hub.kill()
    site.hub.start()
    assert site.get(old).status == 403, "for good"


@pytest.mark.parametrize("form, names", [
    ("expires", ["Expires"]), ("none", []),
    ("amz", ["X-Amz-Date", "X-Amz-Expires"])])
def test_signed_form(site, form, names):
    site.set(signed_form=form)
    place = site.place()
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(place).query)
    assert [n for n in ("Expires", "X-Amz-Date", "X-Amz-Expires")
            if n in query] == names
    if form == "amz":
        assert re.fullmatch(r"\d{8}T\d{6}Z", query["X-Amz-Date"][0])
    assert site.get(place).body == BYTES


# ---- time ----

SOME_S = 1.0  # more than an answer takes on a busy machine


def timed(call):
    begun = time.monotonic()
    return call(), time.monotonic() - begun


@pytest.mark.parametrize("origin, target", [("hub", INFO), ("cdn", "cdn")])
def test_stall_before_the_answer(site, origin, target):
    target = site.place() if target == "cdn" else target
    site.set(stall={"seconds": SOME_S, "times": 1, "origin": origin})
    other = INFO if origin == "cdn" else site.hub.cdn_url + "/none"
    assert timed(lambda: site.get(other))[1] < SOME_S
    reply, seconds = timed(lambda: site.get(target))
    assert reply.status == 200 and seconds >= SOME_S
    assert timed(lambda: site.get(target))[1] < SOME_S


def test_stall_within_the_body(site):
    place = site.place()
    site.set(stall={"seconds": SOME_S, "after": 1000})
    connection = connect(place)
    connection.request("GET", target_of(place))
    first, early = timed(lambda: connection.getresponse())
    assert early < SOME_S and first.read(1000) == BYTES[:1000]
    rest, late = timed(first.read)
    assert early + late >= SOME_S and rest == BYTES[1000:]
    connection.close()


def test_calm_ends_a_stall(site):
    place = site.place()
    site.set(stall=60)
    replies = []
    thread = threading.Thread(target=lambda: replies.append(site.get(place)))
    thread.start()
    end = time.monotonic() + 10
    while not any(r["origin"] == "cdn" for r in site.hub.requests()):
        assert time.monotonic() < end
    site.hub.set(tree_page=5)
    thread.join(0.2)
    assert not replies, "another mood does not end it"
    site.hub.calm()
    thread.join(10)
    assert replies[0].body == BYTES


def test_delay(site):
    site.set(delay_ms=100)
    connection = connect(site.hub.url)
    _, first = timed(lambda: exchange(connection, "GET", INFO))
    _, second = timed(lambda: exchange(connection, "GET", INFO))
    connection.close()
    assert first >= 0.2, "a connection costs a round trip, too"
    assert 0.1 <= second


def test_bytes_per_second(site):
    place = site.place()
    site.set(bytes_per_second=SIZE / SOME_S)
    reply, seconds = timed(lambda: site.get(place))
    assert reply.body == BYTES and seconds >= 0.95 * SOME_S
    part, seconds = timed(lambda: site.get(place, Range="bytes=0-99"))
    assert part.body == BYTES[:100] and seconds < 0.95 * SOME_S


@pytest.mark.parametrize("value, status", [
    ({"times": 1}, 0), ({"times": 1, "how": "close"}, 0),
    ({"times": 1, "after": 1000}, 200),
    ({"times": 1, "after": 1000, "how": "close"}, 200)])
def test_drop_connection(site, value, status):
    place = site.place()
    site.set(drop_connection={**value, "origin": "cdn"})
    reply = site.get(place)
    assert reply.status == status and reply.broken
    if value.get("how") == "close" and status:
        assert reply.body == BYTES[:1000]
    assert site.get(place).body == BYTES
    assert site.hub.requests()[1]["status"] == status


# ---- refusals ----

@pytest.mark.parametrize("moods, status, headers", [
    ({"rate_limit": 1}, 429, {"RateLimit": '"api";r=0;t=1'}),
    ({"rate_limit": {"times": 1, "reset": 9}}, 429,
     {"RateLimit": '"api";r=0;t=9', "Retry-After": None}),
    ({"retry_after": 1}, 429, {"Retry-After": "1"}),
    ({"retry_after": {"times": 1, "seconds": 7}}, 429, {"Retry-After": "7"}),
    ({"burst": 1}, 503, {}),
    ({"burst": {"times": 1, "statuses": [504]}}, 504, {}),
    ({"status": {"status": 418, "times": 1}}, 418, {"X-Error-Code": None}),
    ({"status": {"status": 401, "times": 1}}, 401, {
        "X-Error-Code": None, "X-Error-Message":
        "Invalid username or password."}),
    ({"status": {"status": 401, "times": 1}, "error_code": "GatedRepo"}, 401,
     {"X-Error-Code": "GatedRepo"}),
    ({"status": {"status": 403, "times": 1}, "error_message": "so"}, 403,
     {"X-Error-Message": "so"}),
    ({"error": {"name": "anonymous", "times": 1}}, 401,
     {"X-Error-Code": None}),
    ({"error": {"name": "bad_token", "times": 1}}, 401, {
        "X-Error-Message": "Invalid credentials in Authorization header"}),
    ({"error": {"name": "gated_anonymous", "times": 1}}, 401,
     {"X-Error-Code": "GatedRepo"}),
    ({"error": {"name": "gated", "times": 1}}, 403,
     {"X-Error-Code": "GatedRepo"}),
    ({"error": {"name": "disabled", "times": 1}}, 403, {
        "X-Error-Code": None,
        "X-Error-Message": "Access to this resource is disabled."}),
    ({"error": {"name": "entry", "times": 1}}, 404,
     {"X-Error-Code": "EntryNotFound"}),
    ({"error": {"name": "revision", "times": 1}}, 404,
     {"X-Error-Code": "RevisionNotFound"}),
    ({"error": {"name": "repo", "times": 1}}, 404,
     {"X-Error-Code": "RepoNotFound"}),
])
def test_refusals(site, moods, status, headers):
    site.set(**moods)
    reply = site.get(INFO)
    assert reply.status == status
    assert {name: reply.header(name) for name in headers} == headers
    assert site.get(INFO).status == 200


def test_a_burst_goes_through_its_statuses(site):
    site.set(burst=5)
    assert [site.get(INFO).status for _ in range(6)] == [
        503, 500, 502, 504, 503, 200]


def test_a_burst_may_be_of_the_cdn(site):
    place = site.place()
    site.set(burst={"times": 1, "origin": "cdn"})
    assert [site.get(u).status for u in (INFO, place, place)] == [
        200, 503, 200]


# ---- redirects ----

def test_redirect_loop(site):
    site.set(redirect_loop=2)
    for _ in range(2):
        reply = site.get(RESOLVE)
        assert (reply.status, reply.header("Location")) == (307, RESOLVE)
    assert site.get(RESOLVE).status == 302
    assert site.get(INFO).status == 200


@pytest.mark.parametrize("scheme, starts", [
    (True, "file:///org/"), ("ftp", "ftp://127.0.0.1:"),
    ("https", "https://127.0.0.1:")])
def test_cross_scheme(site, scheme, starts):
    site.set(cross_scheme=scheme)
    reply = site.get(RESOLVE)
    assert reply.status == 302
    assert reply.header("Location").startswith(starts)


# ---- listings ----

def test_tree_page(site):
    site.set(tree_page=7)
    assert len(json.loads(site.get(TREE).body)) == 7
    assert len(json.loads(site.get(TREE + "?limit=5").body)) == 5
    assert len(json.loads(site.get(TREE + "?limit=9").body)) == 7


@pytest.mark.parametrize("page", [7, 1000])
def test_next_link_elsewhere(site, page):
    site.set(next_link_elsewhere=True, tree_page=page)
    link = site.get(TREE).header("Link")
    assert link.startswith("<%s/api/models/org/many/tree/" % site.hub.cdn_url)


def test_next_link_loop(site):
    site.set(next_link_loop=True, tree_page=7)
    link = site.get(TREE).header("Link")
    url = re.fullmatch(r'<(.*)>; rel="next"', link).group(1)
    assert url == site.hub.url + TREE
    assert site.get(url).header("Link") == link


def paths(reply):
    return [entry.get("path") for entry in json.loads(reply.body)]


def test_evil_entries(site):
    site.set(evil_entries=True)
    told = json.loads(site.get(TREE).body)
    assert paths(site.get(TREE))[:len(MANY)] == MANY
    for group in EVIL.values():
        for entry in group:
            assert entry in told
    assert paths(site.get(TREE)).count(MANY[0]) == 2


@pytest.mark.parametrize("value, extra", [
    ("absolute", ["/etc/evil", "//evil"]), ("duplicate", MANY[:1]),
    ({"entries": [{"path": "mine"}]}, ["mine"])])
def test_evil_entries_of_choice(site, value, extra):
    site.set(evil_entries=value)
    assert paths(site.get(TREE)) == MANY + extra
    assert len(paths(site.get("/api/models/org/m/tree/main"))) > 4


def test_moved_between_pages(site):
    hub = site.hub
    first = hub.add("org/moves", {name: b"1" for name in MANY})
    gone = {name: None for name in MANY[:15]}
    second = hub.commit("org/moves", gone, branch="next")
    hub.set_for("org/moves", "", moved_between_pages=second, tree_page=10)
    url = "/api/models/org/moves/tree/"
    info = "/api/models/org/moves"
    assert json.loads(site.get(info).body)["sha"] == first
    page = site.get(url + "main")
    assert paths(page) == MANY[:10]
    assert json.loads(site.get(info).body)["sha"] == second
    link = page.header("Link")[1:].partition(">")[0]
    assert paths(site.get(link)) == MANY[25:], "the branch has moved"
    pinned = site.get(url + first).header("Link")[1:].partition(">")[0]
    assert paths(site.get(pinned)) == MANY[10:20]


# ---- where and how often ----

@pytest.mark.parametrize("repo, path, hit", [
    ("org/m", "w.bin", {"m/w"}), ("org/m", "", {"m/w", "m/a", "m"}),
    ("", "", {"m/w", "m/a", "m", "o/w"})])
def test_scopes(site, repo, path, hit):
    places = {"m/w": RESOLVE, "m/a": "/org/m/resolve/main/a.txt",
              "m": INFO, "o/w": "/org/other/resolve/main/w.bin"}
    site.hub.set_for(repo, path, burst=True)
    assert {name for name, target in places.items()
            if site.get(target).status >= 500} == hit
    site.hub.set_for(repo, path, burst=False)
    assert site.get(RESOLVE).status == 302


def test_a_files_mood_goes_before_all_others(site):
    site.set(status=500)
    site.hub.set_for("org/m", "w.bin", status=404, error_code="EntryNotFound")
    assert site.get(RESOLVE).status == 404
    assert site.get(RESOLVE).header("X-Repo-Commit") == site.commit
    assert site.get(INFO).status == 500


def test_a_files_mood_is_known_at_the_cdn(site):
    places = [site.place("w.bin"), site.place("v.bin"),
              site.place("w.bin", "org/other")]
    site.hub.set_for("org/m", "w.bin", cdn_corrupt=True)
    assert [site.get(p).body == BYTES for p in places] == [
        False, True, True]


@pytest.mark.parametrize("on, hit", [
    ("tree", {"tree"}), ("info", {"info"}), ("api", {"tree", "info"}),
    ("resolvers", {"resolve", "cache"}), ("resolve-cache", {"cache"}),
    ("cdn", {"cdn"})])
def test_routes(site, on, hit):
    places = {"tree": TREE, "info": INFO, "resolve": RESOLVE,
              "cache": site.place("a.txt"), "cdn": site.place()}
    site.set(burst={"on": on})
    assert {name for name, target in places.items()
            if site.get(target).status >= 500} == hit


def test_moods_of_the_start(make_hub):
    hub = make_hub(tree_page=1)
    hub.add("a/b", {"f": b"", "g": b""})
    url = hub.url + "/api/models/a/b/tree/main"
    assert len(json.loads(ask(url).body)) == 1
    hub.set(burst=3)
    assert ask(url).status == 503
    hub.close()
    hub.start()
    assert [ask(url).status for _ in range(3)] == [503, 500, 200]
    assert len(json.loads(ask(url).body)) == 1, "moods survive"
    hub.calm()
    assert len(json.loads(ask(url).body)) == 2


def test_all_are_tested_and_told():
    here = pathlib.Path(__file__)
    told = set(re.findall(r"^\| `(\w+)`",
                          here.with_name("README.md").read_text(), re.M))
    tested = set(re.findall(r"\w+", here.read_text() + here.with_name(
        "test_other_moods.py").read_text()))
    assert told == set(MOODS)
    assert set(MOODS) - tested == set()
