# SPDX-License-Identifier: MIT
"""The tree users see: names, kinds, sizes, inodes, and what it costs."""

import errno
import json
import os
import stat
import subprocess

import pytest

from mount_scenes import (KIB, MIB, errno_of, metrics_of, payload, run_together,
                          scaled, tiny_bert, write_tree)

MODEL = {"config.json": b'{"model_type": "none"}', "weights.bin": payload(MIB),
         "sub/deep/part.txt": b"part"}
HUBS = ["huggingface", "keras", "onnx", "pytorch", "tensorflow"]
BERT_BASE = "google-bert/bert-base-uncased"


def walk(top):
    """Every entry below @top: path from there -> lstat."""
    found = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, top)] = os.lstat(path)
    return found


def asked(hub, word=""):
    return [seen for seen in hub.requests() if word in seen["path"]]


@pytest.fixture
def local(tmp_path, make_mount):
    write_tree(tmp_path / "hub/org/model", MODEL)
    write_tree(tmp_path / "hub/org/bert", tiny_bert())
    return make_mount(tmp_path / "hub").start()


def test_top(local):
    assert sorted(os.listdir(local.path)) == [".omnihub", *HUBS]
    assert sorted(os.listdir(local.path / ".omnihub")) == [
        "help.txt", "metrics", "status.json", "version"]


def test_control_files(local):
    control = local.path / ".omnihub"
    status = json.loads((control / "status.json").read_text())
    assert status["pid"] == local.pid
    assert sorted(status["hubs"]) == HUBS
    assert status["version"] == (control / "version").read_text().strip()
    assert "huggingface" in (control / "help.txt").read_text() or \
        "<hub>/<org>/<model>" in (control / "help.txt").read_text()
    metrics = metrics_of(local)
    assert set(metrics) <= set(status), "status.json has all figures"
    assert metrics["reads_total"] > 0 and metrics["waiting"] == 0


def test_figures_move_while_a_file_is_open(local):
    """Each open sees the figures of its moment."""
    before = metrics_of(local)["opens_total"]
    local.model("org/model/repo/config.json").read_bytes()
    assert metrics_of(local)["opens_total"] >= before + 2


def test_files_are_regular_with_exact_sizes(local):
    repo = walk(local.model("org/model/repo"))
    sizes = {path: entry.st_size for path, entry in repo.items()
             if stat.S_ISREG(entry.st_mode)}
    assert sizes == {path: len(body) for path, body in MODEL.items()}
    view = walk(local.model("org/bert"))
    for path, entry in {**repo, **view}.items():
        assert not stat.S_ISLNK(entry.st_mode), path
        if stat.S_ISREG(entry.st_mode):
            assert entry.st_nlink == 1, path
            assert stat.S_IMODE(entry.st_mode) == 0o444, path
            assert (entry.st_uid, entry.st_gid) == (os.getuid(), os.getgid())
    staged = local.model("org/bert/pytorch/staged.onnx")
    assert staged.stat().st_size == len(staged.read_bytes())
    assert "pytorch/dl4j/staged.onnx" in view


def test_inodes_are_stable_across_mounts(local):
    before = {path: entry.st_ino for path, entry in walk(local.hf).items()}
    assert len(set(before.values())) == len(before)
    local.remount()
    assert before == {path: entry.st_ino
                      for path, entry in walk(local.hf).items()}


def test_unknown_names(local):
    for name in ("nope", ".omnihub/nope", "huggingface/no/such",
                 "huggingface/org/nope", "huggingface/org/model/nope",
                 "huggingface/org/model/repo/nope",
                 "huggingface/org/model@nope/repo/config.json",
                 "huggingface/org/bert/pytorch/nope/staged.onnx"):
        assert errno_of(os.stat, local.path / name) == errno.ENOENT, name
    assert errno_of(os.stat, local.path / ("n" * 256)) == errno.ENAMETOOLONG
    inside = local.model("org/model/repo/config.json/x")
    assert errno_of(os.stat, inside) == errno.ENOTDIR


# ---- with the imitation hub ----

def test_hub_directory(hub, make_mount):
    """Aliases, the most downloaded by one request, and what was used."""
    hub.add("popular/first", MODEL, downloads=1000)
    hub.add("rare/second", MODEL, downloads=1)
    mount = make_mount(hub).start()
    names = os.listdir(mount.hf)
    assert "popular" in names and "bert-base" in names
    assert len(hub.requests()) == 1, hub.requests()
    assert "sort=downloads" in hub.requests()[0]["path"]
    os.listdir(mount.hf)
    mount.remount()
    assert sorted(os.listdir(mount.hf)) == sorted(names)
    assert len(hub.requests()) == 1, "one request a day"


def test_used_models_are_listed(hub, make_mount):
    hub.add("quiet/model", MODEL)
    mount = make_mount(hub).start()
    mount.model("quiet/model/repo/config.json").read_bytes()
    mount.remount()
    hub.kill()
    assert "quiet" in os.listdir(mount.hf)
    assert "model" in os.listdir(mount.model("quiet"))


def test_organisation_lists_its_models(hub, make_mount):
    for name in ("one", "two", "three"):
        hub.add("author/" + name, MODEL)
    hub.add("other/four", MODEL)
    mount = make_mount(hub).start()
    assert sorted(os.listdir(mount.model("author"))) == ["one", "three", "two"]
    assert len(asked(hub, "author=author")) == 1
    assert not asked(hub, "/tree/"), "no request for each model"


@pytest.fixture
def revisions(hub):
    """A repository with a branch, a tag, a pull request; name -> commit."""
    first = hub.add("org/model", MODEL, tags=["v1"])
    second = hub.commit("org/model", {"config.json": b'{"n": 2}'},
                        branch="side")
    third = hub.commit("org/model", {"config.json": b'{"n": 3}'},
                       branch="other")
    hub.ref("org/model", "refs/pr/1", third)
    return {"org/model": first, "org/model@main": first, "org/model@v1": first,
            "org/model@side": second, "org/model@refs%2Fpr%2F1": third,
            "org/model@" + first: first, "org/model@" + second: second}


def test_revisions(revisions, make_mount, hub):
    mount = make_mount(hub).start()
    inodes = {}
    for name, commit in revisions.items():
        file = mount.model(name) / "repo/config.json"
        revision = os.getxattr(file, "user.omnihub.revision").decode()
        assert revision == commit, name
        inodes.setdefault(commit, set()).add(file.stat().st_ino)
        weights = mount.model(name) / "repo/weights.bin"
        inodes.setdefault((commit, "weights"), set()).add(
            weights.stat().st_ino)
    assert all(len(same) == 1 for same in inodes.values()), inodes
    assert len(set.union(*inodes.values())) == len(inodes)
    side = mount.model("org/model@side/repo/config.json")
    assert side.read_bytes() == b'{"n": 2}'
    assert mount.model("org/model/repo/config.json").read_bytes() == \
        MODEL["config.json"]


def test_same_content_is_fetched_once(revisions, make_mount, hub):
    """The weights of two commits are one file of one digest."""
    mount = make_mount(hub).start()
    for name in revisions:
        weights = mount.model(name) / "repo/weights.bin"
        assert weights.read_bytes() == MODEL["weights.bin"]
    assert hub.bytes_sent("weights.bin") <= 1.01 * MIB


def test_unknown_revision(hub, make_mount):
    hub.add("org/model", MODEL)
    mount = make_mount(hub).start()
    for name in ("org/model@nope", "org/model@" + "0" * 40,
                 "org/model@refs%2Fpr%2F9", "org/model@", "org/model@a@b"):
        assert errno_of(os.stat, mount.model(name) / "repo") == errno.ENOENT


def test_alias_and_legacy_names_are_links(hub, make_mount):
    hub.add(BERT_BASE, tiny_bert(), legacy_names=["bert-base-uncased"])
    mount = make_mount(hub).start()
    for name in ("bert-base", "bert-base-uncased"):
        assert os.readlink(mount.model(name)) == BERT_BASE, name
        config = mount.model(name) / "repo/config.json"
        assert config.stat().st_ino == \
            mount.model(BERT_BASE + "/repo/config.json").stat().st_ino
    assert os.readlink(mount.model("bert-base@main")) == BERT_BASE + "@main"


def test_renamed_repository_is_a_link(hub, make_mount):
    hub.add("new/name", MODEL, renamed_from=["old/name"])
    hub.add("old/other", MODEL)
    mount = make_mount(hub).start()
    config = mount.model("old/name/repo/config.json")
    assert config.read_bytes() == MODEL["config.json"]
    assert os.path.realpath(mount.model("old/name")) == \
        str(mount.model("new/name"))


def test_no_link_in_a_view(hub, make_mount):
    hub.add(BERT_BASE, tiny_bert())
    mount = make_mount(hub).start()
    for path, entry in walk(mount.model(BERT_BASE)).items():
        assert not stat.S_ISLNK(entry.st_mode), path


def test_listing_costs_what_it_must(hub, make_mount):
    """2,000 files: the author, the commit and two pages of the tree."""
    files = {"part-%04d.txt" % i: b"%d" % i for i in range(2000)}
    hub.add("org/many", files)
    mount = make_mount(hub).start()
    done = subprocess.run(["ls", "-l", mount.model("org/many/repo")],
                          capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()[1:]
    sizes = {line.split()[-1]: int(line.split()[4]) for line in lines}
    assert sizes == {name: len(body) for name, body in files.items()}
    paths = [seen["path"] for seen in hub.requests()]
    print("\n".join(paths))
    words = ["?author=org&", "/many/revision/main", "/tree/", "&cursor="]
    assert len(paths) == len(words)
    assert all(word in path for word, path in zip(words, paths))
    subprocess.run(["ls", "-l", mount.model("org/many/repo")], check=True,
                   capture_output=True)
    assert len(hub.requests()) == len(words)


UNUSUAL = ["a space", "hash#tag", "100%", "%41", "what?", "a&b=c", "plus+plus",
           "über-日本語.txt", "n" * 255, "é" * 127, "quote'\"", "back\\slash",
           "semi;colon", "[brackets]", "tab\there", "-dash", ".hidden"]


def test_unusual_names(hub, make_mount):
    files = {"dir %d/%s" % (i, name): b"%d:" % i + name.encode()
             for i, name in enumerate(UNUSUAL)}
    files["empty"] = b""
    files["empty folder/.gitkeep"] = b""
    hub.add("org/names", files)
    repo = make_mount(hub).start().model("org/names/repo")
    got = {path: (repo / path).read_bytes()
           for path, entry in walk(repo).items() if stat.S_ISREG(entry.st_mode)}
    assert got == files


def test_unusual_names_at_the_cdn(hub, make_mount):
    """The same for files that are redirected."""
    files = {"%s.safetensors" % name[:200]: payload(100 * KIB, i)
             for i, name in enumerate(UNUSUAL) if len(name) < 100}
    hub.add("org/names", files)
    repo = make_mount(hub).start().model("org/names/repo")
    for name, body in files.items():
        assert (repo / name).read_bytes() == body, name


def test_missing_names_cost_one_request(hub, make_mount):
    hub.add("org/model", MODEL)
    mount = make_mount(hub).start()
    repo = mount.model("org/model/repo")
    os.stat(repo)
    hub.forget()
    for name in ("a.json", "sub/b.json", "weights.bin.index.json"):
        assert errno_of(os.stat, repo / name) == errno.ENOENT
    assert not hub.requests(), "the listing tells"
    for _ in range(3):
        assert errno_of(os.stat, mount.model("org/none")) == errno.ENOENT
    assert len(hub.requests()) == 1, hub.requests()
    mount.remount()
    assert errno_of(os.stat, mount.model("org/none")) == errno.ENOENT
    assert len(hub.requests()) == 1, "kept across mounts"


def test_what_is_known_needs_no_hub(hub, make_mount):
    """statfs and attributes answer while the hub is silent."""
    hub.add("org/model", MODEL)
    mount = make_mount(hub).start()
    config = mount.model("org/model/repo/config.json")
    os.stat(config)
    hub.pause()
    calls = [lambda: os.statvfs(mount.path), lambda: os.stat(mount.path),
             lambda: os.statvfs(config), lambda: os.stat(config),
             lambda: os.listdir(mount.path), lambda: os.stat(mount.hf),
             lambda: os.listdir(config.parent), mount.status]
    run_together(calls, scaled(5))
    assert os.statvfs(mount.path).f_bavail == 0
    assert os.statvfs(mount.path).f_namemax == 255
    hub.resume()


def test_mount_needs_no_hub(hub, make_mount):
    hub.pause()
    mount = make_mount(hub, "--timeout", "5").start()
    assert os.listdir(mount.path)
    hub.resume()
