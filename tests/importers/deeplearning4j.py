# SPDX-License-Identifier: MIT
"""Models run by Deeplearning4j, in a Java machine beside the tests.

OMNIHUB_DL4J_CLASSPATH is what `tools/test` builds of dl4j/.  One machine
runs many models, for to start one takes seven seconds.  Its native part
aborts now and then where it did not before: such a request is asked once more,
of a new machine.  An answer, wrong or right, is never asked for again.
"""

import base64
import functools
import json
import os
import selectors
import subprocess
import tempfile

import numpy as np

VARIABLE = "OMNIHUB_DL4J_CLASSPATH"
HEAP = "-Xmx3g"
# Its work is short or native: to compile it well took more than it saved.
BRIEFLY = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
# Where it dies there is its log to tell of it.
QUIETLY = ["-XX:ErrorFile=/dev/null", "-XX:-CreateCoredumpOnCrash"]
SECONDS_MAX = 300  # of one request; the largest took 20 on a busy machine
TRIES = 2
MODELS_MAX = 40  # of one machine; after a hundred it is some times slower
LOG_TAIL = 2000


class Failed(Exception):
    """Deeplearning4j cannot read or run the model; its own words."""


class Aborted(Exception):
    """The machine ended within a request."""


def _said(array):
    array = np.ascontiguousarray(array)
    return {"dtype": array.dtype.name, "shape": list(array.shape),
            "data": base64.b64encode(array.tobytes()).decode()}


def _heard(said):
    values = np.frombuffer(base64.b64decode(said["data"]), said["dtype"])
    return values.reshape(said["shape"])


class _Machine:
    """One process of Judge."""

    def __init__(self, classpath):
        self.log = tempfile.TemporaryFile()
        reading, writing = os.pipe()
        try:
            self.process = subprocess.Popen(
                ["java", HEAP, *BRIEFLY, *QUIETLY, "-cp", classpath, "Judge",
                 "/dev/fd/%d" % writing], pass_fds=[writing],
                env=dict(os.environ, OMP_WAIT_POLICY="PASSIVE"),
                stdin=subprocess.PIPE, stdout=self.log, stderr=self.log)
        finally:
            os.close(writing)
        self.answers = os.fdopen(reading, "rb")

    def last_words(self):
        size = self.log.seek(0, os.SEEK_END)
        self.log.seek(max(0, size - LOG_TAIL))
        return self.log.read().decode(errors="replace")

    def _wait(self):
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.answers, selectors.EVENT_READ)
            if not waiting.select(SECONDS_MAX):
                raise Failed("no answer within %d s" % SECONDS_MAX)

    def ask(self, request):
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # as if it had ended while it was at work
        self._wait()
        line = self.answers.readline()
        if not line.endswith(b"\n"):
            self.process.wait()
            raise Aborted("%s; %s" % (self.process.returncode,
                                      self.last_words()))
        return json.loads(line)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.answers.close()
        self.log.close()


class Deeplearning4j:
    """Starts machines as they are needed; @aborts counts those that died."""

    def __init__(self):
        self.classpath = os.environ.get(VARIABLE)
        assert self.classpath, VARIABLE + " is not set: tools/test does"
        self.machine = None
        self.models = set()
        self.aborts = 0

    def close(self):
        if self.machine:
            self.machine.close()
            self.machine = None

    def _ask(self, request):
        for attempt in range(TRIES):
            self.machine = self.machine or _Machine(self.classpath)
            try:
                return self.machine.ask(request)
            except Aborted as why:
                self.close()
                self.aborts += 1
                said = str(why)
            except Failed:
                self.close()
                raise
        raise Failed("aborted %d times: %s" % (TRIES, said))

    def run(self, path, inputs, outputs, example=False):
        """The arrays of the names @outputs, by name; Failed.

        @example: the inputs are given when the model is imported, too.
        """
        self.models.add(path)
        if len(self.models) > MODELS_MAX:
            self.close()
            self.models = {path}
        said = self._ask({
            "model": str(path), "outputs": list(outputs), "example": example,
            "inputs": {name: _said(each) for name, each in inputs.items()}})
        if "error" in said:
            raise Failed(said["error"])
        return {name: _heard(each) for name, each in said["outputs"].items()}

    def of(self, path, **options):
        """run() of one model."""
        return functools.partial(self.run, path, **options)
