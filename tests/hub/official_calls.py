# SPDX-License-Identifier: MIT
"""Calls of the official client, each in a process of its own.

  official_calls.py NAME [ARGUMENT...]

Prints one line of JSON: {"result": ...}, or {"raised": names of the
exception's classes, "status": ...}.
"""

import hashlib
import json
import sys

import huggingface_hub
from huggingface_hub import HfApi, HfFileSystem


def told_of(entry):
    """A tree entry as the client understood it."""
    told = {"path": entry.path,
            "oid": getattr(entry, "blob_id", None) or entry.tree_id}
    if hasattr(entry, "size"):
        told["size"] = entry.size
        told["sha256"] = entry.lfs.sha256 if entry.lfs else None
    if entry.last_commit:
        told["last"] = entry.last_commit.oid
    return told


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def info(name, revision=None):
    told = HfApi().model_info(name, revision=revision, files_metadata=True)
    return {"id": told.id, "sha": told.sha, "gated": told.gated,
            "author": told.author, "private": told.private,
            "downloads": told.downloads, "tags": told.tags,
            "siblings": {s.rfilename: s.size for s in told.siblings}}


def expanded_info(name):
    told = HfApi().model_info(name, expand=["sha", "gated", "usedStorage"])
    return {"sha": told.sha, "gated": told.gated, "used": told.used_storage}


def tree(name, folder=None, revision=None, expand="", recursive="yes"):
    return [told_of(entry) for entry in HfApi().list_repo_tree(
        name, folder or None, revision=revision or None,
        expand=bool(expand), recursive=bool(recursive))]


def paths_info(name, *paths):
    return [told_of(entry) for entry in
            HfApi().get_paths_info(name, list(paths), expand=True)]


def download(name, path, revision=None):
    local = huggingface_hub.hf_hub_download(name, path, revision=revision)
    return {"sha256": digest(local), "local": local}


def snapshot(name):
    local = huggingface_hub.snapshot_download(name)
    return {"local": local}


def ranges(name, path, *parts):
    """Bytes start-stop of a file, as hex."""
    found = []
    with HfFileSystem().open("%s/%s" % (name, path), "rb",
                             block_size=1 << 10) as f:
        for part in parts:
            start, stop = map(int, part.split("-"))
            f.seek(start)
            found.append(f.read(stop - start).hex())
        return {"parts": found, "size": f.size}


def listdir(name):
    return sorted(HfFileSystem().ls(name, detail=False))


def refs(name):
    told = HfApi().list_repo_refs(name, include_pull_requests=True)
    return {group: {ref.name: ref.target_commit for ref in
                    getattr(told, group) or []}
            for group in ("branches", "tags", "converts", "pull_requests")}


def commits(name):
    return [commit.commit_id for commit in HfApi().list_repo_commits(name)]


def models(author=None, search=None, limit=None, sort=None):
    found = HfApi().list_models(
        author=author or None, search=search or None, sort=sort or None,
        limit=int(limit) if limit else None)
    return [model.id for model in found]


def exists(name, path):
    return HfApi().file_exists(name, path)


def check(name):
    return HfApi().auth_check(name)


def whoami():
    return HfApi().whoami()["name"]


CALLS = {call.__name__: call for call in (
    info, expanded_info, tree, paths_info, download, snapshot, ranges,
    listdir, refs, commits, models, exists, check, whoami)}


def main():
    try:
        answer = {"result": CALLS[sys.argv[1]](*sys.argv[2:])}
    except Exception as error:
        response = getattr(error, "response", None)
        answer = {"raised": [c.__name__ for c in type(error).__mro__],
                  "status": getattr(response, "status_code", None),
                  "text": str(error)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
