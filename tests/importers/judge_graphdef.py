#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a staged GraphDef of a transformers fixture in TensorFlow and compares
it with the real library.

    judge_graphdef.py [--rows] FIXTURE-FOLDER STAGED.PB

Inputs are placeholders of the fixture's names, ids as int32; outputs are
nodes of its outputs' names.  --rows gives the model one sequence at a time,
for the form that takes only one.  The status is 0 if all is as the library
computed it.
"""

import json
import pathlib
import sys
import types

import numpy as np

import judge as judge_onnx
import judge_tensorflow
import synth
from fixture_runs import Wrong

# What Deeplearning4j computes otherwise, and says nothing.
NOT_FOR_DL4J = {"BatchMatMulV2", "SelectV2", "Einsum"}


class Session:
    """As much of ONNX Runtime's as judge.py asks for."""

    def __init__(self, path, outputs):
        import tensorflow as tf

        self.definition, graph = judge_tensorflow.load_graph(path)
        judge_tensorflow.check_frozen(self.definition)
        options = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=2,
                                           inter_op_parallelism_threads=1)
        self.session = tf.compat.v1.Session(graph=graph, config=options)
        self.nodes = {node.name: node for node in self.definition.node}
        self.outputs = [name for name in outputs if name in self.nodes]
        self.inputs = {node.name: tf.as_dtype(node.attr["dtype"].type)
                       for node in self.definition.node
                       if node.op == "Placeholder"}
        for name in self.outputs:
            if self.nodes[name].op != "Identity":
                raise Wrong("output %s is %s" % (name, self.nodes[name].op))

    def close(self):
        self.session.close()

    def get_inputs(self):
        return [types.SimpleNamespace(name=name) for name in self.inputs]

    def get_outputs(self):
        return [types.SimpleNamespace(name=name) for name in self.outputs]

    def run(self, names, inputs):
        feed = {name + ":0": self.cast(name, inputs[name])
                for name in self.inputs}
        return self.session.run([name + ":0" for name in names], feed)

    def cast(self, name, value):
        """A serving signature's types: ids are int32."""
        wanted = "int32" if value.dtype == np.int64 else value.dtype.name
        if self.inputs[name].name != wanted:
            raise Wrong("input %s is %s" % (name, self.inputs[name].name))
        return value.astype(wanted)


def output_names(spec):
    """sentence_embedding is made by the caller, of the hidden state."""
    names = {output["name"] for case in judge_onnx.cases(spec)
             for output in case["outputs"]}
    return sorted(names - {"sentence_embedding"} | {"last_hidden_state"})


def check_dl4j(session):
    found = {node.op for node in session.nodes.values()} & NOT_FOR_DL4J
    if found:
        raise Wrong("not for Deeplearning4j: %s" % sorted(found))


def check_info(session, path):
    """info.json beside it, where it is in a mount, tells the ports."""
    info = pathlib.Path(path).parent / "info.json"
    if not info.exists():
        return
    info = json.loads(info.read_text())
    said = {each["name"]: each["dtype"] for each in info["inputs"]}
    have = {name: each.name for name, each in session.inputs.items()}
    if said != have:
        raise Wrong("inputs are %s, info.json says %s" % (have, said))
    for each in info["outputs"]:
        if each["name"] not in session.nodes:
            raise Wrong("there is no output %s" % each["name"])


def judge(fixture, path, rows=""):
    """The largest difference; Wrong where something is not right."""
    spec = synth.load_spec(fixture)
    expected = np.load(pathlib.Path(fixture) / "expected.npz")
    session = Session(path, output_names(spec))
    check_info(session, path)
    if rows:
        check_dl4j(session)
    try:
        return worst_of(session, spec, expected, rows)
    finally:
        session.close()


def worst_of(session, spec, expected, rows):
    worst = 0.0
    for number, case in enumerate(judge_onnx.cases(spec)):
        if rows and case.get("plain_only"):
            continue
        verdicts = judge_onnx.judge_case(
            session, case, expected,
            judge_onnx.run_rows if rows else judge_onnx.run_whole)
        for name, error, why in verdicts:
            if why:
                raise Wrong("case %d, %s: %s" % (number, name, why))
            worst = max(worst, error)
    return float(worst)


def compare(path, other):
    """The largest difference of two files' outputs for the same ids."""
    outputs = []
    for each in (path, other):
        session = Session(each, ["last_hidden_state"])
        ids = np.arange(12).reshape(2, 6) % 9 + 1
        outputs.append(session.run(session.outputs, {name: np.clip(
            ids, 0, 1 if name != "input_ids" else None)
            for name in session.inputs})[0])
        session.close()
    return float(np.abs(outputs[0] - outputs[1]).max())


def main(arguments):
    rows = "--rows" in arguments
    paths = [each for each in arguments if each != "--rows"]
    if len(paths) != 2:
        sys.exit(__doc__)
    try:
        print("right, largest difference %.3g"
              % judge(*paths, "rows" if rows else ""))
    except Wrong as why:
        sys.exit("wrong: %s" % why)


if __name__ == "__main__":
    main(sys.argv[1:])
