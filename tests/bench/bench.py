#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Figures of a mount against curl on the same hub, in one run.

usage: bench.py [--size MIB] [--rounds N] [--work DIR] [--delay-ms N] [--rate-mb N]

Every round measures each case once, so that what else the machine does hits
all alike; printed are medians, and ratios within a round.  The work folder
should be on a disk that holds three times the size.
"""

import argparse
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
for folder in ("lib", "hub", "importers"):
    sys.path.insert(0, str(TESTS / folder))

from hub_process import Hub  # noqa: E402
from mounted import BINARY, Mount, drop_pages  # noqa: E402

MIB = 1 << 20
READERS = 16
READS = 64  # of each reader
READ_BYTES = 4096
PIECE = bytearray(4 * MIB)


def make_file(path, size):
    """Bytes that no disk or network can make smaller, and no block twice."""
    block = bytearray(random.Random(1).randbytes(MIB))
    with open(path, "wb") as out:
        for i in range(size // MIB):
            block[:8] = i.to_bytes(8, "little")
            out.write(block)


def settled():
    """What was written before is on the disk: nobody waits for another's."""
    os.sync()


def timed(work):
    start = time.monotonic()
    got = work()
    return time.monotonic() - start, got


def read_all(path):
    with open(path, "rb", buffering=0) as file:
        while file.readinto(PIECE):
            pass


def read_first(path):
    with open(path, "rb", buffering=0) as file:
        return file.read(READ_BYTES)


def read_random(path, size):
    """READERS threads of pread(); seeds are fixed, so every round is alike."""
    def work(seed):
        rng = random.Random(seed)
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        for _ in range(READS):
            os.pread(fd, READ_BYTES, rng.randrange(size // READ_BYTES) * READ_BYTES)
        os.close(fd)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def curl(url, out, size, streams):
    """@streams ranges of @url, each to its own file: as a downloader would."""
    part = size // streams
    command = ["curl", "-sS", "--no-progress-meter", "--parallel", "--parallel-max", str(streams)]
    for i in range(streams):
        last = size - 1 if i == streams - 1 else (i + 1) * part - 1
        command += ["-L", "-r", "%d-%d" % (i * part, last), "-o",
                    str(out / ("part%d" % i)), url]
        if i + 1 < streams:
            command.append("--next")
    subprocess.run(command, check=True)
    for i in range(streams):
        os.unlink(out / ("part%d" % i))


def cpu_s(pid):
    with open("/proc/%d/stat" % pid, encoding="utf-8") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, work, arguments):
        self.size = arguments.size * MIB
        self.work = work
        self.file = work / "weights.bin"
        self.round = 0
        self.rows = {}
        make_file(self.file, self.size)
        self.hub = Hub(work / "hub")
        self.hub.start()
        self.hub.add("bench/big", {"weights.bin": self.file})
        if arguments.delay_ms or arguments.rate_mb:
            self.hub.set(delay_ms=arguments.delay_ms,
                         bytes_per_second=arguments.rate_mb * 1000000)
        self.url = self.hub.url + "/bench/big/resolve/main/weights.bin"

    def note(self, name, value):
        self.rows.setdefault(name, []).append(value)

    def rate(self, seconds):
        return self.size / MIB / seconds

    def mount(self, name):
        mount = Mount(self.work / ("%s%d" % (name, self.round)), self.hub,
                      "--cache-size", str(4 * self.size)).start()
        return mount, mount.model("bench/big/repo/weights.bin")

    def cold(self):
        for name, streams in (("curl-1", 1), ("curl-8", 8)):
            settled()
            took, _ = timed(lambda: curl(self.url, self.work, self.size, streams))
            self.note("cold %s MiB/s" % name, self.rate(took))
        mount, path = self.mount("seq")
        os.stat(path)
        settled()
        before = cpu_s(mount.pid)
        took, _ = timed(lambda: read_all(path))
        self.note("cold MiB/s", self.rate(took))
        self.note("cold CPU s/GiB",
                  (cpu_s(mount.pid) - before) * 1024 * MIB / self.size)
        took, _ = timed(lambda: read_all(path))
        self.note("hot MiB/s", self.rate(took))
        took, _ = timed(lambda: read_all(self.file))
        self.note("hot, the file itself MiB/s", self.rate(took))
        drop_pages(path)
        self.warm(mount, path, "dropped")
        self.note("peak MiB", mount.proc("VmHWM") / 1024)
        self.hub.forget()
        mount.remount()
        took, _ = timed(lambda: os.stat(path))
        self.warm(mount, path, "remounted")
        self.note("remounted requests", len(self.hub.requests()))
        self.note("peak MiB", mount.proc("VmHWM") / 1024)
        self.discard(mount)

    def discard(self, mount):
        mount.close()
        shutil.rmtree(mount.work)

    def warm(self, mount, path, how):
        before = cpu_s(mount.pid)
        took, _ = timed(lambda: read_all(path))
        self.note("warm, %s MiB/s" % how, self.rate(took))
        self.note("warm, %s CPU s/GiB" % how,
                  (cpu_s(mount.pid) - before) * 1024 * MIB / self.size)

    def first(self):
        took, _ = timed(lambda: subprocess.run(
            ["curl", "-sSL", "-r", "0-4095", "-o", "/dev/null", self.url],
            check=True))
        self.note("first 4 KiB, curl ms", took * 1000)
        mount, path = self.mount("first")
        os.stat(path)
        self.hub.forget()
        took, _ = timed(lambda: read_first(path))
        self.note("first 4 KiB ms", took * 1000)
        time.sleep(0.5)  # what it fetches without being asked counts too
        self.note("first 4 KiB fetched KiB", self.hub.bytes_sent() / 1024)
        self.hub.forget()
        took, _ = timed(lambda: read_random(path, self.size))
        self.note("random 4 KiB x16 reads/s", READERS * READS / took)
        time.sleep(0.5)
        self.note("random fetched/asked", self.hub.bytes_sent() /
                  (READERS * READS * READ_BYTES))
        self.note("peak MiB", mount.proc("VmHWM") / 1024)
        self.discard(mount)

    def plan(self):
        """BERT-base: headers to exact size, and what a process costs."""
        folder = self.work / "bert"
        if not folder.exists():
            fixture = (TESTS / "importers/fixtures/transformers"
                       / "full-bert-base-uncased")
            subprocess.run([sys.executable, TESTS / "importers/synth.py",
                            fixture, folder], check=True,
                           stdout=subprocess.DEVNULL)
        took, done = timed(lambda: subprocess.run(
            [BINARY, "stage", "--plan", folder], check=True,
            capture_output=True, text=True))
        plan = __import__("json").loads(done.stdout)
        self.note("plan of BERT-base, own ms", plan["milliseconds"])
        self.note("plan of BERT-base, process ms", took * 1000)

    def run(self, rounds):
        for self.round in range(rounds):
            self.cold()
            self.first()
            self.plan()
        self.hub.close()

    def print(self):
        for name, values in self.rows.items():
            print("%-34s %10.1f   (%s)" % (
                name, max(values) if name.startswith("peak")
                else statistics.median(values),
                " ".join("%.1f" % v for v in values)))
        for of in ("curl-1", "curl-8"):
            ratios = [a / b for a, b in zip(self.rows["cold MiB/s"],
                                            self.rows["cold %s MiB/s" % of])]
            print("%-34s %10.2f" % ("cold / " + of, statistics.median(ratios)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=2048, help="MiB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", default=None)
    parser.add_argument("--delay-ms", type=int, default=0)
    parser.add_argument("--rate-mb", type=int, default=0,
                        help="of each connection, 0: as fast as it goes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work) as work:
        bench = Bench(pathlib.Path(work), arguments)
        try:
            bench.run(arguments.rounds)
        finally:
            bench.hub.close()
        bench.print()


if __name__ == "__main__":
    main()
