# SPDX-License-Identifier: MIT
"""tools/skeletons makes the committed skeletons again, byte by byte.

It needs the versions of tests/requirements-torch.txt, in the interpreter that
OMNIHUB_TORCH_PYTHON names, or in this one.
"""

import gzip
import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SKELETONS = ROOT / "staging" / "skeletons"
REQUIREMENTS = ROOT / "tests" / "requirements-torch.txt"
PYTHON = os.environ.get("OMNIHUB_TORCH_PYTHON") or sys.executable
SAMPLE = {
    "torchvision": ["resnet18", "mobilenet_v2", "lraspp_mobilenet_v3_large"],
    "timm": ["resnet18", "vit_tiny_patch16_224", "convnext_atto"],
}
# Imports, and six models made and judged: 30 s on an idle machine.
SECONDS_MAX = 900


@pytest.fixture(scope="module")
def torch_python():
    """An interpreter with exactly the versions asked for."""
    wanted = dict(line.split("==")
                  for line in REQUIREMENTS.read_text().splitlines()
                  if not line.startswith("#"))
    told = subprocess.run(
        [PYTHON, "-c", "import importlib.metadata as m, json, sys\n"
         "print(json.dumps({d.name: d.version for d in m.distributions()}))"],
        capture_output=True, text=True, check=False)
    have = json.loads(told.stdout) if told.returncode == 0 else {}
    lacking = [name for name, version in wanted.items()
               if have.get(name, "").split("+")[0] != version]
    if lacking:
        pytest.fail("%s lacks %s: install tests/requirements-torch.txt, or "
                    "name another interpreter in OMNIHUB_TORCH_PYTHON"
                    % (PYTHON, ", ".join(lacking)))
    return PYTHON


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_skeletons_are_made_again(torch_python, tmp_path, name):
    subprocess.run(
        [torch_python, str(ROOT / "tools" / "skeletons" / "make"), name,
         "--out", str(tmp_path), *SAMPLE[name]],
        check=True, timeout=SECONDS_MAX)
    made = json.loads((tmp_path / name / "manifest.json").read_text())
    kept = json.loads((SKELETONS / name / "manifest.json").read_text())
    assert made["libraries"] == kept["libraries"]
    assert made["models"] == {model: kept["models"][model]
                              for model in SAMPLE[name]}
    for path in (tmp_path / name).glob("*.gz"):
        want = (SKELETONS / name / path.name).read_bytes()
        assert gzip.decompress(path.read_bytes()) == gzip.decompress(want)
