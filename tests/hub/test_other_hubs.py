# SPDX-License-Identifier: MIT
"""The other hosts of the imitation hub by raw HTTP: what they answer."""

import base64
import io
import json
import re
import tarfile
import zipfile

import pytest

from hub_crc import crc32c
from hub_hosts import HOSTS
from mounted import wait_until
from origins import endpoints
from other_site import (AGENT, API, ASSET, BYTES, FILES, HANDLE, KERAS, MANY,
                        MAR, ODD_PATH, OLD, TOKEN, TORCH, USER, WRONG,
                        ZOO_PATH, OtherSite, digest_of)
from raw_http import ask

KAGGLE, TFHUB = "www.kaggle.com", "tfhub.dev"
GOOGLE, TORCH_HOST = "storage.googleapis.com", "download.pytorch.org"
SERVE, GITHUB = "torchserve.pytorch.org", "github.com"
GITHUB_API, CODELOAD = "api.github.com", "codeload.github.com"
RAW, MEDIA = "raw.githubusercontent.com", "media.githubusercontent.com"
ASSETS = "release-assets.githubusercontent.com"

FILE = API + HANDLE + "/download/"
DATA = "variables/variables.data-00000-of-00001"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\n" \
    b"size %d\n" % (digest_of(BYTES).encode(), len(BYTES))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    site = OtherSite(tmp_path_factory.mktemp("other"))
    yield site
    site.hub.close()
    assert "Traceback" not in site.hub.log()


@pytest.fixture
def site(served):
    served.hub.calm()
    served.hub.forget()
    return served


# ---- files, wherever they are ----

PLACES = [  # host, path, the statuses of where it leads, its bytes
    (GOOGLE, KERAS, [], BYTES),
    (GOOGLE, "/keras-applications/efficientnetb0.h5", [], BYTES),
    (TORCH_HOST, TORCH, [], BYTES),
    (TORCH_HOST, WRONG, [], BYTES),
    (SERVE, MAR, [], BYTES),
    (MEDIA, "/media/onnx/models/main/" + ZOO_PATH, [], BYTES),
    (RAW, "/onnx/models/main/" + ODD_PATH, [], POINTER),
    (GITHUB, "/onnx/models/raw/main/" + ZOO_PATH, [(MEDIA, 200)], BYTES),
    (GITHUB, "/o/r/raw/v1/sub/a.txt", [(RAW, 200)], b"a"),
    (RAW, "/o/r/refs/heads/main/later.txt", [], b"later"),
    (RAW, "/o/r/with/slash/s.txt", [], b"s"),
    (RAW, "/old/m/master/f.txt", [], b"f"),
    (GITHUB, ASSET.replace("rwightman", "huggingface"), [(ASSETS, 200)],
     BYTES),
    (GITHUB, ASSET, [(GITHUB, 302), (ASSETS, 200)], BYTES),
    *((KAGGLE, FILE + name.replace("%", "%25").replace(" ", "%20"),
       [(GOOGLE, 200)], content) for name, content in FILES.items()),
]


@pytest.mark.parametrize("host, path, leads, content", PLACES)
def test_files(site, host, path, leads, content):
    hops, reply, _ = site.follow(host, path)
    first = 200 if not leads else 301 if len(leads) > 1 else 302
    assert hops == [(host, first), *leads]
    assert reply.body == content
    assert reply.header("Content-Length") == str(len(content))
    last = wait_until(lambda: site.hub.requests()[-1]["ended"] and
                      site.hub.requests()[-1])
    assert last["origin"] == hops[-1][0]
    assert last["bytes"] == len(content)
    assert last["file"].startswith(last["repo"] + "/")


@pytest.mark.parametrize("host, path, leads, content", [
    place for place in PLACES if place[3] == BYTES])
def test_parts_of_files(site, host, path, leads, content):
    _, _, url = site.follow(host, path)
    for asked, (start, stop) in [("0-0", (0, 1)), ("100-199", (100, 200)),
                                 ("-5", (len(BYTES) - 5, len(BYTES)))]:
        reply = ask(url, headers={**AGENT, "Range": "bytes=" + asked})
        assert reply.status == 206
        assert reply.body == BYTES[start:stop]
        assert reply.header("Content-Range") == "bytes %d-%d/%d" % (
            start, stop - 1, len(BYTES))
        assert reply.header("Accept-Ranges") == "bytes"
        assert re.fullmatch(r'"[^"]+"', reply.header("ETag"))
    beyond = {**AGENT, "Range": "bytes=%d-" % len(BYTES)}
    assert ask(url, headers=beyond).status == 416


@pytest.mark.parametrize("host, path", [
    (GOOGLE, KERAS), (TORCH_HOST, TORCH), (SERVE, MAR),
    (MEDIA, "/media/onnx/models/main/" + ZOO_PATH)])
def test_sizes_without_bytes(site, host, path):
    reply = site.get(host, path, "HEAD")
    assert reply.status == 200 and reply.body == b""
    assert reply.header("Content-Length") == str(len(BYTES))


def hash_lines(reply):
    return dict(part.split("=", 1) for line in
                reply.headers.get_all("x-goog-hash") or []
                for part in line.split(","))


def test_google_tells_digests(site):
    assert crc32c(b"123456789") == 0xE3069283
    told = hash_lines(site.get(GOOGLE, KERAS, "HEAD"))
    assert base64.b64decode(told["md5"]).hex() == digest_of(BYTES, "md5")
    assert base64.b64decode(told["crc32c"]) == \
        crc32c(BYTES).to_bytes(4, "big")
    _, reply, _ = site.follow(KAGGLE, FILE + DATA)
    assert hash_lines(reply) == told


@pytest.mark.parametrize("path, prefix_is_right", [
    (TORCH, True), (WRONG, False)])
def test_torch_names_hold_digests(site, path, prefix_is_right):
    prefix = re.search(r"-([a-f0-9]*)\.", path).group(1)
    content = site.get(TORCH_HOST, path).body
    assert digest_of(content).startswith(prefix) == prefix_is_right


def test_odd_media_type(site):
    assert site.get(SERVE, MAR).header("Content-Type") == \
        "application/x-www-form-urlencoded"


# ---- refusals, each in the form of its host ----

XML, HTML = "application/xml; charset=UTF-8", "text/html; charset=utf-8"
JSON, TEXT = "application/json; charset=utf-8", "text/plain; charset=utf-8"
GEMMA = API + "google/gemma/keras/gemma_2b/1/"


@pytest.mark.parametrize("host, path, method, headers, status, kind, told", [
    (GOOGLE, "/tensorflow/none.h5", "GET", AGENT, 404, XML, "NoSuchKey"),
    (GOOGLE, "/kagglesdsdata/models/1/2/f", "GET", AGENT, 403, XML,
     "SignatureDoesNotMatch"),
    (TORCH_HOST, TORCH, "GET", {}, 403, XML, "AccessDenied"),
    (TORCH_HOST, TORCH, "GET", {"User-Agent": "Python-urllib/3.12"}, 403,
     XML, "AccessDenied"),
    (TORCH_HOST, "/models/none.pth", "GET", AGENT, 403, XML, "AccessDenied"),
    (TORCH_HOST, TORCH, "POST", AGENT, 405, XML, "MethodNotAllowed"),
    (SERVE, "/mar_files/none.mar", "GET", AGENT, 403, XML, "AccessDenied"),
    (RAW, "/o/r/main/none", "GET", AGENT, 404, TEXT, "404: Not Found"),
    (RAW, "/o/r/none/later.txt", "GET", AGENT, 404, TEXT, "Not Found"),
    (RAW, "/o/private/main/f.txt", "GET", AGENT, 404, TEXT, "Not Found"),
    (MEDIA, "/media/o/r/main/later.txt", "GET", AGENT, 404, TEXT, "404"),
    (MEDIA, "/onnx/models/main/" + ZOO_PATH, "GET", AGENT, 404, TEXT, "404"),
    (GITHUB, "/o/none", "GET", AGENT, 404, HTML, "Not Found"),
    (GITHUB, "/old/m/tree/main/", "GET", AGENT, 404, HTML, "Not Found"),
    (GITHUB, "/o/r/zipball/both", "GET", AGENT, 300, HTML, "Multiple"),
    (GITHUB, "/o/r/releases/download/v1/f", "GET", AGENT, 404, HTML, "Not"),
    (ASSETS, "/github-production-release-asset/1/x", "GET", AGENT, 404,
     XML, "NoSuchKey"),
    (GITHUB_API, "/repos/o/none", "GET", AGENT, 404, JSON, "Not Found"),
    (GITHUB_API, "/repos/o/r", "GET", {}, 403, JSON, "User-Agent"),
    (GITHUB_API, "/repos/o/r/commits/none", "GET", AGENT, 422, JSON,
     "No commit found"),
    (GITHUB_API, "/repos/o/r", "GET", {**AGENT, "Authorization": "token no"},
     401, JSON, "Bad credentials"),
    (GITHUB_API, "/repos/rwightman/timm", "GET", AGENT, 301, JSON,
     "Moved Permanently"),
    (KAGGLE, API + "o/none/get", "GET", AGENT, 404, JSON, "Not found"),
    (KAGGLE, FILE + "none", "GET", AGENT, 404, JSON, "Not found"),
    (KAGGLE, API + HANDLE[:-1] + "1/download", "GET", AGENT, 404, JSON,
     "Not found"),
    (KAGGLE, GEMMA + "download", "GET", AGENT, 403, JSON,
     "User has not consented to terms of use."),
    (KAGGLE, GEMMA + "download/config.json", "GET",
     {"Authorization": "Bearer stranger"}, 403, JSON, "consented"),
    (KAGGLE, API + "o/private/other/v/1/files", "GET", AGENT, 403, JSON,
     "denied"),
    (KAGGLE, API + HANDLE + "/files", "GET",
     {"Authorization": "Bearer wrong"}, 401, JSON, "Unauthorized"),
    (KAGGLE, API + HANDLE + "/files", "GET",
     {"Authorization": "Basic !"}, 401, JSON, "Unauthorized"),
    (KAGGLE, "/models/a/b/keras/c/1", "GET", AGENT, 404, HTML, "not found"),
])
def test_refusals(site, host, path, method, headers, status, kind, told):
    reply = site.get(host, path, method, headers)
    assert reply.status == status
    assert reply.header("Content-Type") == kind
    assert told in reply.body.decode()
    if host == KAGGLE and kind == JSON:
        assert json.loads(reply.body)["code"] == status


# ---- Kaggle ----

MODEL = {"id", "ref", "title", "subtitle", "author", "slug", "isPrivate",
         "description", "instances", "tags", "publishTime",
         "provenanceSources", "url", "modelVersionLinks"}
INSTANCE = {"id", "slug", "framework", "fineTunable", "overview", "usage",
            "downloadUrl", "versionId", "versionNumber", "trainingData",
            "url", "licenseName", "modelInstanceType",
            "baseModelInstanceInformation", "externalBaseModelUrl",
            "totalUncompressedBytes"}


def call(site, path, **headers):
    return json.loads(site.get(KAGGLE, API + path,
                               headers={**AGENT, **headers}).body)


def test_kaggle_models(site):
    model = call(site, "google/yamnet/get")
    assert set(model) == MODEL and model["ref"] == "google/yamnet"
    told = {(i["framework"], i["slug"], i["versionNumber"])
            for i in model["instances"]}
    assert told == {("tensorFlow2", "classification", 2),
                    ("tfLite", "lite", 1)}
    one = call(site, HANDLE.rpartition("/")[0] + "/get")
    assert set(one) == INSTANCE and one["versionNumber"] == 2
    assert one["totalUncompressedBytes"] == sum(map(len, FILES.values()))
    assert call(site, "google/yam/get") == {"code": 404,
                                            "message": "Not found"}


def test_kaggle_versions_are_numbers(site):
    for version in ("9", "10", "2"):
        site.hub.kaggle("versions/m/keras/v/" + version, {"f": b"f"},
                        private=True)
    told = call(site, "versions/m/keras/v/get",
                Authorization="Bearer " + TOKEN)
    assert told["versionNumber"] == 10
    assert call(site, "versions/m/keras/v/get")["code"] == 404


def test_kaggle_lists_models(site):
    told = call(site, "list?owner=google")
    assert [m["slug"] for m in told["models"]] == ["yamnet", "gemma"]
    assert told["totalResults"] == 2 and told["nextPageToken"] == ""
    found, token = [], ""
    while token is not None:
        told = call(site, "list?pageSize=1&pageToken=" + token)
        found += [m["ref"] for m in told["models"]]
        token = told["nextPageToken"] or None
    assert sorted(found) == ["google/gemma", "google/yamnet", "o/many"]
    assert [m["ref"] for m in call(site, "list?search=MANY")["models"]] == \
        ["o/many"]


def test_kaggle_lists_files(site):
    told = call(site, HANDLE + "/files?page_size=25")
    assert set(told) == {"files", "nextPageToken"}
    assert told["nextPageToken"] == ""
    assert all(set(f) == {"name", "size", "creationDate"}
               for f in told["files"])
    assert {f["name"]: f["size"] for f in told["files"]} == {
        name: len(content) for name, content in FILES.items()}


def test_kaggle_lists_files_in_pages(site):
    names, token, pages = [], "", 0
    while token is not None:
        told = call(site, "o/many/keras/base/1/files?page_size=25&page_token="
                    + token)
        names += [f["name"] for f in told["files"]]
        token, pages = told["nextPageToken"] or None, pages + 1
    assert names == sorted(MANY) and pages == 3


@pytest.mark.parametrize("path, leads", [
    (API + HANDLE + "/download", []),
    ("/models/%s?tf-hub-format=compressed" % HANDLE, []),
    ("/models/google/yamnet/frameworks/TensorFlow2/variations/classification"
     "/versions/2?tf-hub-format=compressed", [])])
def test_kaggle_bundles(site, path, leads):
    hops, reply, url = site.follow(KAGGLE, path)
    assert hops == [(KAGGLE, 302), (GOOGLE, 200)]
    assert re.search(r"/kaggle-models-data/\d+/\d+/bundle/archive\.tar\.gz\?"
                     "X-Goog-Algorithm=GOOG4-RSA-SHA256&", url)
    with tarfile.open(fileobj=io.BytesIO(reply.body), mode="r:gz") as packed:
        got = {m.name: packed.extractfile(m).read() for m in packed}
    assert got == {"./" + name: content for name, content in FILES.items()}


@pytest.mark.parametrize("credential", [
    "Bearer " + TOKEN, "Basic " + base64.b64encode(USER.encode()).decode()])
def test_kaggle_credentials_open_what_is_gated(site, credential):
    hops, reply, _ = site.follow(KAGGLE, GEMMA + "download/config.json",
                                 {**AGENT, "Authorization": credential})
    assert hops == [(KAGGLE, 302), (GOOGLE, 200)] and reply.body == b"{}"
    assert [(r["origin"], r["authorization"]) for r in site.hub.requests()
            ] == [(KAGGLE, credential), (GOOGLE, None)]


def test_kaggle_storage_is_for_get_and_without_credentials(site):
    _, _, url = site.follow(KAGGLE, FILE + DATA)
    for reply in (ask(url, "HEAD"), ask(url, "PUT"),
                  ask(url, headers={"Authorization": "Bearer " + TOKEN}),
                  ask(url.replace(DATA, "saved_model.pb"))):
        assert reply.status == 403
        assert reply.header("Content-Type") == XML
    assert ask(url).status == 200


def test_kaggle_calls_of_the_sdk(site):
    owner, model, framework, variation, version = HANDLE.split("/")
    body = {"ownerSlug": owner, "modelSlug": model}
    whole = {**body, "framework": framework, "instanceSlug": variation,
             "versionNumber": int(version)}

    def sdk(method, **what):
        return site.get(KAGGLE, "/api/v1/models.ModelApiService/" + method,
                        "POST", AGENT, json.dumps(what))

    assert json.loads(sdk("GetModel", **body).body)["slug"] == model
    told = json.loads(sdk("ListModelInstanceVersionFiles", pageSize=2,
                          **whole).body)
    assert len(told["files"]) == 2 and told["nextPageToken"]
    reply = sdk("DownloadModelInstanceVersion", path="saved_model.pb",
                **whole)
    assert reply.status == 302
    assert ask(reply.header("Location")).body == FILES["saved_model.pb"]


# ---- TensorFlow Hub ----

def test_tfhub_leads_to_a_bundle(site):
    hops, reply, _ = site.follow(TFHUB, "/%s?tf-hub-format=compressed" % OLD)
    assert hops == [(TFHUB, 302), (KAGGLE, 302), (GOOGLE, 200)]
    assert reply.body[:2] == b"\x1f\x8b"


def test_tfhub_tells_a_place(site):
    reply = site.get(TFHUB, "/%s?tf-hub-format=uncompressed" % OLD)
    assert (reply.status, reply.header("Location")) == (303, None)
    assert reply.body.decode() == "gs://tfhub-modules/%s/uncompressed" % OLD


@pytest.mark.parametrize("path, last", [
    ("/silero/never/1?tf-hub-format=compressed", 200),
    ("/%s" % OLD, 200), ("/google/nowhere/1?tf-hub-format=compressed", 404)])
def test_tfhub_leads_to_pages(site, path, last):
    hops, reply, _ = site.follow(TFHUB, path)
    assert hops == [(TFHUB, 302), (KAGGLE, last)]
    assert reply.header("Content-Type") == HTML
    assert reply.body.startswith(b"<!DOCTYPE html>")


# ---- GitHub ----

def api(site, path):
    return json.loads(site.get(GITHUB_API, "/repos/" + path).body)


def test_github_trees(site):
    told = api(site, "onnx/models/git/trees/main?recursive=1")
    assert set(told) == {"sha", "tree", "url", "truncated"}
    assert told["truncated"] is False
    entries = {e["path"]: e for e in told["tree"]}
    assert entries[ZOO_PATH]["size"] == len(POINTER)
    assert entries[ZOO_PATH]["mode"] == "100644"
    assert entries[ZOO_PATH]["sha"] == digest_of(
        b"blob %d\0" % len(POINTER) + POINTER, "sha1")
    folder = entries["validated"]
    assert (folder["type"], folder["mode"]) == ("tree", "040000")
    assert "size" not in folder
    assert [e["path"] for e in api(site, "o/r/git/trees/main")["tree"]] == [
        "hubconf.py", "later.txt", "sub"]


def test_github_commits_and_refs(site):
    main = api(site, "o/r/commits/main")
    assert re.fullmatch("[0-9a-f]{40}", main["sha"])
    assert main["parents"] == [{"sha": api(site, "o/r/commits/v1")["sha"]}]
    assert api(site, "o/r/git/trees/main")["sha"] == main["sha"]
    names = {b["name"] for b in api(site, "o/r/branches?per_page=100")}
    assert names == {"main", "both", "with/slash"}
    assert len(api(site, "o/r/tags?per_page=1&page=2")) == 1
    assert api(site, "o/r/tags?per_page=1&page=3") == []
    assert api(site, "old/m")["default_branch"] == "master"
    reply = site.get(GITHUB_API, "/repos/o/r")
    assert int(reply.header("X-RateLimit-Remaining")) < 60


def test_github_pages_and_archives(site):
    assert site.get(GITHUB, "/o/r/tree/main/").status == 200
    commit = api(site, "o/r/commits/v1")["sha"]
    hops, reply, url = site.follow(GITHUB, "/o/r/zipball/v1")
    assert hops == [(GITHUB, 302), (CODELOAD, 200)]
    assert reply.header("Content-Length") is None
    assert reply.header("Transfer-Encoding") == "chunked"
    with zipfile.ZipFile(io.BytesIO(reply.body)) as packed:
        assert "o-r-%s/hubconf.py" % commit[:7] in packed.namelist()
    ranged = ask(url, headers={**AGENT, "Range": "bytes=0-3"})
    assert (ranged.status, ranged.body) == (200, reply.body)
    for name in ("/o/r/zipball/refs/heads/both", "/o/r/archive/v1.tar.gz",
                 "/o/r/archive/refs/tags/both.zip"):
        assert site.follow(GITHUB, name)[0] == hops


def test_lfs_batch(site):
    body = json.dumps({"operation": "download", "objects": [
        {"oid": digest_of(BYTES), "size": len(BYTES)},
        {"oid": "0" * 64, "size": 1}]})
    told = json.loads(site.get(
        GITHUB, "/onnx/models.git/info/lfs/objects/batch", "POST", AGENT,
        body).body)
    good, bad = told["objects"]
    assert ask(good["actions"]["download"]["href"]).body == BYTES
    assert bad["error"]["code"] == 404


# ---- the ONNX zoo ----

def test_zoo(site):
    entry, = json.loads(site.get(
        RAW, "/onnx/models/main/ONNX_HUB_MANIFEST.json").body)
    assert set(entry) == {"model", "model_path", "onnx_version",
                          "opset_version", "metadata"}
    assert entry["metadata"]["model_sha"] == digest_of(BYTES)
    assert entry["metadata"]["model_bytes"] == len(BYTES)
    archive = site.get(MEDIA, "/media/onnx/models/main/" +
                       entry["metadata"]["model_with_data_path"]).body
    assert digest_of(archive) == entry["metadata"]["model_with_data_sha"]
    for path in ("legacy_models/resolve/main/" + ZOO_PATH,
                 "legacy_models/resolve/main/" + ODD_PATH,
                 "mnist-12/resolve/main/mnist-12.onnx",
                 "a_Opset16/resolve/main/a_Opset16.onnx"):
        reply = ask("%s/onnxmodelzoo/%s" % (site.hub.url, path))
        assert reply.status == 302
        assert reply.header("X-Linked-ETag") == '"%s"' % digest_of(BYTES)


# ---- all of them ----

def test_each_is_an_origin(site):
    assert len({site.hub.url, site.hub.cdn_url, *site.hub.hosts.values()}
               ) == 2 + len(HOSTS)
    options = endpoints(site.hub)
    assert options[::2] == ["--endpoint"] * len(HOSTS)
    assert options[1] == "%s=%s" % (KAGGLE, site.hub.hosts[KAGGLE])
    assert endpoints(site.hub, GOOGLE) == [
        "--endpoint", "%s=%s" % (GOOGLE, site.hub.hosts[GOOGLE])]


def test_what_was_published_outlives_the_process(make_hub):
    hub = make_hub()
    hub.kaggle(HANDLE, FILES)
    hub.web(GOOGLE, "tensorflow/a.h5", b"a")
    url = hub.hosts[KAGGLE] + FILE + "saved_model.pb"
    place = ask(url).header("Location")
    hub.kill()
    hub.start()
    assert ask(place).body == FILES["saved_model.pb"]
    hub.web(GOOGLE, "tensorflow/b.h5", b"b")
    assert ask(hub.hosts[GOOGLE] + "/tensorflow/a.h5").body == b"a"
    assert ask(hub.hosts[GOOGLE] + "/tensorflow/b.h5").body == b"b"
