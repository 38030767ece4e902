# SPDX-License-Identifier: MIT
"""Nothing of a mount can be changed, and nobody else can look into it."""

import errno
import os
import pathlib
import socket
import tempfile

import pytest

from mounted import Mount
from mount_scenes import errno_of, write_tree

CHANGES = {
    "open to write": lambda d, f: os.open(f, os.O_WRONLY),
    "open to read and write": lambda d, f: os.open(f, os.O_RDWR),
    "open to append": lambda d, f: os.open(f, os.O_WRONLY | os.O_APPEND),
    "open and truncate": lambda d, f: os.open(f, os.O_RDONLY | os.O_TRUNC),
    "create": lambda d, f: os.open(d / "new", os.O_WRONLY | os.O_CREAT),
    "create to read": lambda d, f: os.open(d / "new", os.O_RDONLY | os.O_CREAT),
    "mkdir": lambda d, f: os.mkdir(d / "new"),
    "mkfifo": lambda d, f: os.mkfifo(d / "new"),
    "mknod": lambda d, f: os.mknod(d / "new"),
    "bind": lambda d, f: bind_in(d),
    "symlink": lambda d, f: os.symlink("x", d / "new"),
    "link": lambda d, f: os.link(f, d / "new"),
    "unlink": lambda d, f: os.unlink(f),
    "rename": lambda d, f: os.rename(f, d / "new"),
    "rmdir": lambda d, f: os.rmdir(d),
    "chmod of a file": lambda d, f: os.chmod(f, 0o666),
    "chmod of a folder": lambda d, f: os.chmod(d, 0o777),
    "chown": lambda d, f: os.chown(f, os.getuid(), os.getgid()),
    "truncate": lambda d, f: os.truncate(f, 0),
    "utime": lambda d, f: os.utime(f, (0, 0)),
    "setxattr": lambda d, f: os.setxattr(f, "user.other", b"1"),
    "setxattr of ours": lambda d, f: os.setxattr(f, "user.omnihub.url", b"1"),
    "setxattr, security": lambda d, f: os.setxattr(f, "trusted.x", b"1"),
    "removexattr": lambda d, f: os.removexattr(f, "user.omnihub.url"),
}

# A file in each, as seen from the mount.
PLACES = [".omnihub/version", "huggingface/org/model/repo/config.json",
          "huggingface/org/model/repo/sub/part.bin"]


def bind_in(folder):
    """A path of a socket may have 107 bytes only, so from the folder."""
    with socket.socket(socket.AF_UNIX) as sock:
        here = os.open(".", os.O_RDONLY)
        try:
            os.chdir(folder)
            sock.bind("new")
        finally:
            os.fchdir(here)
            os.close(here)


@pytest.fixture
def mount(tmp_path, make_mount):
    write_tree(tmp_path / "hub/org/model",
               {"config.json": b"{}", "sub/part.bin": b"part"})
    return make_mount(tmp_path / "hub").start()


@pytest.mark.parametrize("place", PLACES)
def test_every_change_gives_erofs(mount, place):
    file = mount.path / place
    before = file.stat().st_ino, sorted(os.listdir(file.parent))
    got = {what: errno_of(change, file.parent, file)
           for what, change in CHANGES.items()
           if not (what.startswith("setxattr, sec") and os.geteuid() != 0)}
    wrong = {what: errno.errorcode.get(number, number)
             for what, number in got.items() if number != errno.EROFS}
    assert not wrong
    assert before == (file.stat().st_ino, sorted(os.listdir(file.parent)))


@pytest.mark.parametrize("place", ["", ".omnihub", "huggingface",
                                   "huggingface/org", "huggingface/org/model"])
def test_nothing_is_made_in_any_folder(mount, place):
    folder = mount.path / place
    for change in ("create", "mkdir", "symlink", "chmod of a folder"):
        assert errno_of(CHANGES[change], folder, None) == errno.EROFS, change


def test_access_says_so_before(mount):
    file = mount.model("org/model/repo/config.json")
    assert os.access(file, os.R_OK)
    assert not os.access(file, os.W_OK) and not os.access(file, os.X_OK)
    assert os.access(file.parent, os.R_OK | os.X_OK)
    assert not os.access(file.parent, os.W_OK)


def test_mount_options(mount):
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    line = next(line for line in lines if line.split()[4] == str(mount.path))
    options = line.split(" - ")[0].split()[5].split(",")
    assert {"nosuid", "nodev"} <= set(options)
    assert " - fuse.omnihub omnihub " in line
    assert "allow_other" not in line


def as_nobody(call):
    """The errno (0: none) of @call in a process of another user."""
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        os._exit(errno_of(call) or 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")
def test_other_users_are_kept_out():
    """The hub's folder, which the other user can read, is the control."""
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        work.chmod(0o755)
        write_tree(work / "hub/org/model", {"config.json": b"{}"})
        assert as_nobody((work / "hub/org/model/config.json").read_bytes) == 0
        for options, expected in (((), errno.EACCES), (("--allow-other",), 0)):
            with Mount(work / "m", work / "hub", *options) as mount:
                config = mount.model("org/model/repo/config.json")
                assert as_nobody(config.read_bytes) == expected, options
