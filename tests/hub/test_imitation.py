# SPDX-License-Identifier: MIT
"""The imitation hub by raw HTTP: what its answers are, header by header."""

import gzip
import hashlib
import json
import pathlib
import re
import subprocess
import time
import urllib.parse

import pytest

from hub_process import Hub
from raw_http import ask, connect, exchange

TOKEN = "hf_valid"
ALL = "hf_all"
BYTES = bytes(range(256)) * 40
TEXT = b"text of a small file\n"
NAMES = ["a b.txt", "a#b.txt", "100%.txt", "a%20b.txt", "what?.txt", "+&=.txt",
         "\u00fc\u4e2d\U0001f600.txt", "y" * 251 + ".txt", "\u4e2d" * 85]
FILES = {
    "config.json": TEXT, "sub/dir/a.txt": b"a", "sub/model.safetensors": BYTES,
    "model.bin": BYTES, "direct.txt": TEXT, "empty.txt": b"",
    "empty.bin": b"", "ranged.txt": BYTES, "direct.bytes": BYTES,
    "long.txt": b"compresses well " * 1000,
    **{name: name.encode() for name in NAMES}}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def git_oid(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def quoted(path):
    return urllib.parse.quote(path, safe="/")


class Site:
    def __init__(self, folder):
        self.folder = folder
        self.hub = hub = Hub(folder / "hub").start()
        self.first = hub.add("org/m", FILES, tags=["v1"],
                             legacy_names=["m"], shapes={
                                 "direct.txt": "C", "direct.bytes": "C"})
        self.commit = hub.commit("org/m", {"later.txt": b"later"})
        hub.ref("org/m", "refs/pr/1", self.first)
        hub.add("org/gated", {"f.txt": TEXT, "w.bin": BYTES}, gated="auto")
        hub.add("org/private", {"f.txt": TEXT}, private=True)
        hub.add("org/disabled", {"f.txt": TEXT}, disabled=True)
        hub.token(TOKEN)
        hub.token(ALL, grants="*")

    def get(self, target, token=None, method="GET", body=None, **headers):
        headers = {name.replace("_", "-"): value
                   for name, value in headers.items()}
        if token:
            headers["Authorization"] = "Bearer " + token
        if not target.startswith("http"):
            target = self.hub.url + target
        return ask(target, method, headers, body)

    def json(self, target, **options):
        reply = self.get(target, **options)
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def resolve(self, path, **options):
        return self.get("/org/m/resolve/main/" + quoted(path), **options)

    def place(self, path):
        """Where the bytes of a file of shape A or B are."""
        return urllib.parse.urljoin(self.hub.url,
                                    self.resolve(path).header("Location"))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("raw"))
    yield site
    site.hub.close()
    assert "Traceback" not in site.hub.log()


@pytest.fixture
def site(served):
    served.hub.calm()
    served.hub.forget()
    return served


# ---- the shapes ----

@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_shape_a_is_a_relative_redirect(site, method):
    reply = site.resolve("sub/dir/a.txt", method=method)
    assert reply.status == 307
    assert reply.header("Location") == (
        "/api/resolve-cache/models/org/m/%s/sub%%2Fdir%%2Fa.txt"
        "?%%2Forg%%2Fm%%2Fresolve%%2Fmain%%2Fsub%%2Fdir%%2Fa.txt="
        "&etag=%%22%s%%22" % (site.commit, git_oid(b"a")))
    assert reply.header("Content-Type").startswith("text/plain")
    length = int(reply.header("Content-Length"))
    assert 200 < length < 320 and length != len(b"a")
    assert reply.header("X-Repo-Commit") == site.commit
    assert reply.header("X-Linked-Size") is None
    assert len(reply.body) == (length if method == "GET" else 0)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_resolve_cache_serves(site, method):
    reply = site.get(site.place("config.json"), method=method)
    assert reply.status == 200
    assert reply.body == (TEXT if method == "GET" else b"")
    assert reply.header("Content-Length") == str(len(TEXT))
    assert reply.header("ETag") == '"%s"' % git_oid(TEXT)
    assert reply.header("X-Repo-Commit") == site.commit
    assert reply.header("Accept-Ranges") == "bytes"
    assert 'filename="config.json"' in reply.header("Content-Disposition")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_shape_b_is_an_absolute_redirect_elsewhere(site, method):
    reply = site.resolve("sub/model.safetensors", method=method)
    assert reply.status == 302
    assert reply.header("Location").startswith(site.hub.cdn_url + "/")
    assert reply.header("X-Repo-Commit") == site.commit
    assert reply.header("X-Linked-ETag") == '"%s"' % sha256(BYTES)
    assert reply.header("X-Linked-Size") == str(len(BYTES))
    assert reply.header("Accept-Ranges") == "bytes"
    assert reply.header("X-Xet-Hash") is None
    assert int(reply.header("Content-Length")) not in (0, len(BYTES))
    query = urllib.parse.parse_qs(
        urllib.parse.urlsplit(reply.header("Location")).query)
    assert 3500 < int(query["Expires"][0]) - time.time() <= 3600


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_cdn_serves(site, method):
    reply = site.get(site.place("model.bin"), method=method)
    assert reply.status == 200
    assert reply.body == (BYTES if method == "GET" else b"")
    assert reply.header("Content-Length") == str(len(BYTES))
    assert reply.header("ETag") == '"%s"' % sha256(BYTES)
    for name in ("X-Repo-Commit", "X-Linked-Size", "RateLimit"):
        assert reply.header(name) is None


@pytest.mark.parametrize("change", [
    lambda url: url.partition("?")[0],
    lambda url: url.replace("Signature=", "Signature=0"),
    lambda url: re.sub("Policy=[^&]*", "Policy=e30=", url)])
def test_the_cdn_demands_the_signature(site, change):
    assert site.get(change(site.place("model.bin"))).status == 403


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_shape_c_is_served_at_once(site, method):
    reply = site.resolve("direct.txt", method=method)
    assert reply.status == 200
    assert reply.body == (TEXT if method == "GET" else b"")
    assert reply.header("Content-Length") == str(len(TEXT))
    assert reply.header("ETag") == '"%s"' % git_oid(TEXT)
    assert reply.header("X-Repo-Commit") == site.commit


def test_raw_has_the_pointer(site):
    reply = site.get("/org/m/raw/main/model.bin")
    assert b"oid sha256:%s\nsize %d\n" % (sha256(BYTES).encode(),
                                          len(BYTES)) in reply.body
    entry = site.json("/api/models/org/m/paths-info/main", method="POST",
                      body=json.dumps({"paths": ["model.bin"]}),
                      Content_Type="application/json")[0]
    assert entry["oid"] == git_oid(reply.body)
    assert entry["lfs"] == {"oid": sha256(BYTES), "size": len(BYTES),
                            "pointerSize": len(reply.body)}


# ---- ranges and conditions ----

SIZE = len(BYTES)


@pytest.mark.parametrize("path", ["model.bin", "ranged.txt", "direct.bytes"])
@pytest.mark.parametrize("asked, status, part", [
    (None, 200, (0, SIZE)),
    ("bytes=0-0", 206, (0, 1)),
    ("bytes=10-19", 206, (10, 20)),
    ("bytes=%d-" % (SIZE - 1), 206, (SIZE - 1, SIZE)),
    ("bytes=0-", 206, (0, SIZE)),
    ("bytes=-5", 206, (SIZE - 5, SIZE)),
    ("bytes=-%d" % (SIZE + 7), 206, (0, SIZE)),
    ("bytes=%d-%d" % (SIZE - 3, SIZE + 100), 206, (SIZE - 3, SIZE)),
    ("bytes=%d-" % SIZE, 416, None),
    ("bytes=%d-%d" % (SIZE + 5, SIZE + 9), 416, None),
    ("bytes=-0", 416, None),
    ("bytes=9-5", 200, (0, SIZE)),
    ("bytes=-", 200, (0, SIZE)),
    ("lines=1-2", 200, (0, SIZE)),
    ("bytes=0-1,4-5", 200, (0, SIZE)),
])
def test_ranges(site, path, asked, status, part):
    place = site.hub.url + "/org/m/resolve/main/" + path \
        if path == "direct.bytes" else site.place(path)
    reply = site.get(place, **({"Range": asked} if asked else {}))
    assert reply.status == status
    if part is None:
        assert reply.header("Content-Range") == "bytes */%d" % SIZE
        assert reply.body == b""
        return
    start, stop = part
    assert reply.body == BYTES[start:stop]
    assert reply.header("Content-Length") == str(stop - start)
    assert reply.header("Content-Range") == (
        "bytes %d-%d/%d" % (start, stop - 1, SIZE) if status == 206 else None)


@pytest.mark.parametrize("path", ["empty.txt", "empty.bin"])
def test_an_empty_file(site, path):
    place = site.place(path)
    reply = site.get(place)
    assert (reply.status, reply.body) == (200, b"")
    assert reply.header("Content-Length") == "0"
    assert site.get(place, Range="bytes=0-0").status == 416


@pytest.mark.parametrize("path, etag", [
    ("direct.txt", git_oid(TEXT)), ("config.json", git_oid(TEXT)),
    ("model.bin", sha256(BYTES))])
@pytest.mark.parametrize("at", ["resolve", "place"])
def test_not_modified(site, path, etag, at):
    if at == "place" and path == "direct.txt":
        at = "resolve"
    url = site.place(path) if at == "place" else \
        site.hub.url + "/org/m/resolve/main/" + path
    reply = site.get(url, If_None_Match='"%s"' % etag)
    assert (reply.status, reply.body) == (304, b"")
    assert reply.header("Content-Length") is None
    assert site.get(url, If_None_Match='"other"').status != 304


@pytest.mark.parametrize("tag, status", [('"%s"' % sha256(BYTES), 206),
                                         ('"other"', 200)])
def test_if_range(site, tag, status):
    reply = site.get(site.place("model.bin"), Range="bytes=1-2", If_Range=tag)
    assert reply.status == status


def test_text_is_packed_for_those_who_take_it(site):
    content = FILES["long.txt"]
    place = site.place("long.txt")
    plain = site.get(place)
    packed = site.get(place, Accept_Encoding="gzip")
    head = site.get(place, method="HEAD", Accept_Encoding="gzip")
    assert plain.body == content and gzip.decompress(packed.body) == content
    assert packed.header("Content-Encoding") == "gzip"
    for reply in (packed, head):
        assert reply.header("Content-Length") is None
        assert reply.header("Accept-Ranges") is None
    part = site.get(place, Accept_Encoding="gzip", Range="bytes=1-3")
    assert (part.status, part.body) == (206, content[1:4])


# ---- names ----

@pytest.mark.parametrize("path", NAMES + ["sub/dir/a.txt"])
@pytest.mark.parametrize("encode", [
    quoted, lambda path: urllib.parse.quote(path, safe=""),
    lambda path: "".join("%%%02x" % b for b in path.encode())])
def test_names_are_decoded(site, path, encode):
    reply = site.get("/org/m/resolve/main/" + encode(path))
    assert reply.status == 307
    got = site.get(urllib.parse.urljoin(site.hub.url,
                                        reply.header("Location")))
    assert got.body == FILES[path]


def test_names_in_the_tree(site):
    told = {e["path"] for e in site.json("/api/models/org/m/tree/" +
                                         site.first)}
    assert set(NAMES) <= told and "sub" in told


@pytest.mark.parametrize("revision, commit", [
    ("main", "main"), ("HEAD", "main"), ("refs%2Fheads%2Fmain", "main"),
    ("v1", "first"), ("refs%2Fpr%2F1", "first"), ("refs%2fpr%2f1", "first"),
    ("refs%2Ftags%2Fv1", "first")])
def test_revisions(site, revision, commit):
    main = site.json("/api/models/org/m")["sha"]
    sha = {"main": main, "first": site.first}[commit]
    assert site.json("/api/models/org/m/revision/" + revision)["sha"] == sha
    reply = site.get("/api/models/org/m/tree/" + revision)
    assert reply.header("X-Repo-Commit") == sha
    reply = site.get("/org/m/resolve/%s/config.json" % revision)
    assert reply.header("X-Repo-Commit") == sha


@pytest.mark.parametrize("folder", ["sub/dir", "sub%2Fdir"])
def test_a_folder_of_the_tree(site, folder):
    told = site.json("/api/models/org/m/tree/main/" + folder)
    assert told == [{"type": "file", "oid": git_oid(b"a"), "size": 1,
                     "path": "sub/dir/a.txt"}]


@pytest.mark.parametrize("asked, location", [
    ("/api/models/m", "/api/models/org/m"),
    ("/api/models/m/revision/v1?blobs=true",
     "/api/models/org/m/revision/v1?blobs=true"),
    ("/api/models/m/tree/main/sub%2Fdir",
     "/api/models/org/m/tree/main/sub%2Fdir"),
    ("/m/resolve/main/a%20b.txt", "/org/m/resolve/main/a%20b.txt"),
    ("/ORG/M/resolve/main/config.json", "/org/m/resolve/main/config.json")])
def test_other_names(site, asked, location):
    reply = site.get(asked)
    assert reply.status == 307 and reply.header("Location") == location
    assert int(reply.header("Content-Length")) == len(reply.body) > 0
    for name in ("ETag", "X-Repo-Commit", "X-Linked-Size", "X-Linked-ETag"):
        assert reply.header(name) is None


# ---- pages ----

def pages(site, target):
    url, found, links = site.hub.url + target, [], []
    while url:
        reply = site.get(url)
        found.append(json.loads(reply.body))
        link = reply.header("Link")
        url = link and re.fullmatch(r'<(.*)>; rel="next"', link).group(1)
        links += [url] if url else []
    return found, links


def test_the_tree_in_pages(site):
    found, links = pages(site, "/api/models/org/m/tree/%s"
                         "?recursive=true&limit=5" % site.first)
    paths = [entry["path"] for page in found for entry in page]
    assert sorted(paths) == sorted({*FILES, "sub", "sub/dir"})
    assert {len(page) for page in found[:-1]} == {5}
    for link in links:
        assert link.startswith(site.hub.url + "/api/models/org/m/tree/")
        assert "recursive=true" in link and "limit=5" in link


def test_links_are_for_the_host_that_was_asked(site):
    reply = site.get("/api/models/org/m/tree/main?limit=1",
                     Host="hub.example:81")
    assert reply.header("Link").startswith("<http://hub.example:81/api/")


def test_the_default_page_has_1000_entries(site):
    site.hub.add("org/many", {"f%04d" % n: b"" for n in range(2001)})
    found, _ = pages(site, "/api/models/org/many/tree/main")
    assert [len(page) for page in found] == [1000, 1000, 1]
    found, _ = pages(site, "/api/models/org/many/tree/main?limit=5000")
    assert [len(page) for page in found] == [1000, 1000, 1]
    first = site.json("/api/models/org/many/tree/main?expand=true")
    assert len(first) == 50
    assert set(first[0]["lastCommit"]) == {"id", "title", "date"}


def test_the_list_of_models(site):
    for number in range(7):
        site.hub.add("some/m%d" % number, {"f": b""}, downloads=number,
                     labels=["odd"] if number % 2 else [])
    found, links = pages(
        site, "/api/models?author=some&sort=downloads&limit=3")
    assert [[m["downloads"] for m in page] for page in found] == [
        [6, 5, 4], [3, 2, 1], [0]]
    assert all("cursor=" in link and "author=some" in link for link in links)
    told = site.json("/api/models?author=some&limit=1&expand=lastModified")
    assert set(told[0]) == {"_id", "id", "lastModified"}
    assert len(site.json("/api/models?author=some&filter=odd")) == 3
    assert [m["id"] for m in site.json("/api/models?search=E/M3")] == [
        "some/m3"]
    assert site.json("/api/models?author=nobody") == []
    assert "org/private" not in [m["id"] for m in
                                 site.json("/api/models?author=org")]
    assert "org/private" in [m["id"] for m in
                             site.json("/api/models?author=org", token=ALL)]


# ---- refusals ----

ENTRY = (404, "EntryNotFound")
REVISION = (404, "RevisionNotFound")
REPO = (404, "RepoNotFound")
ANONYMOUS = (401, None)


@pytest.mark.parametrize("target, token, want, message", [
    ("/org/m/resolve/main/none", None, ENTRY, "Entry not found"),
    ("/org/m/resolve/main/sub", None, ENTRY, None),
    ("/api/models/org/m/tree/main/none", None, ENTRY, None),
    ("/api/models/org/m/tree/main/config.json", None, ENTRY, None),
    ("/org/m/resolve/nope/config.json", None, REVISION,
     "Invalid rev id: nope"),
    ("/api/models/org/m/revision/nope", TOKEN, REVISION, None),
    ("/api/models/org/none", TOKEN, REPO, "Repository not found"),
    ("/api/models/org/none", None, ANONYMOUS, "Invalid username or password."),
    ("/api/models/none", None, ANONYMOUS, None),
    ("/org/none/resolve/main/f", None, ANONYMOUS, None),
    ("/api/models/org/private", TOKEN, REPO, None),
    ("/api/models/org/private", None, ANONYMOUS, None),
    ("/org/private/resolve/main/f.txt", None, ANONYMOUS, None),
    ("/api/models/org/private", ALL, (200, None), None),
    ("/api/models/org/m", "hf_wrong", ANONYMOUS,
     "Invalid credentials in Authorization header"),
    ("/api/models/org/gated", None, (200, None), None),
    ("/api/models/org/gated/tree/main", None, (200, None), None),
    ("/org/gated/resolve/main/f.txt", None, (401, "GatedRepo"), None),
    ("/org/gated/resolve/main/f.txt", TOKEN, (403, "GatedRepo"), None),
    ("/org/gated/resolve/main/w.bin", None, (401, "GatedRepo"), None),
    ("/org/gated/resolve/main/w.bin", ALL, (302, None), None),
    ("/api/models/org/gated/auth-check", TOKEN, (403, "GatedRepo"), None),
    ("/api/models/org/gated/auth-check", ALL, (200, None), None),
    ("/api/models/org/disabled", None, (403, None),
     "Access to this resource is disabled."),
    ("/org/disabled/resolve/main/f.txt", ALL, (403, None),
     "Access to this resource is disabled."),
    ("/api/agent-harnesses", None, (404, None), None),
    ("/api/whoami-v2", None, ANONYMOUS, None),
    ("/api/models/org/m/tree/main?limit=no", None, (400, None), None),
    ("/api/models/org/m/tree/main?cursor=no", None, (400, None), None),
    ("/api/models/org/m?blobs=true&expand=sha", None, (400, None), None),
])
def test_refusals(site, target, token, want, message):
    reply = site.get(target, token=token)
    assert (reply.status, reply.header("X-Error-Code")) == want
    if message:
        assert reply.header("X-Error-Message") == message
    if target.startswith("/api") and reply.status >= 400:
        assert json.loads(reply.body)["error"] == \
            reply.header("X-Error-Message")
    if want == ENTRY:
        assert re.fullmatch("[0-9a-f]{40}", reply.header("X-Repo-Commit"))
    if reply.status == 401:
        assert reply.header("WWW-Authenticate").startswith("Bearer realm=")


def test_the_text_of_a_missing_file_is_short(site):
    reply = site.get("/org/m/resolve/main/none")
    assert reply.body == b"Entry not found"
    head = site.get("/org/m/resolve/main/none", method="HEAD")
    assert (head.status, head.body) == (404, b"")
    assert head.header("Content-Length") == "15"


# ---- other routes ----

@pytest.mark.parametrize("kind, body", [
    ("application/json", '{"paths": ["config.json", "no", "sub"]}'),
    ("application/x-www-form-urlencoded",
     "paths=config.json&paths=no&paths=sub&expand=false")])
def test_paths_info(site, kind, body):
    told = site.json("/api/models/org/m/paths-info/main", method="POST",
                     body=body, Content_Type=kind)
    assert [(e["path"], e["type"]) for e in told] == [
        ("config.json", "file"), ("sub", "directory")]


def test_refs(site):
    told = site.json("/api/models/org/m/refs?include_prs=1")
    assert [r["ref"] for r in told["branches"]] == ["refs/heads/main"]
    assert told["tags"] == [{"name": "v1", "ref": "refs/tags/v1",
                             "targetCommit": site.first}]
    assert [r["ref"] for r in told["pullRequests"]] == ["refs/pr/1"]
    assert "pullRequests" not in site.json("/api/models/org/m/refs")


def test_xet_read_token(site):
    told = site.json("/api/models/org/m/xet-read-token/main")
    assert set(told) == {"accessToken", "exp", "casUrl"}
    assert told["exp"] > time.time()


def test_datasets_have_their_own_segment(site):
    site.hub.add("org/d", {"f.txt": TEXT}, kind="datasets")
    told = site.json("/api/datasets/org/d")
    assert told["id"] == "org/d" and "modelId" not in told
    assert site.get("/api/models/org/d", token=TOKEN).status == 404
    reply = site.get("/datasets/org/d/resolve/main/f.txt")
    got = site.get(urllib.parse.urljoin(site.hub.url,
                                        reply.header("Location")))
    assert got.body == TEXT


def test_info_can_say_more(site):
    site.hub.add("org/told", {"f.txt": TEXT}, info={
        "pipeline_tag": "fill-mask", "cardData": {"license": "mit"}})
    told = site.json("/api/models/org/told")
    assert told["pipeline_tag"] == "fill-mask"
    assert told["cardData"] == {"license": "mit"}


def test_a_packed_answer_of_the_api(site):
    target = "/api/models/org/m/tree/main?recursive=true"
    packed = site.get(target, Accept_Encoding="gzip")
    assert packed.header("Content-Encoding") == "gzip"
    assert gzip.decompress(packed.body) == site.get(target).body


@pytest.mark.parametrize("target, bucket, quota", [
    ("/api/models/org/m", "api", 500), ("/api/none", "api", 500),
    ("/org/m/resolve/main/config.json", "resolvers", 3000),
    ("/org/m/resolve/main/none", "resolvers", 3000), ("/x", "pages", 100)])
def test_rate_limit_headers(site, target, bucket, quota):
    left = []
    for _ in range(2):
        reply = site.get(target)
        told = re.fullmatch(r'"(\w+)";r=(\d+);t=(\d+)',
                            reply.header("RateLimit"))
        assert told.group(1) == bucket and 0 < int(told.group(3)) <= 300
        left.append(int(told.group(2)))
        assert reply.header("RateLimit-Policy") == \
            '"fixed window";"%s";q=%d;w=300' % (bucket, quota)
    assert left[1] == left[0] - 1 or left[1] > left[0]  # a new window


def test_a_request_id_is_echoed(site):
    reply = site.get("/api/models/org/m", X_Amzn_Trace_Id="mine")
    assert reply.header("X-Request-Id") == "mine"


# ---- connections and records ----

def test_connections_are_kept(site):
    connection = connect(site.hub.url)
    for method, target in (("GET", "/api/models/org/m"),
                           ("HEAD", "/org/m/resolve/main/direct.txt"),
                           ("GET", "/org/m/resolve/main/none"),
                           ("GET", "/org/m/resolve/main/direct.txt")):
        last = exchange(connection, method, target)
    assert last.body == TEXT
    connection.close()
    assert len({r["connection"] for r in site.hub.requests()}) == 1


def test_what_was_asked_is_recorded(site):
    before = time.time()
    place = site.place("sub/model.safetensors")
    site.get(place, token="leaked", Range="bytes=5-9")
    site.get("/api/models/org/m", token=TOKEN, method="HEAD")
    first, second, third = site.hub.requests(headers=True)
    assert before <= first["time"] <= second["time"] <= time.time()
    assert (first["origin"], first["status"], first["authorization"]) == \
        ("hub", 302, None)
    assert first["path"] == "/org/m/resolve/main/sub/model.safetensors"
    assert (second["origin"], second["status"], second["bytes"]) == \
        ("cdn", 206, 5)
    assert second["authorization"] == "Bearer leaked"
    assert second["range"] == "bytes=5-9"
    assert second["file"] == "org/m/sub/model.safetensors"
    assert second["headers"]["range"] == "bytes=5-9"
    assert (third["method"], third["bytes"], third["file"]) == \
        ("HEAD", 0, None)
    assert third["authorization"] == "Bearer " + TOKEN
    assert third["ended"] >= third["time"]


def test_bytes_are_counted(site):
    site.get(site.place("model.bin"), Range="bytes=0-9")
    site.get(site.place("sub/model.safetensors"), Range="bytes=0-99")
    site.get(site.place("config.json"))
    site.get("/api/models/org/m/tree/main")
    assert site.hub.bytes_sent("sub/") == 100
    assert site.hub.bytes_sent("org/m/model.bin") == 10
    assert site.hub.bytes_sent() == 110 + len(TEXT)
    site.hub.forget()
    assert site.hub.bytes_sent() == 0 and site.hub.requests() == []


def test_curl_drops_the_token_for_the_cdn(site):
    done = subprocess.run(
        ["curl", "-sSL", "-H", "Authorization: Bearer " + TOKEN,
         site.hub.url + "/org/m/resolve/main/model.bin"],
        capture_output=True, check=True, timeout=60)
    assert done.stdout == BYTES
    assert [(r["origin"], r["authorization"]) for r in site.hub.requests()] \
        == [("hub", "Bearer " + TOKEN), ("cdn", None)]


# ---- commits, big files, the process ----

def test_old_commits_stay(site):
    first = site.hub.add("org/moves", {"f.txt": b"one", "g.txt": b"g"})
    second = site.hub.commit("org/moves", {"f.txt": b"two", "g.txt": None})
    assert first != second
    for commit, names in ((first, ["f.txt", "g.txt"]), (second, ["f.txt"])):
        told = site.json("/api/models/org/moves/tree/" + commit)
        assert [e["path"] for e in told] == names
    assert site.json("/api/models/org/moves")["sha"] == second
    old = site.get("/org/moves/resolve/%s/f.txt" % first)
    new = site.get("/org/moves/resolve/main/f.txt")
    assert old.header("Location") != new.header("Location")
    assert site.get("/org/moves/resolve/main/g.txt").status == 404


def test_a_folder_is_served_in_place(site):
    folder = site.folder / "place"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/a.bin").write_bytes(BYTES)
    (folder / "b.txt").symlink_to("sub/a.bin")
    copies = sorted((site.hub.folder / "bytes").iterdir())
    site.hub.add("org/place", folder)
    told = site.json("/api/models/org/place/tree/main?recursive=true")
    assert [e["path"] for e in told] == ["b.txt", "sub", "sub/a.bin"]
    assert sorted((site.hub.folder / "bytes").iterdir()) == copies


def test_a_sparse_file_of_5_gib(site):
    size = 5 << 30
    local = site.folder / "sparse.bin"
    with open(local, "wb") as f:
        f.truncate(size)
        f.seek(size - 4)
        f.write(b"tail")
    begun = time.monotonic()
    site.hub.add("org/sparse", {"w.bin": pathlib.Path(local)},
                 sha256={"w.bin": "5" * 64})
    assert time.monotonic() - begun < 2, "the file was read"
    reply = site.get("/org/sparse/resolve/main/w.bin")
    assert reply.header("X-Linked-Size") == str(size)
    part = site.get(reply.header("Location"),
                    Range="bytes=%d-" % (size - 6))
    assert (part.status, part.body) == (206, b"\0\0tail")
    assert part.header("Content-Range") == "bytes %d-%d/%d" % (
        size - 6, size - 1, size)
    local.unlink()


@pytest.mark.parametrize("lfs, big", [
    (None, True), (["*.none"], False), (["*.txt"], True),
    (lambda path: path == "big.txt", True)])
def test_what_is_lfs(make_hub, lfs, big):
    hub = make_hub()
    hub.add("a/b", {"big.txt": bytes(1 << 20)}, lfs=lfs)
    reply = ask(hub.url + "/api/models/a/b/tree/main")
    assert ("lfs" in json.loads(reply.body)[0]) == big


def test_a_killed_hub_comes_back(make_hub):
    hub = make_hub()
    commit = hub.add("a/b", {"w.bin": BYTES}, private=True)
    hub.token(TOKEN, grants=["a/b"])
    hub.set(tree_page=1)
    url = hub.url + "/api/models/a/b"
    token = {"Authorization": "Bearer " + TOKEN}
    place = ask(hub.url + "/a/b/resolve/main/w.bin",
                headers=token).header("Location")
    hub.kill()
    with pytest.raises(ConnectionRefusedError):
        ask(url)
    assert len(hub.requests()) == 1
    hub.start()
    told = json.loads(ask(url, headers=token).body)
    assert told["sha"] == commit
    assert ask(url).status == 401
    assert ask(place).body == BYTES, "a URL signed before is still good"
    assert len(hub.requests()) == 4
    hub.close()
    hub.close()


def test_a_paused_hub_is_silent(make_hub):
    hub = make_hub()
    hub.add("a/b", {"f": b""})
    hub.pause()
    with pytest.raises(TimeoutError):
        ask(hub.url + "/api/models/a/b", timeout=0.5)
    hub.resume()
    assert ask(hub.url + "/api/models/a/b").status == 200


def test_mistakes_are_told(site):
    for call in (lambda: site.hub.add("org/m", {"f": b""}),
                 lambda: site.hub.commit("org/none", {"f": b""}),
                 lambda: site.hub.commit("org/m", {"none": None}),
                 lambda: site.hub.tag("org/m", "t", "0" * 40)):
        with pytest.raises(RuntimeError):
            call()
    for moods in ({"no_such_mood": 1}, {"stall": {"second": 1}},
                  {"stall": {"on": "nowhere"}}, {"error_code": "GatedRepo"},
                  {"burst": {"origin": "moon"}}, {"error": "nothing"},
                  {"signed_form": "odd"}, {"tree_page": "many"}):
        with pytest.raises(ValueError):
            site.hub.set(**moods)
