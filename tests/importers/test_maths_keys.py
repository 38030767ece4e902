# SPDX-License-Identifier: MIT
"""What changes the maths changes the file: other outputs, or a refusal.

maths_keys/<family>.json has for fixtures the keys of config.json that change
what is computed, each with another value that the same weights allow:

    {"gpt2": [{"layer_norm_epsilon": 0.5}, {"activation_function": "relu"}]}

A key of a nested configuration is written "text_config.hidden_act".
"""

import copy
import json
import os
import pathlib

import pytest

import judge
from served import FIXTURES, SPECS, view_of

TABLES = sorted((pathlib.Path(__file__).parent / "maths_keys").glob("*.json"))
CASES = [(fixture, change) for table in TABLES
         for fixture, changes in json.loads(table.read_text()).items()
         for change in changes]


def label(value):
    if isinstance(value, dict):
        return ",".join("%s=%s" % pair for pair in value.items())
    return value


def changed(config, change):
    """@config with the change; its own values must be others."""
    config = copy.deepcopy(config)
    for key, value in change.items():
        *outer, last = key.split(".")
        part = config
        for name in outer:
            part = part[name]
        assert part.get(last) != value, "%s is so already" % key
        part[last] = value
    return config


@pytest.mark.parametrize("fixture, change", CASES, ids=label)
def test_a_changed_key_is_seen(served, fixture, change):
    config = json.loads((FIXTURES / fixture / "config.json").read_text())
    variant = "-key-%d" % CASES.index((fixture, change))
    folder = served.model(
        fixture, variant,
        lambda spec: dict(spec, config=changed(config, change)))
    folder = folder / view_of(SPECS[fixture])
    if "staged.onnx" not in os.listdir(folder):
        status = json.loads((folder / "staged.status").read_text())
        assert status["state"] == "refused" and status["reason"].strip()
        return
    with pytest.raises(Exception, match="differs|shape|ONNXRuntimeError"):
        judge.assert_right(folder / "staged.onnx", FIXTURES / fixture)


def test_every_family_has_such_keys():
    families = {SPECS[name]["family"] for name in SPECS}
    assert families == {SPECS[fixture]["family"] for fixture, _ in CASES}
