# SPDX-License-Identifier: MIT
"""Repositories with code: the library's own, and what only makes the inputs,
is no reason to refuse a model.

Phi and Phi-3 came with code of their own before the library had the same;
their repositories name both still.
"""

import json

import pytest

import judge
from served import FIXTURES

OWN = [
    ("phi3", {"AutoConfig": "configuration_phi3.Phi3Config",
              "AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM",
              "AutoTokenizer": "Xenova/gpt-4o"}),
    ("phi3", {"AutoConfig": "microsoft/Phi-3-mini-4k-instruct--"
                            "configuration_phi3.Phi3Config",
              "AutoModel": "microsoft/Phi-3-mini-4k-instruct--"
                           "modeling_phi3.Phi3Model"}),
    ("phi", {"AutoConfig": "configuration_phi.PhiConfig",
             "AutoModelForCausalLM": "modeling_phi.PhiForCausalLM"}),
    ("llama", {"AutoTokenizer": ["tokenization_mine.Tokenizer", None]}),
]
FOREIGN = [
    ("phi3", {"AutoModelForCausalLM": "modeling_mine.Phi3ForCausalLM"}),
    ("phi3", {"AutoModelForCausalLM": "modeling_phi3.Phi3MoEForCausalLM"}),
    ("phi3", {"AutoModel": "me/mine--modeling_phi3.Phi3Model"}),
    ("phi3", {"AutoModel": ["modeling_phi3.Phi3Model"]}),
    ("phi", {"AutoModel": "modeling_phi3.PhiModel"}),
    ("phi3", {"Custom": "modeling_phi3.Phi3Model"}),
    ("phi3", ["modeling_phi3.Phi3Model"]),
    ("llama", {"AutoConfig": "configuration_llama.LlamaConfig"}),
]


def with_code(served, name, code, number):
    return served.model(name, "-code-%d" % number, lambda spec: dict(
        spec, config={"auto_map": code})) / "pytorch"


@pytest.mark.parametrize("name, code", OWN, ids=str)
def test_code_that_changes_nothing_is_no_reason(served, name, code):
    folder = with_code(served, name, code, OWN.index((name, code)))
    judge.assert_right(folder / "text-generation/staged.onnx",
                       FIXTURES / name)


@pytest.mark.parametrize("name, code", FOREIGN, ids=str)
def test_other_code_is_refused(served, name, code):
    number = len(OWN) + FOREIGN.index((name, code))
    folder = with_code(served, name, code, number)
    status = json.loads((folder / "staged.status").read_text())
    assert status["code"] == "remote-code"
    assert not (folder / "staged.onnx").exists()
