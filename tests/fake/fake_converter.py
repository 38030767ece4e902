#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A converter for tests: fake_converter.py MODE SNAPSHOT OUT TASK

writes a small ONNX model, or misbehaves as MODE says.  What it can reach is
printed by the mode "reach".  It leaves out everything else a converter does.
"""

import ctypes
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

# So long a process lives that nobody is to wait for.
LONG_S = 600


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def port(name):
    """A float32 [batch, 3]."""
    shape = field(1, field(2, "batch")) + field(1, field(1, 3))
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def model(data=None, length=0):
    """y = x + w; w lies in the file @data, or in the model itself."""
    weight = field(1, 3) + field(2, 1) + field(8, "w")
    if data is None:
        weight += field(9, bytes(12))
    else:
        for key, value in (("location", data), ("offset", "0"),
                           ("length", str(length))):
            weight += field(13, field(1, key) + field(2, value))
        weight += field(14, 1)
    node = field(1, "x") + field(1, "w") + field(2, "y") + field(4, "Add")
    graph = (field(1, node) + field(2, "g") + field(5, weight)
             + field(11, port("x")) + field(12, port("y")))
    return field(1, 7) + field(7, graph) + field(8, field(2, 13))


def tried(call):
    """What became of it: "done", or the error in words."""
    try:
        call()
    except OSError as error:
        return error.strerror or type(error).__name__
    return "done"


def connect():
    with socket.create_connection(("127.0.0.1", 9), timeout=2):
        pass


def unix():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.connect("/run/dbus/system_bus_socket")


def unshare():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x10000000) < 0:  # CLONE_NEWUSER
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def abroad(snapshot):
    """Is a file outside of the job writable that its owner could write?"""
    target = pathlib.Path(sys.argv[0]).with_name("victim")
    return {
        "net": tried(connect),
        "unix": tried(unix),
        "victim": tried(lambda: target.write_text("was here")),
        "snapshot": tried(lambda: open(snapshot / "x", "w")),
        "home": tried(lambda: open(os.environ["HOME"] + "/x", "w")),
        "tmpdir": tried(lambda: open(os.environ["TMPDIR"] + "/x", "w")),
        "signal": tried(lambda: os.kill(os.getppid(), 0)),
        "user namespace": tried(unshare),
        "files": sorted(str(path.relative_to(snapshot))
                        for path in snapshot.rglob("*") if path.is_file()),
        "secrets": [name for name in os.environ if name.endswith("TOKEN")],
        "offline": os.environ.get("HF_HUB_OFFLINE"),
    }


def sleeper(out):
    """A child that says that it lives by what is in its command line."""
    return subprocess.Popen([sys.executable, "-c",
                             "import time; time.sleep(%d)" % LONG_S,
                             str(out)])


def fill(out):
    for number in range(1 << 20):
        (out / ("%d.bin" % number)).write_bytes(bytes(1 << 20))


def hoard():
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1 << 20) * 16))


def write(out, name="model.onnx", **options):
    (out / name).write_bytes(model(**options))


def nothing(out):
    (out / "notes.txt").write_text("no model")


def data(out, length=12):
    (out / "model.onnx_data").write_bytes(bytes(12))
    write(out, data="model.onnx_data", length=length)


def two(out):
    write(out, "encoder_model.onnx")
    write(out, "decoder_model.onnx")


def noisy(out):
    for percent in range(0, 101, 20):
        sys.stderr.write("\rLoading %d%%" % percent)
    sys.stderr.write("\n\x1b[31mred\x1b[0m\n")
    sys.exit("the last words")


def slow(out):
    time.sleep(3)
    write(out)


def link(out):
    os.symlink("/etc/passwd", out / "model.onnx")


MODES = {
    "ok": write,
    "data": data,
    "two": two,
    "slow": slow,
    "nothing": nothing,
    "garbage": lambda out: (out / "model.onnx").write_bytes(b"\x08\x07junk" * 9),
    "cut": lambda out: (out / "model.onnx").write_bytes(model()[:-5]),
    "short": lambda out: data(out, length=13),
    "escape": lambda out: write(out, data="../../x", length=1),
    "link": link,
    "exit": lambda out: sys.exit(3),
    "noisy": noisy,
    "crash": lambda out: os.kill(os.getpid(), signal.SIGSEGV),
    "abort": lambda out: os.abort(),
    "sleep": lambda out: (sleeper(out), time.sleep(LONG_S)),
    "leave": lambda out: (sleeper(out), write(out)),
    "fill": fill,
    "hoard": lambda out: hoard(),
}


def main():
    mode, snapshot, out, task = sys.argv[1:5]
    snapshot, out = pathlib.Path(snapshot), pathlib.Path(out)
    print("task", task, flush=True)
    if mode == "reach":
        print("reach", json.dumps(abroad(snapshot)))
        sys.exit(1)
    MODES[mode](out)


main()
