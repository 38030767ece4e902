# SPDX-License-Identifier: MIT
"""Class Hub: an imitation hub in its own process, as tests use it.

What was added survives kill() and close(): start() serves the same
repositories again, on the same ports.
"""

import fnmatch
import hashlib
import json
import os
import pathlib
import random
import select
import signal
import socket
import subprocess
import sys
import time

import hub_moods
from hub_hosts import HOSTS
from hub_publish import Publisher

SERVER = pathlib.Path(__file__).resolve().parent / "imitation_hub.py"
READY_S = 60
CALL_S = 300  # digests of some GiB
START_TRIES = 20
LFS_NAMES = ("*.safetensors", "*.bin", "*.onnx", "*.pb", "*.h5", "*.msgpack")
LFS_BYTES = 1 << 20


def lowest_ephemeral_port():
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        return int(f.read().split()[0])


def own_ports():
    """Those of this process, where tests run side by side (pytest-xdist)."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return range(10000 + worker, lowest_ephemeral_port(), workers)


def free_ports(count):
    """Ports that nobody listens at, and that no connection gets by chance.

    A port of the ephemeral range could be taken while the hub is dead, even
    by a client that tries to connect to it.
    """
    ports = set()
    while len(ports) < count:
        port = random.choice(own_ports())
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.add(port)
    return list(ports)


def lfs_rule(lfs):
    """A function (path, size) -> is it kept in LFS?"""
    if callable(lfs):
        return lambda path, size: bool(lfs(path))
    globs = LFS_NAMES if lfs is None else lfs

    def matches(path, size):
        if lfs is None and size >= LFS_BYTES:
            return True
        return any(fnmatch.fnmatchcase(path, glob) or
                   fnmatch.fnmatchcase(path.rsplit("/", 1)[-1], glob)
                   for glob in globs)
    return matches


def files_of(folder):
    """path -> Path of every file below @folder; links are followed."""
    found = {}
    for at, _, names in os.walk(folder, followlinks=True):
        for name in names:
            local = pathlib.Path(at, name)
            found[local.relative_to(folder).as_posix()] = local
    return found


class Hub(Publisher):
    """A hub that runs as its own process, with the hosts of hub_hosts.py.

    @folder is the hub's own; it is made if absent.  @moods hold from the
    start.
    """

    def __init__(self, folder, **moods):
        self.folder = pathlib.Path(folder).resolve()
        (self.folder / "bytes").mkdir(parents=True, exist_ok=True)
        self._moods = moods
        self._ports = None
        self._process = None
        self._paused = False
        self._past = []  # what processes that are gone had recorded
        self._rules = {}  # repo id -> its rule of LFS

    # ---- the process ----

    def start(self):
        """Returns when all ports listen."""
        if self._process:
            return self
        again = self._ports is not None
        for _ in range(START_TRIES):
            self._ports = self._ports or free_ports(3 + len(HOSTS))
            if self._launch():
                break
            if not again:
                self._ports = None
        else:
            raise RuntimeError("the hub does not start: " + self.log())
        if self._moods:
            self.set(**self._moods)
            self._moods = {}
        return self

    def _launch(self):
        ports = zip(("--port", "--cdn-port", "--control-port"), self._ports)
        command = [sys.executable, "-B", str(SERVER), "--with-stdin",
                   "--state", str(self.folder / "state.jsonl")]
        for option, port in ports:
            command += [option, str(port)]
        for host, port in self._host_ports().items():
            command += ["--host", "%s=%d" % (host, port)]
        with open(self.folder / "hub.log", "ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=log)
        readable, _, _ = select.select([process.stdout], [], [], READY_S)
        if readable and process.stdout.readline().startswith(b"ready"):
            self._process = process
            self._paused = False
            return True
        self._reap(process)
        return False

    @staticmethod
    def _reap(process):
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()

    def kill(self):
        """SIGKILL: connections end, new ones are refused."""
        if not self._process:
            return
        if not self._paused:
            try:
                self._past += self._call("requests", headers=False)
            except OSError:
                pass  # it died by itself
        self._reap(self._process)
        self._process = None

    close = kill

    def pause(self):
        """SIGSTOP: connections stay and new ones are taken, no answers.

        Nothing can be asked of the hub until resume().
        """
        self._process.send_signal(signal.SIGSTOP)
        while self._state() not in "TtZ":
            time.sleep(0.001)
        self._paused = True

    def _state(self):
        """Of the process, as /proc tells it: it stops a while after the signal."""
        with open("/proc/%d/stat" % self._process.pid, encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]

    def resume(self):
        self._process.send_signal(signal.SIGCONT)
        self._paused = False

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    @property
    def pid(self):
        return self._process.pid

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self._ports[0]

    @property
    def cdn_url(self):
        return "http://127.0.0.1:%d" % self._ports[1]

    def _host_ports(self):
        return dict(zip(HOSTS, self._ports[3:]))

    @property
    def hosts(self):
        """host -> the URL of its imitation."""
        return {host: "http://127.0.0.1:%d" % port
                for host, port in self._host_ports().items()}

    def log(self):
        """What the process said on its standard error."""
        return (self.folder / "hub.log").read_text()

    def _call(self, do, **what):
        if self._process is None:
            raise RuntimeError("the hub is not running")
        if self._paused:
            raise RuntimeError("the hub is paused")
        address = ("127.0.0.1", self._ports[2])
        with socket.create_connection(address, timeout=CALL_S) as control:
            line = json.dumps({"do": do, **what}) + "\n"
            control.sendall(line.encode())
            answer = json.loads(control.makefile("rb").readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["ok"]

    # ---- repositories ----

    def _local(self, source):
        """The file that has the bytes of @source."""
        if not isinstance(source, (bytes, bytearray)):
            return pathlib.Path(source).resolve()
        local = self.folder / "bytes" / hashlib.sha256(source).hexdigest()
        if not local.exists():
            local.write_bytes(source)
        return local

    def _file(self, path, source, rule, shapes, sha256):
        local = self._local(source)
        size = local.stat().st_size
        return {"local": str(local), "size": size, "lfs": rule(path, size),
                "shape": shapes.get(path), "sha256": sha256.get(path)}

    def _files(self, sources, rule, shapes=None, sha256=None):
        return {path: None if source is None else
                self._file(path, source, rule, shapes or {}, sha256 or {})
                for path, source in sources.items()}

    def add(self, repo_id, source, *, lfs=None, shapes=None, sha256=None,
            tags=(), legacy_names=(), renamed_from=(), **about):
        """A new repository; returns its commit.

        @source: a folder, served in place, or path -> bytes or Path.
        @lfs: globs, or a function of the path; @shapes: path -> "A", "B" or
        "C"; @sha256: path -> hex, of files too big to be read for it.
        @tags: names of git tags, or name -> commit.
        @about: kind ("models", "datasets", "spaces"; hub_publish.py has
        those of the other hosts), gated, private, disabled, branch,
        downloads, likes, labels, info (more fields of the model info).
        """
        if not isinstance(source, dict):
            source = files_of(source)
        self._rules[repo_id] = lfs_rule(lfs)
        files = self._files(source, self._rules[repo_id], shapes, sha256)
        commit = self._call("add", id=repo_id, about=about, files=files,
                            names=[*legacy_names, *renamed_from])
        for tag in tags:
            named = tags[tag] if isinstance(tags, dict) else None
            self.tag(repo_id, tag, named or commit, about.get("kind"))
        return commit

    def commit(self, repo_id, changes, branch=None, *, shapes=None,
               sha256=None, kind=None):
        """A new commit; @changes: path -> bytes, Path, or None to delete.

        A branch that is new begins at the default one.
        """
        rule = self._rules.get(repo_id) or lfs_rule(None)
        files = self._files(changes, rule, shapes, sha256)
        return self._call("commit", id=repo_id, branch=branch, files=files,
                          kind=kind)

    def tag(self, repo_id, name, commit, kind=None):
        self.ref(repo_id, "refs/tags/" + name, commit, kind)

    def ref(self, repo_id, name, commit, kind=None):
        """@name: refs/heads/..., refs/tags/..., refs/pr/..., refs/convert/."""
        self._call("ref", id=repo_id, ref=name, commit=commit, kind=kind)

    def remove(self, repo_id, kind=None):
        self._call("remove", id=repo_id, kind=kind)

    def token(self, value, grants=()):
        """A valid token; @grants: ids it may read, or "*"."""
        self._call("token", value=value,
                   grants=grants if grants == "*" else list(grants))

    # ---- moods ----

    def set(self, **moods):
        """Moods for every request."""
        self.set_for("", "", **moods)

    def set_for(self, repo_id, path, **moods):
        """Moods for one file, or for all of a repository (@path "")."""
        moods = {name: hub_moods.options_of(name, value) for name, value
                 in hub_moods.folded(moods).items()}
        self._call("moods", repo=repo_id or "", path=path or "", moods=moods)

    def calm(self):
        """No moods; waits in progress end."""
        self._call("calm")

    # ---- what was asked ----

    def requests(self, headers=False):
        """In order of arrival; README.md names the fields.

        A client may have the last bytes before they are counted: those that
        are being answered are given a moment to end.
        """
        if self._process is None:
            return list(self._past)
        late = time.monotonic() + 0.1
        while True:
            seen = self._call("requests", headers=headers)
            if all(each["ended"] for each in seen) or time.monotonic() > late:
                return self._past + seen
            time.sleep(0.005)

    def forget(self):
        self._past = []
        if self._process is not None:
            self._call("forget")

    def bytes_sent(self, prefix=""):
        """Bytes of files sent, of those whose path, or whose repository's
        id and path, begins with @prefix."""
        total = 0
        for request in self.requests():
            name = request["file"]
            if name is None or request["status"] not in (200, 206):
                continue
            path = name[len(request["repo"]) + 1:]
            if name.startswith(prefix) or path.startswith(prefix):
                total += request["bytes"]
        return total
