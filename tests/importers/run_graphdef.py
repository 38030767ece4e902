#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a frozen graph in TensorFlow.

    run_graphdef.py STAGED.PB INPUTS.npz OUTPUTS.npz NAME...

INPUTS has arrays by "<case>/<input>", OUTPUTS gets "<case>/<NAME>".
"""

import sys

import numpy as np
import tensorflow as tf


def main(path, inputs, outputs, *names):
    with open(path, "rb") as f:
        graph_def = tf.compat.v1.GraphDef.FromString(f.read())
    given, got = np.load(inputs), {}
    cases = sorted({key.split("/")[0] for key in given.files})
    with tf.Graph().as_default():
        tf.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session() as session:
            for case in cases:
                feed = {key.split("/")[1] + ":0": given[key]
                        for key in given.files if key.startswith(case + "/")}
                values = session.run([name + ":0" for name in names], feed)
                got |= {"%s/%s" % (case, name): value
                        for name, value in zip(names, values)}
    np.savez(outputs, **got)


if __name__ == "__main__":
    main(*sys.argv[1:])
