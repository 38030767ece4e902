#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the layout of Llama-2-7b costs: its sizes, and a part of it run.

usage: bench_llama.py [--rounds N] [--work DIR] [--layers N]

The weights are sparse files (tests/lib/llama_layout.py) behind the imitation
hub.  Printed are medians; memory is the most of all rounds.  --layers are
those of the model that ONNX Runtime opens; 0: none.
"""

import argparse
import hashlib
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
for folder in ("lib", "hub"):
    sys.path.insert(0, str(TESTS / folder))

import llama_layout  # noqa: E402
from hub_process import Hub  # noqa: E402
from mounted import Mount  # noqa: E402

REPO_ID = "meta-llama/Llama-2-7b-hf"
FILES = ("staged.onnx", "staged.onnx.data")


def timed(work):
    start = time.monotonic()
    got = work()
    return (time.monotonic() - start) * 1000, got


class Bench:
    def __init__(self, work):
        self.work = work
        self.rows = {}
        self.hub = Hub(work / "hub").start()

    def note(self, name, value):
        self.rows.setdefault(name, []).append(value)

    def publish(self, layers, digests):
        folder = self.work / ("repo%d" % layers)
        if not folder.exists():
            names = llama_layout.write(folder, layers)
            self.hub.add("%s-%d" % (REPO_ID, layers), folder, sha256={
                name: hashlib.sha256(name.encode()).hexdigest()
                for name in names} if digests else {})
        shutil.rmtree(self.work / "m", ignore_errors=True)
        return Mount(self.work / "m", self.hub)

    @staticmethod
    def sizes(mount, layers):
        folder = mount.model("%s-%d" % (REPO_ID, layers))
        folder = folder / "pytorch/text-generation"
        return [os.stat(folder / name).st_size for name in FILES]

    def seven(self):
        """Sizes of all 32 layers, with an empty cache and in a new mount."""
        with self.publish(32, True) as mount:
            self.seven_in(mount)

    def seven_in(self, mount):
        before = mount.proc("VmRSS")
        self.hub.forget()
        took, sizes = timed(lambda: self.sizes(mount, 32))
        self.note("empty cache: both stats, ms", took)
        self.note("empty cache: requests", len(self.hub.requests()))
        self.note("empty cache: KB of files", self.hub.bytes_sent() / 1000)
        self.note("bytes of staged.onnx", sizes[0])
        self.note("bytes of staged.onnx.data", sizes[1])
        self.note("memory, more than before, KiB",
                  mount.proc("VmRSS") - before)
        mount.remount()
        before = mount.proc("VmRSS")
        took, _ = timed(lambda: self.sizes(mount, 32))
        self.note("headers cached: both stats, ms", took)
        took, _ = timed(lambda: self.sizes(mount, 32))
        self.note("again: both stats, ms", took)
        self.note("memory of a second mount, more than before, KiB",
                  mount.proc("VmRSS") - before)
        self.note("peak memory, KiB", mount.proc("VmHWM"))

    def part(self, layers):
        with self.publish(layers, False) as mount:
            self.part_in(mount, layers)

    def part_in(self, mount, layers):
        import numpy
        import onnxruntime

        path = mount.model("%s-%d" % (REPO_ID, layers)) / "pytorch"
        path = path / "text-generation" / FILES[0]
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.disable_prepacking", "1")
        self.note("part: GiB of data", self.sizes(mount, layers)[1] / 2**30)
        took, session = timed(lambda: onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]))
        self.note("part: session, s", took / 1000)
        ids = numpy.array([llama_layout.WORDS])
        inputs = {"input_ids": ids, "attention_mask": numpy.ones_like(ids)}
        took, _ = timed(lambda: session.run(None, inputs))
        self.note("part: first run, s", took / 1000)
        took, _ = timed(lambda: session.run(None, inputs))
        self.note("part: second run, s", took / 1000)
        self.note("part: peak memory of the daemon, KiB",
                  mount.proc("VmHWM"))

    def print(self):
        for name, values in self.rows.items():
            kept = max(values) if "emory" in name else statistics.median(values)
            print("%-48s %14.1f   (%s)" % (
                name, kept, " ".join("%.1f" % v for v in values)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", default=None)
    parser.add_argument("--layers", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work) as work:
        bench = Bench(pathlib.Path(work))
        try:
            for _ in range(arguments.rounds):
                bench.seven()
            if arguments.layers:
                bench.part(arguments.layers)
        finally:
            bench.hub.close()
        bench.print()


if __name__ == "__main__":
    main()
