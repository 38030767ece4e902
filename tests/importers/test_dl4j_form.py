# SPDX-License-Identifier: MIT
"""The form that every importer computes rightly: right, and within its rules.

It takes one sequence, so each of a fixture's sequences is run by itself.
"""

import onnx
import pytest

import dl4j_rules
import judge
import repack
from served import FIXTURES, FULL, TINY

ALL = TINY + [pytest.param(name, marks=pytest.mark.slow) for name in FULL]
ACTIVATIONS = ["gelu", "gelu_10", "gelu_new", "linear", "mish", "quick_gelu",
               "relu", "relu2", "relu6", "sigmoid", "silu", "tanh"]


def in_columns(spec):
    return repack.packed(repack.transposed(spec), "torch-zip")


def in_doubles(spec):
    return repack.cast(spec, "F64")


@pytest.mark.parametrize("name", ALL)
def test_dl4j_form_computes_what_the_library_does(served, name):
    path = served.staged(name, form="dl4j")
    judge.assert_right(path, FIXTURES / name, judge.run_rows)


@pytest.mark.parametrize("name", ALL)
def test_dl4j_form_is_within_the_rules(served, name):
    path = served.staged(name, form="dl4j")
    onnx.checker.check_model(str(path), full_check=True)
    assert dl4j_rules.broken(onnx.load(path)) == []


@pytest.mark.parametrize("change", [in_columns, in_doubles])
@pytest.mark.parametrize("name", TINY)
def test_other_weights(served, name, change):
    """Stored by columns, they need a transposition; doubles a cast."""
    path = served.staged(name, "-" + change.__name__, change, form="dl4j")
    judge.assert_right(path, FIXTURES / name, judge.run_rows)
    assert dl4j_rules.broken(onnx.load(path)) == []


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_within_the_rules(served, activation):
    path = served.staged("bert-base", "-" + activation, lambda spec: dict(
        spec, config={"hidden_act": activation}), form="dl4j")
    assert dl4j_rules.broken(onnx.load(path)) == []


def test_dl4j_is_the_default_on_demand(served, make_mount):
    """--form dl4j: the two names show the same bytes."""
    served.staged("bert-base")
    mount = make_mount(served.hub, "--form", "dl4j").start()
    folder = mount.model("fixtures/bert-base") / "pytorch"
    assert (folder / "staged.onnx").read_bytes() \
        == (folder / "dl4j/staged.onnx").read_bytes()
    assert dl4j_rules.broken(onnx.load(folder / "staged.onnx")) == []
