# SPDX-License-Identifier: MIT
"""A mount of omnihub in a private folder, for tests.

Nothing of the caller's environment reaches it: HOME, caches and tokens are
the test's own.  What a test leaves running is killed by close().
"""

import json
import os
import pathlib
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("OMNIHUB_BINARY", str(ROOT / "build" / "omnihub"))
READY_S = 60  # a sanitized daemon on a busy machine


def environment(work, extra=None):
    """The environment of everything a test starts."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("HF_", "HUGGING", "TRANSFORMERS_", "XDG_",
                                    "KAGGLE_", "GITHUB_", "KERAS_", "TORCH_",
                                    "TFHUB_"))}
    env.update(HOME=str(work), HF_HOME=str(work / "hf_home"),
               LC_ALL="C.UTF-8", **(extra or {}))
    return env


def is_mounted(path):
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        return any(line.split()[4] == str(path) for line in mounts)


def wait_until(what, timeout_s=20, step_s=0.01):
    """Calls @what until it gives something true; that, or None if too late."""
    end = time.monotonic() + timeout_s
    while True:
        got = what()
        if got:
            return got
        if time.monotonic() > end:
            return None
        time.sleep(step_s)


class Mount:
    """@hub: something with .url, a URL, a folder, or None (no endpoint)."""

    def __init__(self, work, hub=None, *options, env=None):
        self.work = pathlib.Path(work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.path = self.work / "mnt"
        self.cache = self.work / "cache"
        self.hf = self.path / "huggingface"
        self.options = list(options)
        self.env = environment(self.work, env)
        self.hub = getattr(hub, "url", hub)
        self.pid = None

    def command(self, *more):
        endpoint = [] if self.hub is None else [
            "--endpoint", "huggingface=%s" % self.hub]
        # How full the disk is that tests are run on must not matter.
        return [BINARY, "mount", "--cache", str(self.cache),
                "--keep-free", "0", *endpoint, *self.options, *more, str(self.path)]

    def start(self, *more):
        """Mounts; an AssertionError with what the program said if it fails."""
        done = subprocess.run(self.command(*more), env=self.env, text=True,
                              capture_output=True, timeout=READY_S, check=False)
        assert done.returncode == 0, done.stderr
        self.pid = self.status()["pid"]
        return self

    def status(self):
        return json.loads((self.path / ".omnihub/status.json").read_text())

    def model(self, name):
        return self.hf / name

    def run(self, *arguments, **options):
        """Another omnihub command in the same environment."""
        return subprocess.run([BINARY, *map(str, arguments)], env=self.env,
                              text=True, capture_output=True, check=False,
                              timeout=READY_S, **options)

    def log(self):
        try:
            return (self.cache / "omnihub.log").read_text()
        except FileNotFoundError:
            return ""

    def proc(self, field):
        """A number of /proc/PID/status: VmHWM (KiB), Threads."""
        for line in open("/proc/%d/status" % self.pid, encoding="utf-8"):
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise KeyError(field)

    def alive(self):
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        # A zombie without a parent that waits is gone for us, once its threads
        # are: until then they hold its files, and so the cache.
        try:
            with open("/proc/%d/stat" % self.pid, encoding="utf-8") as stat:
                state = stat.read().rsplit(")", 1)[1].split()[0]
            return state != "Z" or len(os.listdir("/proc/%d/task" % self.pid)) > 1
        except FileNotFoundError:
            return False

    def stop(self):
        """Unmounts as a user would, and waits for the daemon's end."""
        done = self.run("umount", self.path)
        assert done.returncode == 0, done.stderr
        assert wait_until(lambda: not self.alive(), READY_S), "still running"
        self.pid = None

    def kill(self):
        """kill -9, and what is left of the mount removed."""
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not self.alive())
        self.pid = None
        self.detach()

    def detach(self):
        while is_mounted(self.path):
            subprocess.run(["fusermount3", "-u", "-z", "-q", str(self.path)],
                           check=True)

    def remount(self, *more):
        self.stop()
        return self.start(*more)

    def close(self):
        """Whatever happened: nothing of it stays."""
        if self.pid and self.alive():
            self.detach()
            if not wait_until(lambda: not self.alive(), READY_S):
                os.kill(self.pid, signal.SIGKILL)
        self.detach()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()


def drop_pages(path):
    """Drops the kernel's pages of one file, so that reads reach the daemon."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)
