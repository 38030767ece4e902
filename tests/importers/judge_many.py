#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the judges of TensorFlow and Keras on many files in one process.

    judge_many.py JUDGE < JOBS

JUDGE is judge_tensorflow, judge_graphdef, judge_keras, or judge_tf_keras (the
same by Keras 2's package beside a newer TensorFlow).  JOBS are lists of a
judge's arguments, one in JSON a line; the answer to each is a line: what is
wrong, or null, and the largest difference.  compare_graphdefs compares two
files.  To import TensorFlow takes longer
than to judge a file.
"""

import json
import sys
import traceback

import in_tensorflow
import judge_graphdef
import judge_keras
import judge_tensorflow
from fixture_runs import Wrong

SECONDS_EACH = 5  # of a tiny model on a busy machine: 1

JUDGES = {
    "judge_tensorflow": judge_tensorflow.judge,
    "judge_graphdef": judge_graphdef.judge,
    "compare_graphdefs": judge_graphdef.compare,
    "judge_keras": judge_keras.judge,
    "judge_tf_keras": lambda *job: judge_keras.judge(*job, keras="tf_keras"),
}


def verdict(judge, job):
    try:
        return {"wrong": None, "error": judge(*job)}
    except Wrong as why:
        return {"wrong": str(why), "error": None}
    except Exception:
        return {"wrong": traceback.format_exc()[-2000:], "error": None}


def verdicts(judge, jobs):
    """One for each job, from a process of the interpreter with TensorFlow."""
    lines = [json.dumps([str(part) for part in job]) for job in jobs]
    said = in_tensorflow.run(
        "judge_many.py", judge, given="\n".join(lines),
        seconds_max=in_tensorflow.SECONDS_MAX + SECONDS_EACH * len(lines))
    found = [json.loads(line) for line in said.splitlines()
             if line.startswith('{"wrong"')]
    assert len(found) == len(lines), said
    return found


def main(arguments):
    if len(arguments) != 1:
        sys.exit(__doc__)
    judge = JUDGES[arguments[0]]
    for line in sys.stdin:
        print("\n" + json.dumps(verdict(judge, json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
