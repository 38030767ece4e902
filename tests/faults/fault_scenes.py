# SPDX-License-Identifier: MIT
"""What the fault tests share: that of the mount tests, and processes."""

import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "mount"))

from mount_scenes import *  # noqa: E402,F401,F403
from mounted import wait_until  # noqa: E402

# Does one thing to a path and says what came of it.
WORKER = """
import os, sys, time
def interrupted(*_): raise InterruptedError
import signal
signal.signal(signal.SIGINT, interrupted)
what, path = sys.argv[1:]
actions = {
    "lookup": lambda: os.stat(path),
    "readdir": lambda: os.listdir(path),
    "open": lambda: os.open(path, os.O_RDONLY),
    "read": lambda: os.pread(os.open(path, os.O_RDONLY), 4096, 0),
}
print("begins", flush=True)
try:
    actions[what]()
    print("done")
except InterruptedError:
    print("interrupted")
except OSError as error:
    print("errno", error.errno)
"""


class Worker:
    """A process that does @what to @path, and may be stuck in it."""

    def __init__(self, what, path):
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, what, str(path)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout.readline() == "begins\n"

    def waits(self):
        """It is in the kernel, and stays there."""
        return wait_until(lambda: self._wchan().startswith(
            ("request_wait", "fuse", "folio_wait", "wait_on_page",
             "d_alloc_parallel")), 10)

    def _wchan(self):
        try:
            return pathlib.Path("/proc/%d/wchan" % self.process.pid).read_text()
        except FileNotFoundError:
            return ""

    def end(self, sign, timeout_s):
        """What it says, and how long it takes, after a signal."""
        began = time.monotonic()
        self.process.send_signal(sign)
        said, _ = self.process.communicate(timeout=timeout_s)
        return said.strip(), time.monotonic() - began

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def close_all(workers):
    """Killed first, all of them: one may wait for what another waits for."""
    for one in workers:
        one.process.kill()
    for one in workers:
        one.close()


def kill_daemon(mount):
    """SIGKILL, at once, and the dead mount removed."""
    os.kill(mount.pid, signal.SIGKILL)
    assert wait_until(lambda: not mount.alive())
    mount.pid = None
    mount.detach()
