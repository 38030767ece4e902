#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a staged GraphDef in TensorFlow and compares it with the SavedModel.

    judge_tensorflow.py FIXTURE-FOLDER STAGED.PB [SIGNATURE]

Inputs are placeholders named like the signature's, and there is no other;
outputs are nodes named like the signature's, or with "_output" where an
input has that name.  Nothing is left to restore.  The status is 0 if all is
as the SavedModel computed it.
"""

import sys

import fixture_runs
import in_tensorflow
from fixture_runs import Wrong

# A frozen graph has no variable and reads no file.
NOT_FROZEN = {"VarHandleOp", "VariableV2", "Variable", "ReadVariableOp",
              "RestoreV2", "SaveV2", "AssignVariableOp", "Assign"}
PLACEHOLDERS = {"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"}


def load_graph(path):
    import tensorflow as tf

    definition = tf.compat.v1.GraphDef()
    with open(path, "rb") as f:
        definition.ParseFromString(f.read())
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(definition, name="")
    return definition, graph


def check_frozen(definition):
    nodes = list(definition.node)
    for function in definition.library.function:
        nodes += function.node_def
    for node in nodes:
        if node.op in NOT_FROZEN:
            raise Wrong("not frozen: %s is a %s" % (node.name, node.op))


def check_inputs(definition, run):
    """The placeholders are the inputs, all of them and no other."""
    ops = {node.name: node.op for node in definition.node}
    keys = {entry["key"] for entry in run["inputs"]}
    for key in sorted(keys):
        if ops.get(key) != "Placeholder":
            raise Wrong("input %s is %s, no Placeholder" % (key, ops.get(key)))
    more = {name for name, op in ops.items() if op in PLACEHOLDERS} - keys
    if more:
        raise Wrong("placeholders that are no inputs: %s" % sorted(more))


def output_names(definition, run):
    names = {node.name for node in definition.node}
    inputs = {entry["key"] for entry in run["inputs"]}
    found = {}
    for output in run["outputs"]:
        key = output["key"]
        name = key + "_output" if key in inputs else key
        if name not in names:
            raise Wrong("there is no output %s" % name)
        found[key] = name + ":0"
    return found


def run_graph(graph, run, names, arrays):
    import tensorflow as tf

    feed = {entry["key"] + ":0": fixture_runs.input_array(entry, arrays)
            for entry in run["inputs"]}
    options = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=2,
                                       inter_op_parallelism_threads=1)
    with tf.compat.v1.Session(graph=graph, config=options) as session:
        return session.run(names, feed)


def judge(fixture, path, signature=None):
    """The largest difference; Wrong where something is not right."""
    spec = fixture_runs.load_spec(fixture)
    arrays = fixture_runs.load_arrays(fixture)
    definition, graph = load_graph(path)
    worst = 0.0
    check_frozen(definition)
    for run in fixture_runs.runs_of(spec, signature):
        check_inputs(definition, run)
        got = run_graph(graph, run, output_names(definition, run), arrays)
        for output in run["outputs"]:
            worst = max(worst, fixture_runs.compare(
                output, got[output["key"]], arrays, spec["tolerance"]))
    return worst


def assert_right(path, fixture, *signature):
    """In a process of the interpreter that has TensorFlow."""
    in_tensorflow.run("judge_tensorflow.py", fixture, path, *signature)


def main(arguments):
    if len(arguments) not in (2, 3):
        sys.exit(__doc__)
    try:
        print("right, largest difference %.3g" % judge(*arguments))
    except Wrong as why:
        sys.exit("wrong: %s" % why)


if __name__ == "__main__":
    main(sys.argv[1:])
