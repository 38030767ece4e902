#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a GraphDef of one input and one output gives in TensorFlow.

    judge_operators.py FOLDER

For each <name>.npy of FOLDER, the input "ids", <name>.pb is run and "result"
written as <name>.out.npy.  A line for each that cannot be run says why.
"""

import pathlib
import sys

import numpy as np

import judge_tensorflow


def run(folder, name):
    import tensorflow as tf

    _, graph = judge_tensorflow.load_graph(folder / (name + ".pb"))
    ids = np.load(folder / (name + ".npy")).astype(np.int32)
    with tf.compat.v1.Session(graph=graph) as session:
        return session.run("result:0", {"ids:0": ids})


def main(folder):
    for given in sorted(folder.glob("*.npy")):
        name = given.name[:-len(".npy")]
        try:
            np.save(folder / (name + ".out.npy"), run(folder, name))
        except Exception as why:  # whatever TensorFlow says
            print("%s: %s" % (name, str(why)[:400].replace("\n", " ")))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
