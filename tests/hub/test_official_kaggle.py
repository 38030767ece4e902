# SPDX-License-Identifier: MIT
"""The imitation of Kaggle, judged by Kaggle's own client.

It is the last version that asks by REST, as this program does; later ones
take the address of their server from a table of their own.
"""

import json
import pathlib
import subprocess
import sys

import pytest

from mounted import environment
from other_site import FILES, HANDLE, MANY, OtherSite

CALLS = pathlib.Path(__file__).with_name("kaggle_calls.py")
KAGGLE, GOOGLE = "www.kaggle.com", "storage.googleapis.com"
GEMMA = "google/gemma/keras/gemma_2b/1"


class Site(OtherSite):
    def __init__(self, folder):
        super().__init__(folder)
        self.folder = folder
        self.homes = 0

    def download(self, *arguments, **more):
        """What kaggle_calls.py prints, from a home that is empty."""
        self.homes += 1
        work = self.folder / ("home%d" % self.homes)
        work.mkdir()
        env = environment(work, {
            "KAGGLE_API_ENDPOINT": self.hub.hosts[KAGGLE],
            "KAGGLEHUB_CACHE": str(work / "cache"), **more})
        done = subprocess.run(
            [sys.executable, "-B", str(CALLS), *arguments], env=env,
            capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def result(self, *arguments, **more):
        told = self.download(*arguments, **more)
        assert "result" in told, told
        return pathlib.Path(told["result"])

    def asked(self, host):
        return [r for r in self.hub.requests() if r["origin"] == host]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("kaggle"))
    yield site
    site.hub.close()
    assert "Traceback" not in site.hub.log()


@pytest.fixture
def site(served):
    served.hub.calm()
    served.hub.forget()
    return served


def files_below(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes()
            for p in folder.rglob("*") if p.is_file()}


def test_few_files_come_one_by_one(site):
    plain = {name: content for name, content in FILES.items()
             if "%" not in name}
    handle = "o/plain/tensorFlow2/v/1"
    site.hub.kaggle(handle, plain)
    assert files_below(site.result(handle)) == plain
    assert len(site.asked(GOOGLE)) == len(plain)


def test_many_files_come_as_a_bundle(site):
    assert files_below(site.result("o/many/keras/base/1")) == MANY
    stored, = site.asked(GOOGLE)
    assert "/bundle/archive.tar.gz?" in stored["path"]


def test_the_newest_version(site):
    path = site.result(HANDLE.rpartition("/")[0], "saved_model.pb")
    assert path.read_bytes() == FILES["saved_model.pb"]
    assert "/%s/" % HANDLE in str(path)


@pytest.mark.parametrize("moods", [
    {"auto_zip": True}, {"no_length": True}, {"goog_hash": "joined"},
    {"goog_hash": "no_md5"}, {"goog_hash": "none"},
    {"signed_form": "expires"}])
def test_the_client_gets_over_it(site, moods):
    site.hub.set(**moods)
    path = site.result(HANDLE, "saved_model.pb")
    assert path.read_bytes() == FILES["saved_model.pb"]


@pytest.mark.parametrize("moods, kind", [
    ({"goog_hash": "wrong"}, "DataCorruptionError"),
    ({"cdn_corrupt": {"origin": GOOGLE}}, "DataCorruptionError"),
    ({"bad_signature": True}, "HTTPError"),
    ({"retry_after": {"on": "download"}}, "HTTPError")])
def test_the_client_refuses(site, moods, kind):
    site.hub.set(**moods)
    assert kind in site.download(HANDLE, "saved_model.pb")["raised"]


def test_consent(site):
    told = site.download(GEMMA, "config.json")
    assert told["status"] == 403
    site.hub.token("kaggle-user:kaggle-key", grants="*")
    path = site.result(GEMMA, "config.json", KAGGLE_USERNAME="kaggle-user",
                       KAGGLE_KEY="kaggle-key")
    assert path.read_bytes() == b"{}"
    assert site.asked(KAGGLE)[-1]["authorization"].startswith("Basic ")
    assert site.asked(GOOGLE)[-1]["authorization"] is None
