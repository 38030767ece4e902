# SPDX-License-Identifier: MIT
"""The imitation hub, judged by the hub's own client.

Each call runs in a process of its own, with a home of its own and without
Xet; what it raises, gets and asks is compared with what the hub was given.
"""

import hashlib
import json
import pathlib
import random
import subprocess
import sys

import pytest

from hub_process import Hub
from mounted import environment

CALLS = pathlib.Path(__file__).with_name("official_calls.py")
TOKEN = "hf_official"
SEED = 20260101

BYTES = random.Random(SEED).randbytes(300000)
FILES = {
    "README.md": b"# A model\n",
    "config.json": b'{"model_type": "bert"}',
    "empty.txt": b"",
    "sub/deep/notes.txt": b"n" * 2000,
    "direct.txt": b"shape C",
    "sub/model.safetensors": BYTES,
    "a b#c%d?e \u00e9\u4e2d.txt": b"odd name",
    "x" * 251 + ".bin": b"long name",
}
SHAPES = {"direct.txt": "C"}
MANY = {"d%02d/f%04d.txt" % (n % 20, n): b"%d" % n for n in range(2500)}


class Site:
    """The hub, what was put into it, and the client."""

    def __init__(self, folder):
        self.folder = folder
        self.hub = Hub(folder / "hub").start()
        self.homes = 0
        self.fill()

    def fill(self):
        hub = self.hub
        self.old = hub.add("org/m", FILES, shapes=SHAPES, tags={"v1"},
                           downloads=7, labels=["bert"],
                           legacy_names=["m"], renamed_from=["old-org/m"])
        self.new = hub.commit("org/m", {"README.md": b"# Changed\n"})
        self.pr = hub.commit("org/m", {"pr.txt": b"pr"}, branch="change")
        hub.ref("org/m", "refs/pr/1", self.pr)
        hub.add("org/many", MANY)
        hub.add("org/gated", {"config.json": b"{}"}, gated="auto")
        hub.add("org/manual", {"config.json": b"{}"}, gated="manual")
        hub.add("org/private", {"config.json": b"{}"}, private=True)
        hub.add("org/disabled", {"config.json": b"{}"}, disabled=True)
        hub.token(TOKEN, grants=["org/manual"])
        for number in range(25):
            hub.add("list/m%02d" % number, {"f": b""}, downloads=number)

    def call(self, name, *arguments, token=None, home=None):
        """What official_calls.py prints, from a home that is empty."""
        self.homes += 1
        work = home or self.folder / ("home%d" % self.homes)
        work.mkdir(exist_ok=True)
        env = environment(work, {
            "HF_ENDPOINT": self.hub.url, "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            **({"HF_TOKEN": token} if token else {})})
        done = subprocess.run(
            [sys.executable, "-B", str(CALLS), name, *arguments], env=env,
            capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def result(self, name, *arguments, **options):
        answer = self.call(name, *arguments, **options)
        assert "result" in answer, answer
        return answer["result"]

    def requests(self):
        """Without what each new home asks once."""
        return [r for r in self.hub.requests()
                if r["path"] != "/api/agent-harnesses"]

    def asked(self):
        return [(r["origin"], r["method"], r["status"])
                for r in self.requests()]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("official"))
    yield site
    site.hub.close()
    assert "Traceback" not in site.hub.log()


@pytest.fixture
def site(served):
    served.hub.calm()
    served.hub.forget()
    return served


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def git_oid(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


# ---- descriptions and listings ----

@pytest.mark.parametrize("revision, commit", [
    (None, "new"), ("main", "new"), ("HEAD", "new"), ("v1", "old"),
    ("change", "pr"), ("refs/pr/1", "pr"), ("old", "old")])
def test_model_info(site, revision, commit):
    if revision == "old":
        revision = site.old
    told = site.result("info", "org/m", *([revision] if revision else []))
    assert told["sha"] == getattr(site, commit)
    assert told["id"] == "org/m" and told["author"] == "org"
    assert told["downloads"] == 7 and told["tags"] == ["bert"]
    sizes = {path: len(content) for path, content in FILES.items()}
    assert {path: told["siblings"][path] for path in sizes
            if path != "README.md"} == \
        {path: size for path, size in sizes.items() if path != "README.md"}


def test_model_info_expanded(site):
    told = site.result("expanded_info", "org/gated")
    assert told["gated"] == "auto" and told["used"] == 2


@pytest.mark.parametrize("name", ["m", "old-org/m", "ORG/M"])
def test_other_names_lead_to_the_repository(site, name):
    assert site.result("info", name)["id"] == "org/m"
    got = site.result("download", name, "config.json", token=TOKEN)
    assert got["sha256"] == sha256(FILES["config.json"])
    redirected = [r for r in site.hub.requests() if r["status"] == 307]
    assert redirected and all(r["origin"] == "hub" for r in redirected)
    told = [r for r in site.hub.requests() if "resolve" in r["path"]]
    assert all(r["authorization"] == "Bearer " + TOKEN for r in told)


def test_tree_of_many_entries_comes_in_pages(site):
    entries = site.result("tree", "org/many")
    files = [entry for entry in entries if "size" in entry]
    assert {e["path"]: e["oid"] for e in files} == \
        {path: git_oid(content) for path, content in MANY.items()}
    assert len(entries) == 2500 + 20
    assert len(site.requests()) == 3


def test_tree_of_folders_and_odd_names(site):
    told = {e["path"]: e for e in site.result("tree", "org/m")}
    assert set(told) == {*FILES, "sub", "sub/deep"}
    assert told["sub/model.safetensors"]["sha256"] == sha256(BYTES)
    for path, content in FILES.items():
        assert told[path]["size"] == len(content)
    below = site.result("tree", "org/m", "sub", "", "", "")
    assert [e["path"] for e in below] == ["sub/deep",
                                          "sub/model.safetensors"]
    deep = site.result("tree", "org/m", "sub/deep", "v1", "expand")
    assert [(e["path"], e["last"]) for e in deep] == [
        ("sub/deep/notes.txt", site.old)]


def test_expanded_tree_is_in_smaller_pages(site):
    entries = site.result("tree", "org/many", "d00", "", "expand")
    assert len(entries) == 125
    assert len(site.requests()) == 3


def test_paths_info(site):
    told = site.result("paths_info", "org/m", "config.json", "sub",
                       "missing", "README.md")
    assert {e["path"]: e["last"] for e in told} == {
        "config.json": site.old, "sub": site.old, "README.md": site.new}


def test_refs_and_commits(site):
    assert site.result("refs", "org/m") == {
        "branches": {"main": site.new, "change": site.pr},
        "tags": {"v1": site.old}, "converts": {},
        "pull_requests": {"refs/pr/1": site.pr}}
    assert site.result("commits", "org/m") == [site.new, site.old]


def test_list_models(site):
    every = ["list/m%02d" % n for n in reversed(range(25))]
    assert sorted(site.result("models", "list")) == sorted(every)
    assert site.result("models", "list", "", "10", "downloads") == every[:10]
    assert site.result("models", "", "M07") == ["list/m07"]
    assert "org/private" not in site.result("models", "org")
    assert site.result("models", "nobody") == []


def test_list_models_follows_the_cursor(site):
    site.hub.add("pages/first", {"f": b""})
    for number in range(1100):
        site.hub.add("pages/n%04d" % number, {"f": b""})
    found = site.result("models", "pages")
    assert len(found) == len(set(found)) == 1101
    assert ["cursor=" in r["path"] for r in site.requests()] == [False, True]


def test_whoami(site):
    assert site.result("whoami", token=TOKEN) == "imitation-user"
    answer = site.call("whoami", token="hf_wrong")
    assert answer["status"] == 401 or "token" in answer["text"]


# ---- files ----

def shape_of(path):
    return SHAPES.get(path) or ("B" if path.endswith(
        (".safetensors", ".bin")) else "A")


PATTERNS = {  # what the client asks for one file of each shape
    "A": [("hub", "HEAD", 307), ("hub", "HEAD", 200), ("hub", "GET", 200)],
    "B": [("hub", "HEAD", 302), ("cdn", "GET", 200)],
    "C": [("hub", "HEAD", 200), ("hub", "GET", 200)],
}


@pytest.mark.parametrize("path", [p for p in FILES if p != "README.md"])
def test_download(site, path):
    got = site.result("download", "org/m", path, token=TOKEN)
    assert got["sha256"] == sha256(FILES[path])
    assert "/snapshots/%s/" % site.new in got["local"]
    etag = sha256(FILES[path]) if shape_of(path) == "B" \
        else git_oid(FILES[path])
    assert pathlib.Path(got["local"]).resolve().name == etag
    if FILES[path]:
        assert site.asked() == PATTERNS[shape_of(path)]
    for request in site.requests():
        assert request["authorization"] == (
            "Bearer " + TOKEN if request["origin"] == "hub" else None)


@pytest.mark.parametrize("revision, want", [
    ("main", b"# Changed\n"), ("v1", FILES["README.md"]),
    ("refs/pr/1", b"# Changed\n")])
def test_download_of_a_revision(site, revision, want):
    got = site.result("download", "org/m", "README.md", revision)
    assert got["sha256"] == sha256(want)


def test_snapshot_download(site):
    local = pathlib.Path(site.result("snapshot", "org/m")["local"])
    got = {p.relative_to(local).as_posix(): p.read_bytes()
           for p in local.rglob("*") if p.is_file()}
    assert got == {**FILES, "README.md": b"# Changed\n"}
    assert site.hub.bytes_sent("sub/model") == len(BYTES)


def test_a_second_download_sends_no_bytes(site):
    home = site.folder / "home-again"
    first = site.result("download", "org/m", "sub/model.safetensors",
                        home=home)
    site.hub.forget()
    assert site.result("download", "org/m", "sub/model.safetensors",
                       home=home) == first
    assert site.hub.bytes_sent() == 0


@pytest.mark.parametrize("path", ["sub/model.safetensors",
                                  "sub/deep/notes.txt", "direct.txt"])
def test_filesystem_reads_ranges(site, path):
    content = FILES[path]
    size = len(content)
    parts = [(0, 4), (size // 2, size // 2 + 3), (size - 2, size)]
    got = site.result("ranges", "org/m", path,
                      *("%d-%d" % part for part in parts))
    assert got["size"] == size
    assert got["parts"] == [content[a:b].hex() for a, b in parts]
    ranged = [r for r in site.hub.requests() if r["status"] == 206]
    assert ranged
    if size > 100000:
        assert site.hub.bytes_sent() < size


def test_filesystem_lists(site):
    assert site.result("listdir", "org/m/sub") == [
        "org/m/sub/deep", "org/m/sub/model.safetensors"]


def test_file_exists(site):
    assert site.result("exists", "org/m", "config.json") is True
    assert site.result("exists", "org/m", "nothing") is False


# ---- refusals ----

@pytest.mark.parametrize("call, token, raised, status", [
    (("info", "org/none"), TOKEN, "RepositoryNotFoundError", 404),
    (("info", "org/none"), None, "HfHubHTTPError", 401),
    (("info", "org/private"), TOKEN, "RepositoryNotFoundError", 404),
    (("info", "org/private"), None, "HfHubHTTPError", 401),
    (("info", "org/m"), "hf_wrong", "HfHubHTTPError", 401),
    (("info", "org/m", "none"), TOKEN, "RevisionNotFoundError", 404),
    (("download", "org/m", "none"), TOKEN, "EntryNotFoundError", 404),
    (("download", "org/m", "f", "none"), None, "RevisionNotFoundError", 404),
    (("tree", "org/m", "none"), None, "EntryNotFoundError", 404),
    (("download", "org/gated", "config.json"), None, "GatedRepoError", 401),
    (("download", "org/gated", "config.json"), TOKEN, "GatedRepoError", 403),
    (("check", "org/gated"), TOKEN, "GatedRepoError", 403),
    (("info", "org/disabled"), None, "DisabledRepoError", 403),
    (("tree", "org/disabled"), TOKEN, "DisabledRepoError", 403),
])
def test_refusals(site, call, token, raised, status):
    answer = site.call(*call, token=token)
    assert raised in answer["raised"], answer
    assert answer["status"] == status


def test_a_gated_repository_can_be_listed(site):
    assert site.result("info", "org/gated")["gated"] == "auto"
    assert [e["path"] for e in site.result("tree", "org/gated")] == [
        "config.json"]


def test_a_grant_opens_a_gated_repository(site):
    got = site.result("download", "org/manual", "config.json", token=TOKEN)
    assert got["sha256"] == sha256(b"{}")
    assert site.result("check", "org/manual", token=TOKEN) is None


# ---- moods, as the client takes them ----

@pytest.mark.parametrize("moods", [
    {"burst": {"times": 2, "on": "resolve-cache"}},
    {"rate_limit": {"times": 1, "reset": 1, "on": "tree"}},
    {"retry_after": {"times": 1, "seconds": 1, "on": "tree"}},
    {"cdn_short": {"after": 1000, "times": 1}},
    {"drop_connection": {"how": "close", "times": 1, "on": "cdn"}},
    {"stall": {"seconds": 1, "after": 10, "times": 1, "origin": "cdn"}},
    {"tree_page": 2},
    {"delay_ms": 20},
])
def test_the_client_gets_over_it(site, moods):
    site.hub.set(**moods)
    local = pathlib.Path(site.result("snapshot", "org/m")["local"])
    assert (local / "sub/model.safetensors").read_bytes() == BYTES
    assert (local / "config.json").read_bytes() == FILES["config.json"]
