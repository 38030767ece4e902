#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Freezing a SavedModel: our program beside TensorFlow's own converter.

usage: bench_freeze.py [--command "omnihub stage {model} ..."] [--python PYTHON] [--rounds N] MODEL...

MODEL is a folder with saved_model.pb.  The command makes the staged file of
{model}, at {out} if it names it.  PYTHON (or OMNIHUB_TENSORFLOW_PYTHON) has
tensorflow: it loads the model, calls convert_variables_to_constants_v2 and
writes the result; importing tensorflow is timed apart.  Every round measures
each once; printed are the best times and the peak memory of each process.
"""

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

CONVERT = """
import json, os, resource, sys, time
start = time.monotonic()
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2)
imported = time.monotonic()
bare = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model = tf.saved_model.load(sys.argv[1])
function = model.signatures["serving_default"]
frozen = convert_variables_to_constants_v2(function)
graph = frozen.graph.as_graph_def()
with open(sys.argv[2], "wb") as out:
    out.write(graph.SerializeToString())
print(json.dumps({
    "seconds": time.monotonic() - imported,
    "import_seconds": imported - start,
    "kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    "bare_kib": bare,
    "nodes": len(graph.node),
}))
"""


def run_ours(command, model, out):
    """Seconds of the whole process, and its peak memory in KiB."""
    words = [word.replace("{model}", model).replace("{out}", out)
             for word in shlex.split(command)]
    start = time.monotonic()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    if process.returncode != 0:
        sys.exit("%s: exit %d" % (" ".join(words), process.returncode))
    return seconds, usage.ru_maxrss


def run_theirs(python, model, out):
    done = subprocess.run([python, "-c", CONVERT, model, out], check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def bench(model, args):
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "staged.pb")
        for _ in range(args.rounds):
            if args.command:
                ours.append(run_ours(args.command, model, out))
            if args.python:
                theirs.append(run_theirs(args.python, model, out))
    print(pathlib.Path(model).name)
    if ours:
        print("  ours: %.0f ms, %.1f MiB"
              % (1e3 * min(s for s, _ in ours),
                 max(kib for _, kib in ours) / 1024))
    if theirs:
        best = min(theirs, key=lambda run: run["seconds"])
        print("  convert_variables_to_constants_v2: %.1f s and %.1f s of "
              "import, %.0f MiB (%.0f after import), %d nodes"
              % (best["seconds"], best["import_seconds"], best["kib"] / 1024,
                 best["bare_kib"] / 1024, best["nodes"]))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command")
    parser.add_argument("--python",
                        default=os.environ.get("OMNIHUB_TENSORFLOW_PYTHON"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()
    for model in args.models:
        bench(model, args)


if __name__ == "__main__":
    main()
