# SPDX-License-Identifier: MIT
"""Makes the skeletons of a set one after another, each in a process of its
own, and keeps the manifest.  What is in the manifest already is not made
again, so that a batch can be stopped and taken up.
"""

import json
import os
import pathlib
import re
import resource
import signal
import sys
import time
import traceback

import onnx
import torch

import skeleton_file
from graph_tidy import Branches
from skeleton_check import Wrong, check
from skeleton_make import make
from torch_subject import Refused

SECONDS_MAX = 900
# Address space of one model's process.
BYTES_MAX = 16 << 30
# Parameters above which only the plain form is run, and nothing.
QUICK_PARAMETERS = 400_000_000
CHECKED_PARAMETERS = 680_000_000


class Set:
    """A folder of skeletons with its manifest."""

    def __init__(self, folder, libraries):
        self.folder = pathlib.Path(folder)
        self.libraries = libraries
        self.path = self.folder / "manifest.json"
        self.models = {}
        if self.path.exists():
            self.models = json.loads(self.path.read_text())["models"]

    def file(self, name, form=""):
        return self.folder / ("%s%s.onnx.gz" % (name, form))

    def put(self, name, entry):
        self.models[name] = entry
        self.folder.mkdir(parents=True, exist_ok=True)
        skeleton_file.write_manifest(self.path, self.libraries, self.models)


def library_versions(*modules):
    return {each.__name__: each.__version__.split("+")[0]
            for each in (torch, onnx, *modules)}


def parameters(module):
    return sum(each.numel() for each in module.parameters())


def judge(subject, skeleton):
    """(what was measured, why it was not all measured or None)"""
    count = parameters(subject.module)
    if count > CHECKED_PARAMETERS:
        return {}, "%.1f G parameters: not run" % (count / 1e9)
    quick = count > QUICK_PARAMETERS
    errors = check(subject, skeleton.plain, skeleton.lowered, quick)
    return errors, "%.1f G parameters: the dl4j form was not run" % (
        count / 1e9) if quick and skeleton.lowered else None


def make_one(target, name, attempts):
    """Makes, judges and writes one; gives its entry and what to log.

    `attempts` are functions that give a subject, the better ones first.
    """
    why = ""
    for attempt in attempts:
        try:
            subject = attempt()
            skeleton = make(subject, name)
            errors, unchecked = judge(subject, skeleton)
        except (Wrong, Refused, Branches) as error:
            why = why or str(error)
            continue
        except Exception as error:
            if os.environ.get("OMNIHUB_SKELETONS_TRACE"):
                traceback.print_exc()
            why = why or first_line(error)
            continue
        return write_one(target, name, skeleton, unchecked), errors
    return {"refused": why}, {}


def write_one(target, name, skeleton, unchecked):
    entry = {"plain": skeleton_file.digest(skeleton.plain),
             "nodes": skeleton.nodes}
    target.folder.mkdir(parents=True, exist_ok=True)
    skeleton_file.write(target.file(name), skeleton.plain)
    lowered = target.file(name, ".dl4j")
    if skeleton.lowered is None:
        lowered.unlink(missing_ok=True)
        entry["dl4j"] = {"refused": skeleton.refused}
    else:
        skeleton_file.write(lowered, skeleton.lowered)
        entry["dl4j"] = skeleton_file.digest(skeleton.lowered)
    if unchecked:
        entry["unchecked"] = unchecked
    return entry


def first_line(error):
    text = re.split(r"\n| *\[Caused|\. Please feel", str(error).strip())[0]
    text = text[:160]
    return "%s: %s" % (type(error).__name__, text)


def silence():
    """An exporter that gives up prints its whole graph first."""
    if not os.environ.get("OMNIHUB_SKELETONS_TRACE"):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)


def in_a_process(target, name, attempts):
    """The entry and what was measured, from a process with bounds."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        silence()
        signal.alarm(SECONDS_MAX)
        resource.setrlimit(resource.RLIMIT_AS, (BYTES_MAX, BYTES_MAX))
        result = make_one(target, name, attempts)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        os.write(writing, json.dumps([*result, memory]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if said:
        return json.loads(said)
    return [{"refused": "the export ended with %s" % (
        signal.Signals(status & 127).name if status & 127 else status)}, {}, 0]


def run(target, names, attempts_of, again=False):
    """Makes all that is not there; False if one that was named failed."""
    failed = 0
    for name in names:
        if name in target.models and not again:
            continue
        started = time.monotonic()
        entry, errors, memory = in_a_process(target, name, attempts_of(name))
        target.put(name, entry)
        failed += "refused" in entry
        print("%-44s %6.1f s %6d MiB  %s" % (
            name, time.monotonic() - started, memory,
            describe(target, name, entry, errors)), flush=True)
    return failed == 0


def describe(target, name, entry, errors):
    if "refused" in entry:
        return "REFUSED " + entry["refused"]
    said = ["%d bytes" % target.file(name).stat().st_size]
    if isinstance(entry["dl4j"], dict):
        said.append("no dl4j: " + entry["dl4j"]["refused"])
    else:
        said.append("dl4j %d bytes"
                    % target.file(name, ".dl4j").stat().st_size)
    said += ["%s %.1e" % each for each in errors.items()]
    said += [entry["unchecked"]] if "unchecked" in entry else []
    return ", ".join(said)


def main_status(done):
    sys.exit(0 if done else 1)
