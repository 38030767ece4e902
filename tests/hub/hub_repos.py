# SPDX-License-Identifier: MIT
"""What the imitation hub holds: repositories, commits, trees, tokens.

Changes come as operations, plain dicts, and are kept in a journal, so that
a hub that was killed is the same again.
"""

import base64
import datetime
import hashlib
import json
import os
import threading
import typing

from hub_crc import crc32c

FIRST_DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n"
KINDS = ("models", "datasets", "spaces",
         # what the other hosts have; their ids are told in README.md
         "github", "release", "kaggle", "kaggle-bundle", "tfhub", "web")


def date_text(stamp):
    """@stamp: minutes after the first day."""
    when = FIRST_DAY + datetime.timedelta(minutes=stamp)
    return when.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def git_object(kind, content):
    head = b"%s %d\0" % (kind.encode(), len(content))
    return hashlib.sha1(head + content).hexdigest()


def file_digest(local, digest):
    with open(local, "rb", buffering=0) as f:
        while piece := f.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


class Digests:
    """Of files in place; each computed once while the file is the same."""

    def __init__(self):
        self._known = {}

    def _get(self, local, name, make):
        state = os.stat(local)
        key = (local, state.st_size, state.st_mtime_ns, name)
        if key not in self._known:
            self._known[key] = make(state.st_size)
        return self._known[key]

    def sha256(self, local):
        return self._get(local, "sha256", lambda size: file_digest(
            local, hashlib.sha256()))

    def blob(self, local):
        return self._get(local, "blob", lambda size: file_digest(
            local, hashlib.sha1(b"blob %d\0" % size)))


    def md5(self, local):
        return self._get(local, "md5", lambda size: file_digest(
            local, hashlib.md5()))

    def crc32c(self, local):
        """In base64, as Google's storage has it."""
        def make(size):
            with open(local, "rb") as f:
                crc = crc32c(f.read())
            return base64.b64encode(crc.to_bytes(4, "big")).decode()
        return self._get(local, "crc32c", make)


class File(typing.NamedTuple):
    """A file of a commit.  @oid: of git's blob, an LFS file's pointer."""
    local: str
    size: int
    oid: str
    sha256: str  # of LFS files, else None
    shape: str
    changed: tuple  # (stamp, sha) of the commit that brought it

    @property
    def pointer(self):
        return (POINTER % (self.sha256, self.size)).encode()

    @property
    def etag(self):
        return self.sha256 or self.oid

    def entry(self, path):
        entry = {"type": "file", "oid": self.oid, "size": self.size,
                 "path": path}
        if self.sha256:
            entry["lfs"] = {"oid": self.sha256, "size": self.size,
                            "pointerSize": len(self.pointer)}
        return entry


def file_record(asked, digests):
    """The journal's form of a file that class Hub names."""
    local = asked["local"]
    sha256 = asked["sha256"] or (asked["lfs"] and digests.sha256(local)) \
        or None
    pointer = (POINTER % (sha256, asked["size"])).encode()
    oid = git_object("blob", pointer) if sha256 else digests.blob(local)
    shape = asked["shape"] or ("B" if sha256 else "A")
    if shape not in ("A", "B", "C"):
        raise ValueError("no such shape: %r" % shape)
    return [local, asked["size"], oid, sha256, shape]


class Commit:
    """Immutable; its tree is computed once."""

    def __init__(self, sha, parent, stamp, title, files):
        self.sha = sha
        self.parent = parent
        self.stamp = stamp
        self.title = title
        self.files = files  # path -> File
        self._entries = None
        self._tree_oid = None

    @property
    def entries(self):
        """path -> (entry, (stamp, sha) of its last change), sorted."""
        if self._entries is None:
            found, self._tree_oid = tree_entries(self.files)
            self._entries = dict(sorted(found.items()))
        return self._entries

    @property
    def tree_oid(self):
        return self.entries is not None and self._tree_oid

    def children(self, folder, recursive):
        """Entries of @folder ("": the root), or None if it is none."""
        if folder and self.entries.get(folder, ({},))[0].get(
                "type") != "directory":
            return None
        prefix = folder + "/" if folder else ""
        return [pair for path, pair in self.entries.items()
                if path.startswith(prefix) and
                (recursive or "/" not in path[len(prefix):])]


def nested(files):
    """Paths as dicts in dicts, File at the leaves."""
    root = {}
    for path, file in files.items():
        *folders, name = path.split("/")
        at = root
        for folder in folders:
            at = at.setdefault(folder, {})
        at[name] = file
    return root


def tree_entries(files):
    """path -> (entry, its newest change), directories too; the root's oid."""
    found = {}

    def walk(folder, prefix):
        lines, newest = [], (0, "")
        for name, child in folder.items():
            path = prefix + name
            if isinstance(child, File):
                changed = child.changed
                found[path] = (child.entry(path), changed)
                lines.append((name, b"100644", child.oid))
            else:
                oid, changed = walk(child, path + "/")
                found[path] = ({"type": "directory", "oid": oid, "size": 0,
                                "path": path}, changed)
                lines.append((name + "/", b"40000", oid))
            newest = max(newest, changed)
        return tree_oid(lines), newest

    oid, _ = walk(nested(files), "")
    return found, oid


def tree_oid(lines):
    content = b"".join(
        mode + b" " + name.rstrip("/").encode() + b"\0" + bytes.fromhex(oid)
        for name, mode, oid in sorted(lines, key=lambda l: l[0].encode()))
    return git_object("tree", content)


class Repo:
    def __init__(self, kind, repo_id, about, number):
        self.kind = kind
        self.id = repo_id
        self.about = about
        self.number = number  # counts what was added
        self.branch = about.get("branch", "main")
        self.commits = {}
        self.refs = {}

    @property
    def author(self):
        return self.id.split("/")[0] if "/" in self.id else None

    @property
    def gated(self):
        return self.about.get("gated", False)

    @property
    def private(self):
        return self.about.get("private", False)

    @property
    def disabled(self):
        return self.about.get("disabled", False)

    def find(self, revision):
        """The Commit of a branch, tag, ref, commit or HEAD; or None."""
        if revision == "HEAD":
            revision = self.branch
        for name in ("refs/heads/" + revision, "refs/tags/" + revision,
                     revision):
            if name in self.refs:
                return self.commits[self.refs[name]]
        return self.commits.get(revision)

    @property
    def head(self):
        return self.find("HEAD")

    def commit(self, branch, changes, stamp):
        """@changes: path -> record or None."""
        ref = "refs/heads/" + (branch or self.branch)
        old = self.commits.get(self.refs.get(ref)) or self.head
        files = dict(old.files) if old else {}
        parent = old.sha if old else None
        title = "Change %d files" % len(changes) if old else "Add the files"
        told = {path: record and record[1:]
                for path, record in changes.items()}
        text = json.dumps([self.kind, self.id, parent, stamp, title, told])
        sha = git_object("commit", text.encode())
        for path, record in changes.items():
            if record is None:
                files.pop(path)
            else:
                files[path] = File(*record, (stamp, sha))
        self.commits[sha] = Commit(sha, parent, stamp, title, files)
        self.refs[ref] = sha
        return sha

    def history(self, commit):
        while commit:
            yield commit
            commit = self.commits.get(commit.parent)


class Repos:
    """All that the hub has.  Changed by apply() only, under .lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self._repos = {}  # (kind, lower-case id) -> Repo
        self._names = {}  # (kind, lower-case old name) -> id
        self.tokens = {}  # value -> "*" or list of ids
        self.stamp = 0

    def apply(self, op):
        with self.lock:
            return getattr(self, "_do_" + op["do"])(op)

    def find(self, kind, name):
        """The Repo that @name means, by whatever name; or None."""
        key = (kind, name.lower())
        if key not in self._repos and key in self._names:
            key = (kind, self._names[key].lower())
        return self._repos.get(key)

    def all(self, kind):
        with self.lock:
            return [r for (k, _), r in self._repos.items() if k == kind]

    def may(self, token, repo_id):
        grants = self.tokens.get(token, ())
        return grants == "*" or repo_id in grants

    def _of(self, repo_id, kind=None):
        for kind in [kind] if kind else KINDS:
            repo = self._repos.get((kind, repo_id.lower()))
            if repo:
                return repo
        raise ValueError("no such repository: " + repo_id)

    def _do_add(self, op):
        kind = op["about"].get("kind", "models")
        key = (kind, op["id"].lower())
        if key in self._repos:
            raise ValueError("there is a repository %s already" % op["id"])
        self.stamp += 1
        repo = Repo(kind, op["id"], op["about"], self.stamp)
        commit = repo.commit(None, op["files"], self.stamp)
        self._repos[key] = repo
        for name in op["names"]:
            self._names[(kind, name.lower())] = op["id"]
        return commit

    def _do_commit(self, op):
        repo = self._of(op["id"], op.get("kind"))
        for path, record in op["files"].items():
            if record is None and path not in (repo.find(
                    op["branch"] or "HEAD") or repo.head).files:
                raise ValueError("no such file: " + path)
        self.stamp += 1
        return repo.commit(op["branch"], op["files"], self.stamp)

    def _do_ref(self, op):
        repo = self._of(op["id"], op.get("kind"))
        if op["commit"] not in repo.commits:
            raise ValueError("no such commit: %s" % op["commit"])
        if not op["ref"].startswith("refs/"):
            raise ValueError("a ref begins with refs/: " + op["ref"])
        repo.refs[op["ref"]] = op["commit"]

    def _do_remove(self, op):
        repo = self._of(op["id"], op.get("kind"))
        del self._repos[(repo.kind, repo.id.lower())]

    def _do_token(self, op):
        self.tokens[op["value"]] = op["grants"]
