#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a staged model in ONNX Runtime and compares it with the real library.

    judge.py [--rows] FIXTURE-FOLDER STAGED.ONNX

Every case of the fixture is run; --rows gives the model one sequence at a
time, for the form that takes only one.  The status is 0 if all is as the
library computed it.
"""

import pathlib
import sys

import numpy as np

import synth
import synth_rule


def open_session(path):
    import onnxruntime  # not where TensorFlow's judges run

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options,
                                        providers=["CPUExecutionProvider"])


def cases(spec):
    first = {"inputs": spec["inputs"], "outputs": spec["outputs"]}
    return [first, *spec.get("extra_cases", [])]


def run_whole(session, inputs):
    """The case as one batch; outputs by name."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))


def run_pairs(session, inputs):
    """Each text with each image, of a model whose batches are two."""
    images = [{"pixel_values": inputs["pixel_values"][i:i + 1]}
              for i in range(len(inputs["pixel_values"]))]
    texts = [{name: value[i:i + 1] for name, value in inputs.items()
              if name != "pixel_values"}
             for i in range(len(inputs["input_ids"]))]
    got = [[run_whole(session, text | image) for image in images]
           for text in texts]
    per_text = np.block([[pair["logits_per_text"] for pair in row]
                         for row in got])
    per_image = np.block([[row[i]["logits_per_image"] for row in got]
                          for i in range(len(images))])
    return {
        "logits_per_text": per_text, "logits_per_image": per_image,
        "text_embeds": np.concatenate([row[0]["text_embeds"] for row in got]),
        "image_embeds": np.concatenate([pair["image_embeds"]
                                        for pair in got[0]]),
    }


def run_rows(session, inputs):
    """Each sequence of the case by itself, the outputs put together again."""
    if {"input_ids", "pixel_values"} <= inputs.keys():
        return run_pairs(session, inputs)
    count = len(next(iter(inputs.values())))
    rows = [run_whole(session, {name: value[i:i + 1]
                                for name, value in inputs.items()})
            for i in range(count)]
    return {name: np.concatenate([row[name] for row in rows])
            for name in rows[0]}


def sentence_embedding(got, inputs):
    """The mean over what the mask shows, as long as 1: a caller's work."""
    mask = inputs["attention_mask"][:, :, None].astype(np.float32)
    total = (got["last_hidden_state"] * mask).sum(axis=1)
    mean = total / mask.sum(axis=1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def far(got, want, output):
    """The largest difference, and whether it is past the tolerance."""
    got, want = got.astype(np.float64), want.astype(np.float64)
    difference = np.abs(got - want)
    allowed = output["atol"] + output.get("rtol", 0.0) * np.abs(want)
    return difference.max(), not (difference <= allowed).all()


def sums_differ(value, output):
    """Of an output of which the fixture holds a part, the whole is summed."""
    value = value.astype(np.float64)
    each = output["atol"] + output.get("rtol", 0.0) * (
        output["abssum"] / value.size)
    limit = each * value.size
    return (abs(value.sum() - output["sum"]) > limit
            or abs(np.abs(value).sum() - output["abssum"]) > limit)


def compare(value, output, expected, inputs):
    """(largest difference or None, what is wrong or "")."""
    if list(value.shape) != output["shape"]:
        return None, "shape %s, not %s" % (list(value.shape), output["shape"])
    if not np.isfinite(value).all():
        return None, "not finite"
    if "compare_where" in output:
        mask = inputs[output["compare_where"]].astype(bool)
        mask = mask.reshape(mask.shape + (1,) * (value.ndim - mask.ndim))
        value = np.where(mask, value, np.float32(0))
    part = value
    if "slice" in output:
        part = value[tuple(slice(*piece) for piece in output["slice"])]
    error, wrong = far(part, expected[output["key"]], output)
    if wrong:
        return error, "differs by %.3g, allowed %.3g" % (error, output["atol"])
    if "sum" in output and sums_differ(value, output):
        return error, "the sum differs"
    return error, ""


def judge_case(session, case, expected, run):
    """(output, largest difference, what is wrong) of each output."""
    wanted = {each.name for each in session.get_inputs()}
    inputs = {entry["name"]: synth_rule.input_array(entry)
              for entry in case["inputs"]
              if entry["name"] in wanted or not entry.get("optional")}
    got = run(session, inputs)
    for output in case["outputs"]:
        name = output["name"]
        if name == "sentence_embedding":
            got[name] = sentence_embedding(got, inputs)
        if name not in got:
            yield name, None, "missing"
        else:
            yield name, *compare(got[name], output, expected, inputs)


def judge(path, fixture, run=run_whole):
    """(case, output, largest difference, what is wrong) of all cases.

    Those marked plain_only are of sizes that the form for one sequence, which
    has a fixed size of images, does not take.
    """
    session = open_session(path)
    expected = np.load(pathlib.Path(fixture) / "expected.npz")
    return [(number, *verdict)
            for number, case in enumerate(cases(synth.load_spec(fixture)))
            if run is run_whole or not case.get("plain_only")
            for verdict in judge_case(session, case, expected, run)]


def assert_right(path, fixture, run=run_whole):
    wrong = ["case %d, %s: %s" % (case, output, why)
             for case, output, _, why in judge(path, fixture, run) if why]
    assert not wrong, "; ".join(wrong)


def main(arguments):
    run = run_rows if "--rows" in arguments else run_whole
    paths = [each for each in arguments if each != "--rows"]
    if len(paths) != 2:
        sys.exit(__doc__)
    verdicts = judge(paths[1], paths[0], run)
    for case, output, error, why in verdicts:
        print("case %d %-24s %s" % (case, output, why or "%.3g" % error))
    return any(why for *_, why in verdicts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
