# SPDX-License-Identifier: MIT
"""Each activation computes what the library's function of that name does.

The nodes between the two linear layers of a staged BERT's feed-forward part
are taken out and run by themselves.
"""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.utils import Extractor

from served import FIXTURES

EXPECTED = np.load(FIXTURES.parent / "activations.npz")
NAMES = sorted(set(EXPECTED) - {"x"})
LAYER = "encoder.layer.0."
UP, DOWN = LAYER + "intermediate.dense.weight", LAYER + "output.dense.weight"
WIDTH = 96


def activation_of(model):
    """The names of its input and its output."""
    users = {name: node for node in model.graph.node for name in node.input}
    return users[UP].output[0], users[DOWN].input[0]


def run_between(model, begin, end, x):
    part = Extractor(model).extract_model([begin], [end])
    session = onnxruntime.InferenceSession(
        part.SerializeToString(), providers=["CPUExecutionProvider"])
    rows = np.resize(x, (-(-len(x) // WIDTH), WIDTH))
    return session.run(None, {begin: rows})[0].ravel()[:len(x)]


@pytest.mark.parametrize("name", NAMES)
def test_activation(served, name):
    path = served.staged("bert-base", "-act-" + name, lambda spec: dict(
        spec, config={"hidden_act": name}))
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    begin, end = activation_of(model)
    x, want = EXPECTED["x"], EXPECTED[name]
    got = x if begin == end else run_between(model, begin, end, x)
    assert (begin == end) == (name == "linear")
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=2e-6)
