# SPDX-License-Identifier: MIT
"""Judges staged models of torchvision and timm, whose ports have other names
in the fixture: they are the same by order."""

import judge
import synth


def renamed(run, spec):
    """@run with the fixture's inputs and outputs taken in their order,
    unless the graph has the output's name."""
    def run_renamed(session, inputs):
        given = [each.name for each in session.get_inputs()]
        assert len(given) == len(inputs)
        got = run(session, dict(zip(given, inputs.values())))
        wanted = [output["name"] for output in spec["outputs"]]
        if set(wanted) <= set(got):
            return got
        assert len(got) == len(wanted), sorted(got)
        return dict(zip(wanted, got.values()))

    return run_renamed


def worst(path, fixture, run=judge.run_whole):
    """The largest difference; AssertionError where it is too large."""
    verdicts = judge.judge(path, fixture,
                           renamed(run, synth.load_spec(fixture)))
    wrong = ["case %d, %s: %s" % (case, output, why)
             for case, output, _, why in verdicts if why]
    assert not wrong, "; ".join(wrong)
    return max(error for _, _, error, _ in verdicts)


assert_right = worst
