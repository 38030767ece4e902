#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Loads a staged .h5 with Keras, runs it, compares it with the application.

    judge_keras.py FIXTURE-FOLDER STAGED.H5 [PACKAGE]

Keras is the one that comes with TensorFlow there, 2 or 3, or the package
"tf_keras", which is Keras 2.  The status is 0 if the model computes what the
application did.
"""

import importlib
import sys

import fixture_runs
import in_tensorflow
from fixture_runs import Wrong


def load_model(path, keras):
    return importlib.import_module(keras).models.load_model(path,
                                                            compile=False)


def judge(fixture, path, keras="keras"):
    """The largest difference; Wrong where something is not right."""
    spec = fixture_runs.load_spec(fixture)
    arrays = fixture_runs.load_arrays(fixture)
    model = load_model(path, keras)
    worst = 0.0
    for run in fixture_runs.runs_of(spec):
        inputs = [fixture_runs.input_array(entry, arrays)
                  for entry in run["inputs"]]
        # Not predict(): that would compile it, which takes much longer.
        got = model(inputs if len(inputs) > 1 else inputs[0], training=False)
        got = got if isinstance(got, (list, tuple)) else [got]
        if len(got) != len(run["outputs"]):
            raise Wrong("%d outputs" % len(got))
        for output, values in zip(run["outputs"], got):
            worst = max(worst, fixture_runs.compare(
                output, values, arrays, spec["tolerance"]))
    return worst


def assert_right(path, fixture):
    """In a process of the interpreter that has Keras."""
    in_tensorflow.run("judge_keras.py", fixture, path)


def main(arguments):
    if len(arguments) not in (2, 3):
        sys.exit(__doc__)
    try:
        print("right, largest difference %.3g" % judge(*arguments))
    except Wrong as why:
        sys.exit("wrong: %s" % why)


if __name__ == "__main__":
    main(sys.argv[1:])
