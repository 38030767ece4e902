# SPDX-License-Identifier: MIT
"""encoder_model.onnx, then decoder_model.onnx: what staged.onnx computes.

Models of an encoder and a decoder are staged both ways, named as optimum
names them: so the encoder runs once for many steps of the decoder.
"""

import json

import numpy as np
import onnx
import pytest

import dl4j_rules
import judge
import synth_rule
from served import FIXTURES, SPECS, TINY, view_of
from test_huggingface_fixtures import ports

SEQ2SEQ = [name for name in TINY
           if SPECS[name]["task"] in ("automatic-speech-recognition",
                                      "summarization", "text2text-generation",
                                      "translation")
           and any(entry["name"] == "decoder_input_ids"
                   for entry in SPECS[name]["inputs"])]
PARTS = ("encoder_model.onnx", "decoder_model.onnx")


def folder_of(served, name, form=""):
    return served.model(name) / view_of(SPECS[name]) / form


def inputs_of(case):
    return {entry["name"]: synth_rule.input_array(entry)
            for entry in case["inputs"]}


def encoders(inputs):
    return {name: value for name, value in inputs.items()
            if name != "decoder_input_ids"}


def decoders(inputs, states):
    given = {"input_ids": inputs["decoder_input_ids"],
             "encoder_hidden_states": states}
    if "attention_mask" in inputs:
        given["encoder_attention_mask"] = inputs["attention_mask"]
    return given


@pytest.mark.parametrize("form", ["", "dl4j"])
@pytest.mark.parametrize("name", SEQ2SEQ)
def test_parts_compute_what_the_whole_does(served, name, form):
    folder = folder_of(served, name, form)
    encoder, decoder = [judge.open_session(folder / part) for part in PARTS]
    expected = np.load(FIXTURES / name / "expected.npz")
    run = judge.run_rows if form else judge.run_whole
    for case in judge.cases(SPECS[name]):
        inputs = inputs_of(case)
        states = run(encoder, encoders(inputs))["last_hidden_state"]
        got = run(decoder, decoders(inputs, states))
        got["encoder_last_hidden_state"] = states
        for output in case["outputs"]:
            _, wrong = judge.compare(got[output["name"]], output, expected,
                                     inputs)
            assert not wrong, output["name"]


@pytest.mark.parametrize("name", SEQ2SEQ)
def test_parts_as_optimum_names_them(served, name):
    folder = folder_of(served, name)
    encoder, decoder = [onnx.load(folder / part).graph for part in PARTS]
    config = json.loads((FIXTURES / name / "config.json").read_text())
    width = config["d_model"]
    text = ["batch_size", "decoder_sequence_length"]
    states = ["batch_size", "encoder_sequence_length", width]
    mask = {"encoder_attention_mask": states[:2]}
    if SPECS[name]["task"] == "automatic-speech-recognition":
        frames = config["max_source_positions"]
        into = {"input_features": ["batch_size", config["num_mel_bins"],
                                   2 * frames]}
        out, mask = ["batch_size", frames, width], {}
    else:
        into = {"input_ids": states[:2], "attention_mask": states[:2]}
        out = states

    def shapes(values):
        return {port["name"]: port["shape"] for port in ports(values)}

    assert shapes(encoder.input) == into
    assert shapes(encoder.output) == {"last_hidden_state": out}
    assert shapes(decoder.input) == {
        "input_ids": text, "encoder_hidden_states": states, **mask}
    logits = shapes(decoder.output)
    assert list(logits) == ["logits"] and logits["logits"][:2] == text


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", SEQ2SEQ)
def test_parts_are_within_the_rules(served, name, part):
    for form in ("", "dl4j"):
        path = folder_of(served, name, form) / part
        onnx.checker.check_model(str(path), full_check=True)
    assert dl4j_rules.broken(onnx.load(path)) == []


def test_a_base_model_has_no_parts(served):
    """Nor has a decoder, or an encoder."""
    for name in ("bart-base", "t5-encoder", "gpt2"):
        folder = served.model(name) / view_of(SPECS[name])
        assert (folder / "staged.onnx").exists()
        assert not any((folder / part).exists() for part in PARTS)
