#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a model of the ONNX zoo as staged, in ONNX Runtime, and compares it.

    judge_zoo.py FIXTURE-FOLDER STAGED.ONNX

The outputs are those of the archive's test data.  An input that holds
weights, as old models list them, need not be given.  The status is 0 if all
is the same.
"""

import sys

import onnx

import fixture_runs
import judge as plain_judge
from fixture_runs import Wrong


def run_model(session, run, arrays):
    wanted = {entry.name for entry in session.get_inputs()}
    feed = {entry["key"]: fixture_runs.input_array(entry, arrays)
            for entry in run["inputs"] if entry["key"] in wanted}
    return session.run([output["key"] for output in run["outputs"]], feed)


def judge(fixture, path):
    """The largest difference; Wrong where something is not right."""
    spec = fixture_runs.load_spec(fixture)
    arrays = fixture_runs.load_arrays(fixture)
    onnx.checker.check_model(str(path))
    session = plain_judge.open_session(path)
    worst = 0.0
    for run in fixture_runs.runs_of(spec):
        for output, got in zip(run["outputs"],
                               run_model(session, run, arrays)):
            worst = max(worst, fixture_runs.compare(
                output, got, arrays, spec["tolerance"]))
    return worst


def assert_right(path, fixture):
    try:
        judge(fixture, path)
    except Wrong as why:
        raise AssertionError(str(why)) from why


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__)
    try:
        print("right, largest difference %.3g" % judge(*arguments))
    except Wrong as why:
        sys.exit("wrong: %s" % why)


if __name__ == "__main__":
    main(sys.argv[1:])
