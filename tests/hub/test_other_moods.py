# SPDX-License-Identifier: MIT
"""The moods of the other hosts: each in the form of its host, where it is
set and nowhere else, and that it ends."""

import io
import json
import time
import urllib.parse
import zipfile

import pytest

from other_site import (AGENT, API, ASSET, BYTES, FILES, HANDLE, KERAS, MAR,
                        OLD, TOKEN, TORCH, ZOO_PATH, OtherSite, digest_of)
from raw_http import ask

KAGGLE, TFHUB = "www.kaggle.com", "tfhub.dev"
GOOGLE, TORCH_HOST = "storage.googleapis.com", "download.pytorch.org"
SERVE, GITHUB = "torchserve.pytorch.org", "github.com"
GITHUB_API, RAW = "api.github.com", "raw.githubusercontent.com"
MEDIA = "media.githubusercontent.com"
ASSETS = "release-assets.githubusercontent.com"

NAME = "saved_model.pb"
DATA = "variables/variables.data-00000-of-00001"
FILE = API + HANDLE + "/download/" + NAME
WEIGHTS = API + HANDLE + "/download/" + DATA
BUNDLE = API + HANDLE + "/download"
LISTED = API + HANDLE + "/files"
ZOO = "/media/onnx/models/main/" + ZOO_PATH
BATCH = "/onnx/models.git/info/lfs/objects/batch"
TREE = "/repos/o/r/git/trees/main?recursive=1"
NEW_ASSET = ASSET.replace("rwightman", "huggingface")
RANGE = {**AGENT, "Range": "bytes=100-199"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    site = OtherSite(tmp_path_factory.mktemp("moods"))
    yield site
    site.hub.close()
    assert "Traceback" not in site.hub.log()


@pytest.fixture
def site(served):
    served.hub.calm()
    served.hub.forget()
    return served


# ---- bytes ----

PLACES = [  # host, path, repository and path that moods are set for
    (GOOGLE, KERAS, GOOGLE, KERAS[1:]),
    (TORCH_HOST, TORCH, TORCH_HOST, TORCH[1:]),
    (SERVE, MAR, SERVE, MAR[1:]),
    (MEDIA, ZOO, "onnx/models", ZOO_PATH),
    (KAGGLE, WEIGHTS, HANDLE, DATA),
    (GITHUB, NEW_ASSET, "huggingface/timm", "v0.1-w/net_a-1234abcd.pth"),
]


@pytest.mark.parametrize("host, path, repo, file", PLACES)
@pytest.mark.parametrize("moods, status, size", [
    ({"cdn_ignores_range": 1}, 200, len(BYTES)),
    ({"cdn_short": {"after": 7, "times": 1}}, 206, 7),
    ({"no_length": 1}, 206, 100),
    ({"burst": {"times": 1, "origin": "cdn"}}, 503, None),
])
def test_bytes(site, host, path, repo, file, moods, status, size):
    _, _, url = site.follow(host, path)
    site.hub.set_for(repo, file, **moods)
    reply = ask(url, headers=RANGE)
    assert reply.status == status
    assert size is None or len(reply.body) == size
    assert reply.broken == ("cdn_short" in moods)
    if "no_length" in moods:
        assert reply.header("Content-Length") is None
        assert reply.body == BYTES[100:200]
    again = ask(url, headers=RANGE)
    assert (again.status, again.body) == (206, BYTES[100:200])


def test_corrupt_bytes_have_the_wrong_digest(site):
    site.hub.set_for(TORCH_HOST, TORCH[1:], cdn_corrupt=1)
    content = site.get(TORCH_HOST, TORCH).body
    assert len(content) == len(BYTES)
    assert not digest_of(content).startswith(TORCH[-12:-4])
    assert site.get(TORCH_HOST, TORCH).body == BYTES


def test_a_bundle_without_a_length(site):
    site.hub.set_for(HANDLE, "archive.tar.gz", no_length=True)
    _, reply, url = site.follow(KAGGLE, BUNDLE)
    assert reply.header("Content-Length") is None
    assert reply.body[:2] == b"\x1f\x8b"
    _, other, _ = site.follow(KAGGLE, FILE)
    assert other.header("Content-Length") == str(len(FILES[NAME]))
    site.hub.calm()
    assert ask(url).body == reply.body


@pytest.mark.parametrize("form, lines, has_md5, is_right", [
    ("joined", 1, True, True), ("no_md5", 1, False, False),
    ("none", 0, False, False), ("wrong", 2, True, False)])
def test_goog_hash(site, form, lines, has_md5, is_right):
    good = site.get(GOOGLE, KERAS).headers.get_all("x-goog-hash")
    site.hub.set(goog_hash={"form": form, "times": 1})
    told = site.get(GOOGLE, KERAS).headers.get_all("x-goog-hash") or []
    assert len(told) == lines
    assert ("md5=" in ",".join(told)) == has_md5
    assert (",".join(told) == ",".join(good)) == is_right
    assert site.get(GOOGLE, KERAS).headers.get_all("x-goog-hash") == good


def test_lfs_pointer(site):
    site.hub.set(lfs_pointer=1)
    reply = site.get(MEDIA, ZOO)
    assert reply.status == 200
    assert reply.body.startswith(b"version https://git-lfs")
    assert site.get(MEDIA, ZOO).body == BYTES


def test_lfs_budget(site):
    body = json.dumps({"objects": [{"oid": digest_of(BYTES), "size": 1}]})
    site.hub.set_for("onnx/models", "", lfs_budget=1)
    reply = site.get(GITHUB, BATCH, "POST", AGENT, body)
    assert reply.status == 403
    assert set(json.loads(reply.body)) == {"message", "request_id",
                                           "documentation_url"}
    assert "LFS budget" in reply.body.decode()
    assert site.get(GITHUB, BATCH, "POST", AGENT, body).status == 200


def test_auto_zip(site):
    site.hub.set_for(HANDLE, NAME, auto_zip=1)
    _, reply, url = site.follow(KAGGLE, FILE)
    assert urllib.parse.urlsplit(url).path.endswith("/%s.zip" % NAME)
    with zipfile.ZipFile(io.BytesIO(reply.body)) as packed:
        assert packed.namelist() == [NAME]
        assert packed.read(NAME) == FILES[NAME]
    assert site.follow(KAGGLE, FILE)[1].body == FILES[NAME]


# ---- signed URLs ----

SIGNED = [(KAGGLE, WEIGHTS, HANDLE, GOOGLE),
          (GITHUB, NEW_ASSET, "huggingface/timm", ASSETS)]


@pytest.mark.parametrize("host, path, repo, storage", SIGNED)
def test_signed_urls_expire(site, host, path, repo, storage):
    _, _, url = site.follow(host, path)
    site.hub.set(expire="now")
    assert ask(url).status == 403
    _, reply, url = site.follow(host, path)
    assert reply.body == BYTES
    site.hub.set_for(repo, "", expire={"requests": 2})
    _, _, url = site.follow(host, path)
    assert [ask(url).status for _ in range(2)] == [200, 403]
    site.hub.set_for(repo, "", expire={"seconds": 0.3, "told": False})
    _, reply, url = site.follow(host, path)
    assert reply.status == 200
    time.sleep(0.4)
    reply = ask(url)
    assert reply.status == 403
    assert reply.header("Content-Type") == "application/xml; charset=UTF-8"


@pytest.mark.parametrize("host, path, repo, storage", SIGNED)
@pytest.mark.parametrize("form, names", [
    ("goog", {"X-Goog-Date", "X-Goog-Expires", "X-Goog-Signature",
              "X-Goog-Credential", "X-Goog-Algorithm",
              "X-Goog-SignedHeaders"}),
    ("expires", {"GoogleAccessId", "Expires", "Signature"}),
    ("amz", {"X-Amz-Algorithm", "X-Amz-Date", "X-Amz-Expires",
             "X-Amz-SignedHeaders", "X-Amz-Signature"}),
    ("azure", {"sp", "sv", "sr", "spr", "se", "sig"}),
    ("none", {"Signature"})])
def test_signed_form(site, host, path, repo, storage, form, names):
    site.hub.set(signed_form=form)
    hops, reply, url = site.follow(host, path)
    assert hops == [(host, 302), (storage, 200)] and reply.body == BYTES
    assert set(urllib.parse.parse_qs(url.partition("?")[2])) == names
    site.hub.set(expire="now")
    assert ask(url).status == 403


@pytest.mark.parametrize("host, path, repo, storage", SIGNED)
def test_bad_signature(site, host, path, repo, storage):
    site.hub.set_for(repo, "", bad_signature={"times": 2, "origin": storage})
    told = [site.follow(host, path)[1].status for _ in range(3)]
    assert told == [403, 403, 200]


# ---- refusals ----

@pytest.mark.parametrize("moods, host, path, status, header, told", [
    ({"retry_after": {"times": 1, "seconds": 7}}, KAGGLE, LISTED, 429,
     ("Retry-After", "7"), '"code": 429'),
    ({"error": {"name": "gated", "times": 1}}, KAGGLE, FILE, 403, None,
     "User has not consented to terms of use."),
    ({"error": {"name": "anonymous", "times": 1}}, KAGGLE, LISTED, 401, None,
     '{"code": 401, "message": "Unauthorized"}'),
    ({"error": {"name": "entry", "times": 1}}, KAGGLE, FILE, 404, None,
     '"code": 404'),
    ({"burst": {"times": 1, "statuses": [502]}}, TFHUB, "/" + OLD, 502, None,
     "<html>"),
    ({"status": {"status": 503, "times": 1, "origin": GOOGLE}}, GOOGLE,
     KERAS, 503, None, "<Code>ServiceUnavailable</Code>"),
    ({"status": {"status": 403, "times": 1, "origin": GOOGLE}}, GOOGLE,
     KERAS, 403, None, "<Code>AccessDenied</Code>"),
    ({"status": {"status": 404, "times": 1, "origin": MEDIA}}, MEDIA, ZOO,
     404, None, "404: Not Found"),
    ({"rate_limit": {"times": 1, "reset": 9}}, GITHUB_API, TREE, 403,
     ("X-RateLimit-Remaining", "0"), "rate limit exceeded"),
    ({"retry_after": {"times": 1, "origin": RAW}}, RAW,
     "/o/r/main/hubconf.py", 429, ("Retry-After", "1"), "429: "),
    ({"html": 1}, KAGGLE, LISTED, 200,
     ("Content-Type", "text/html; charset=utf-8"), "<!DOCTYPE html>"),
    ({"html": {"media_type": "application/json", "times": 1}}, KAGGLE,
     BUNDLE, 200, ("Content-Type", "application/json"), "<!DOCTYPE html>"),
    ({"html": {"origin": GOOGLE, "times": 1}}, GOOGLE, KERAS, 200, None,
     "<!DOCTYPE html>"),
])
def test_refusals(site, moods, host, path, status, header, told):
    good = site.get(host, path)
    site.hub.set(**moods)
    reply = site.get(host, path)
    assert reply.status == status and told in reply.body.decode()
    if header:
        assert reply.headers.get_all(header[0]) == [header[1]]
    assert site.get(host, path).status == good.status


def test_rate_limit_tells_its_end(site):
    site.hub.set(rate_limit={"times": 1, "reset": 9})
    before = time.time()
    reset = int(site.get(GITHUB_API, TREE).header("X-RateLimit-Reset"))
    assert before + 8 <= reset <= time.time() + 9


def test_redirect_loop(site):
    site.hub.set(redirect_loop={"on": None})
    hops, reply, _ = site.follow(TFHUB, "/" + OLD)
    assert hops == [(TFHUB, 302)] * 11


# ---- lists ----

def test_truncated(site):
    site.hub.set_for("o/r", "", truncated={"times": 1, "entries": 2})
    told = json.loads(site.get(GITHUB_API, TREE).body)
    assert told["truncated"] is True and len(told["tree"]) == 2
    assert json.loads(site.get(GITHUB_API, TREE).body)["truncated"] is False


def test_pages_of_files(site):
    site.hub.set_for(HANDLE, "", tree_page=2)
    told = json.loads(site.get(KAGGLE, LISTED).body)
    assert len(told["files"]) == 2
    rest = json.loads(site.get(KAGGLE, LISTED + "?page_token=" +
                               told["nextPageToken"]).body)
    assert [f["name"] for f in told["files"] + rest["files"]] == \
        sorted(FILES)
    assert rest["nextPageToken"] == ""


def test_a_page_that_leads_to_itself(site):
    site.hub.set_for(HANDLE, "", tree_page=2, next_link_loop=True)
    first = json.loads(site.get(KAGGLE, LISTED).body)
    again = json.loads(site.get(KAGGLE, LISTED + "?page_token=" +
                                first["nextPageToken"]).body)
    assert again == first


# ---- where they are set ----

@pytest.mark.parametrize("origin, hit", [
    ("any", {KAGGLE, GOOGLE, TORCH_HOST, GITHUB_API, "hub"}),
    ("cdn", {GOOGLE, TORCH_HOST}), ("hub", {KAGGLE, GITHUB_API, "hub"}),
    (GOOGLE, {GOOGLE}), (KAGGLE, {KAGGLE})])
def test_origins(site, origin, hit):
    places = {KAGGLE: LISTED, GOOGLE: KERAS, TORCH_HOST: TORCH,
              GITHUB_API: TREE}
    site.hub.set(burst={"origin": origin})
    told = {host for host, path in places.items()
            if site.get(host, path).status >= 500}
    if ask(site.hub.url + "/api/models").status >= 500:
        told.add("hub")
    assert told == hit


@pytest.mark.parametrize("on, hit", [
    ("tree", {"files", "trees"}), ("download", {"file", "bundle"}),
    ("api", {"files", "file", "bundle", "trees"}), ("signed", {"stored"}),
    ("bytes", {"stored", "object"}), ("object", {"object"})])
def test_routes(site, on, hit):
    _, _, url = site.follow(KAGGLE, FILE)
    site.hub.set(burst={"on": on})
    told = {"stored"} if ask(url).status >= 500 else set()
    for name, host, path in [("files", KAGGLE, LISTED),
                             ("file", KAGGLE, FILE),
                             ("bundle", KAGGLE, BUNDLE),
                             ("trees", GITHUB_API, TREE),
                             ("object", GOOGLE, KERAS)]:
        if site.get(host, path).status >= 500:
            told.add(name)
    assert told == hit


def test_stalls_and_drops(site):
    site.hub.set_for(GOOGLE, KERAS[1:], drop_connection={
        "times": 1, "how": "close"})
    assert site.get(GOOGLE, KERAS).broken
    site.hub.set_for(GOOGLE, KERAS[1:], stall={"seconds": 0.3, "times": 1})
    begun = time.monotonic()
    assert site.get(GOOGLE, KERAS).body == BYTES
    assert time.monotonic() - begun > 0.25
    with pytest.raises(ValueError):
        site.hub.set(burst={"origin": "www.example.com"})


def test_tokens_that_storage_sees_are_told(site):
    """A client that keeps its credentials is refused, and seen."""
    _, _, url = site.follow(KAGGLE, FILE)
    site.hub.forget()
    held = {**AGENT, "Authorization": "Bearer " + TOKEN}
    assert ask(url, headers=held).status == 403
    assert [(r["origin"], r["authorization"]) for r in site.hub.requests()
            ] == [(GOOGLE, "Bearer " + TOKEN)]
