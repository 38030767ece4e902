# SPDX-License-Identifier: MIT
"""A mount may end at any moment: told by a signal or unmounted, idle or busy.

What a daemon left undone, or did after its end, a build with sanitizers
tells by its exit status.
"""

import contextlib
import os
import random
import signal
import subprocess
import threading
import time

import pytest

from mount_scenes import MIB, payload, tiny_bert
from mounted import is_mounted

READERS = 8
ENDS_S = 60  # the daemon; a hub's silence ends after --timeout
MOODS = ({}, {"delay_ms": 150}, {"stall": True})
PATHS = ("huggingface", "huggingface/org/bert", "huggingface/org/bert/pytorch",
         "huggingface/org/bert/pytorch/staged.onnx",
         "huggingface/org/bert/tensorflow/staged.pb",
         "huggingface/org/big/repo/x.bin", "huggingface/org/none",
         "pytorch/timm", "keras/ResNet50", ".omnihub/status.json")


def use(path, source, kept):
    """One thing that users do; a file may be kept open."""
    what = source.randrange(4)
    if what == 0:
        os.listdir(path)
    elif what == 1:
        os.getxattr(path, "user.omnihub.state")
    elif what == 2 and len(kept) < 100:
        kept.append(os.open(path, os.O_RDONLY))
    else:
        file = os.open(path, os.O_RDONLY)
        try:
            os.pread(file, 1 << source.randrange(20), source.randrange(MIB))
        finally:
            os.close(file)


def user(mount, source, over):
    kept = []
    while not over.is_set():
        with contextlib.suppress(OSError):
            use(mount.path / source.choice(PATHS), source, kept)
    for file in kept:
        with contextlib.suppress(OSError):
            os.close(file)


def end(mount, daemon, how, over):
    """A mount that is detached lives as long as files are open in it."""
    if how == "detach":
        mount.detach()
        over.set()
    else:
        daemon.send_signal(how)


def run_for(mount, source, how, seconds):
    daemon = subprocess.Popen(mount.command("--foreground"), env=mount.env,
                              stderr=subprocess.PIPE, text=True)
    over = threading.Event()
    users = [threading.Thread(target=user, args=(
        mount, random.Random(source.random()), over)) for _ in range(READERS)]
    assert "mounted at" in daemon.stderr.readline()
    for each in users:
        each.start()
    time.sleep(seconds)
    try:
        end(mount, daemon, how, over)
        status = daemon.wait(ENDS_S)
    finally:
        over.set()
        daemon.kill()
        said = daemon.stderr.read()
        daemon.stderr.close()
        for each in users:
            each.join()
    assert status == 0, said
    assert not is_mounted(mount.path)


@pytest.mark.parametrize("seed", [
    0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, "detach"])
def test_ends_at_any_moment(hub, make_mount, how, seed):
    """The cache is the same: what one end left, the next mount has."""
    hub.add("org/bert", tiny_bert())
    hub.add("org/big", {"x.bin": payload(3 * MIB, 3)})
    mount = make_mount(hub, "--timeout", "3")
    source = random.Random(seed)
    for mood in MOODS:
        hub.calm()
        if mood:
            hub.set(**mood)
        run_for(mount, source, how, source.random())
    hub.calm()
    mount.start()
    assert (mount.model("org/big/repo/x.bin")).read_bytes() == \
        payload(3 * MIB, 3)
