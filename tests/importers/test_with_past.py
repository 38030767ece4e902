# SPDX-License-Identifier: MIT
"""Decoders of text step by step: keys and values of the tokens before.

Every fixture of text-generation has text-generation-with-past too.  Fed in
pieces, each with the past that the piece before gave, it says what the whole
text says at once; so it does for texts that are padded on the left.
"""

import json

import numpy as np
import onnx
import pytest

import dl4j_rules
import judge
import synth_rule
from served import FIXTURES, SPECS, TINY

NAMES = [name for name in TINY if SPECS[name]["task"] == "text-generation"]
TASK = "pytorch/text-generation-with-past"
PIECES = (3, 1, 1)  # tokens of the first ones; the last takes the rest

# The library chooses how positions turn by the length that it knows of.
BY_LENGTH = {"phi3-long": 8}


def path_of(served, name, form=""):
    return served.model(name) / TASK / form / "staged.onnx"


def arrays(case):
    return {entry["name"]: synth_rule.input_array(entry)
            for entry in case["inputs"]}


def cases_of(name):
    """(inputs, the expected logits, what says how near) of each case."""
    expected = np.load(FIXTURES / name / "expected.npz")
    for case in judge.cases(SPECS[name]):
        inputs = arrays(case)
        mask = inputs.get("attention_mask",
                          np.ones_like(inputs["input_ids"]))
        output, = [each for each in case["outputs"]
                   if each["name"] == "logits"]
        yield inputs["input_ids"], mask, expected[output["key"]], output


def pieces_of(name, length):
    """Where pieces end."""
    if length > BY_LENGTH.get(name, length):
        return [length]
    ends = [end for end in np.cumsum(PIECES).tolist() if end < length]
    return [*ends, length]


def no_past(session, batch):
    """A past of no tokens."""
    return {each.name: np.zeros((batch, each.shape[1], 0, each.shape[3]),
                                np.float32)
            for each in session.get_inputs() if "past" in each.name}


def step(session, inputs, past):
    """The logits, and the past for the next step."""
    got = judge.run_whole(session, inputs | past)
    logits = got.pop("logits")
    return logits, {name.replace("present.", "past_key_values."): value
                    for name, value in got.items()}


def run(session, ids, mask, positions, ends):
    past, parts, begin = no_past(session, len(ids)), [], 0
    for end in ends:
        logits, past = step(session, {
            "input_ids": ids[:, begin:end], "attention_mask": mask[:, :end],
            "position_ids": positions[:, begin:end]}, past)
        parts.append(logits)
        begin = end
        assert all(value.shape[2] == end for value in past.values())
    return np.concatenate(parts, axis=1)


def from_zero(ids):
    return np.broadcast_to(np.arange(ids.shape[1]), ids.shape)


def assert_near(got, want, mask, output):
    shown = mask.astype(bool)
    assert np.isfinite(got).all()
    _, wrong = judge.far(got[shown], want[shown], output)
    assert not wrong, np.abs(got[shown] - want[shown]).max()


def to_the_right(rows, mask):
    """Each row with its padding before it."""
    out = np.zeros_like(rows)
    for row, (values, shown) in enumerate(zip(rows, mask.astype(bool))):
        out[row, len(values) - shown.sum():] = values[shown]
    return out


@pytest.mark.parametrize("name", NAMES)
def test_pieces_are_the_whole(served, name):
    session = judge.open_session(path_of(served, name))
    for ids, mask, want, output in cases_of(name):
        length = ids.shape[1]
        for ends in ([length], pieces_of(name, length)):
            got = run(session, ids, mask, from_zero(ids), ends)
            assert_near(got, want, mask, output)


@pytest.mark.parametrize("name", NAMES)
def test_padding_on_the_left(served, name):
    session = judge.open_session(path_of(served, name))
    padded = 0
    for ids, mask, want, output in cases_of(name):
        padded += (mask == 0).sum()
        shown = to_the_right(mask, mask)
        positions = np.maximum(np.cumsum(shown, axis=1) - 1, 0)
        got = run(session, to_the_right(ids, mask), shown, positions,
                  pieces_of(name, ids.shape[1]))
        assert_near(got, to_the_right(want, mask), shown, output)
    assert padded


@pytest.mark.parametrize("name", NAMES)
def test_dl4j_form(served, name):
    """One text at a time."""
    path = path_of(served, name, "dl4j")
    session = judge.open_session(path)
    for case in cases_of(name):
        output = case[3]
        for row in range(len(case[0])):
            ids, mask, want = (each[row:row + 1] for each in case[:3])
            got = run(session, ids, mask, from_zero(ids),
                      pieces_of(name, ids.shape[1]))
            assert_near(got, want, mask, output)


@pytest.mark.parametrize("name", NAMES)
def test_dl4j_form_is_within_the_rules(served, name):
    path = path_of(served, name, "dl4j")
    onnx.checker.check_model(str(path), full_check=True)
    assert dl4j_rules.broken(onnx.load(path)) == []


def shapes(values):
    return {value.name: [dim.dim_param or dim.dim_value
                         for dim in value.type.tensor_type.shape.dim]
            for value in values}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_optimums(served, name):
    path = path_of(served, name)
    onnx.checker.check_model(str(path), full_check=True)
    graph = onnx.load(path).graph
    got, given = shapes(graph.input), shapes(graph.output)
    layers = (len(got) - 3) // 2
    new, old = "sequence_length", "past_sequence_length"
    every = "%s + %s" % (old, new)
    kv_heads, width = got["past_key_values.0.key"][1::2]
    want = {"input_ids": ["batch_size", new],
            "attention_mask": ["batch_size", every],
            "position_ids": ["batch_size", new]}
    wanted = {"logits": ["batch_size", new, given["logits"][2]]}
    for layer in range(layers):
        for what in ("key", "value"):
            want["past_key_values.%d.%s" % (layer, what)] = [
                "batch_size", kv_heads, old, width]
            wanted["present.%d.%s" % (layer, what)] = [
                "batch_size", kv_heads, every, width]
    assert got == want and given == wanted
    assert list(given) == list(wanted)


def test_info_tells_the_past(served):
    path = path_of(served, "llama")
    info = json.loads((path.parent / "info.json").read_text())
    names = [each["name"] for each in info["inputs"]]
    assert "past_key_values.1.value" in names
