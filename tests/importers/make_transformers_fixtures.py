#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes fixtures of transformers, computed by the library itself.

    make_transformers_fixtures.py [NAME...]

Needs torch and transformers, which the tests do not.  Each line of the table
is a tiny model: the configuration of a fixture that is there, with changes.
fixtures/activations.npz is written too.
"""

import json
import pathlib
import sys
import tempfile

import numpy as np

import judge
import synth
import synth_rule
from safetensors_file import SafetensorsFile
from served import FIXTURES

LABELS = {"id2label": {str(i): "LABEL_%d" % i for i in range(3)},
          "label2id": {"LABEL_%d" % i: i for i in range(3)}}
# What a head that ignores these settings would not notice in others.
UNUSUAL = {"hidden_act": "relu", "layer_norm_eps": 1e-3}
ENDS = {
    "feature-extraction": "Model", "fill-mask": "ForMaskedLM",
    "text-classification": "ForSequenceClassification",
    "token-classification": "ForTokenClassification",
    "question-answering": "ForQuestionAnswering",
    "pretraining": "ForPreTraining",
}
CLASSES = {"albert": "Albert", "bert": "Bert", "camembert": "Camembert",
           "deberta": "Deberta", "deberta-v2": "DebertaV2",
           "distilbert": "DistilBert", "electra": "Electra", "mpnet": "MPNet",
           "roberta": "Roberta", "xlm-roberta": "XLMRoberta"}

# Of a family without a base of its own: whose inputs and sizes it has.
BASES = {"deberta": "deberta-v2-base"}
DEBERTA = {"model_type": "deberta", "type_vocab_size": 0}

# Name, family, task, changes to the configuration of the family's base.
TABLE = [
    ("albert-question-answering", "albert", "question-answering", {}),
    ("albert-token-classification", "albert", "token-classification", LABELS),
    ("albert-groups", "albert", "feature-extraction",
     {"num_hidden_layers": 4, "num_hidden_groups": 2, "inner_group_num": 2}),
    ("albert-unusual", "albert", "fill-mask", UNUSUAL),
    ("bert-unusual", "bert", "fill-mask", UNUSUAL),
    ("bert-untied", "bert", "fill-mask", {"tie_word_embeddings": False}),
    ("camembert-question-answering", "camembert", "question-answering", {}),
    ("camembert-text-classification", "camembert", "text-classification",
     LABELS),
    ("camembert-token-classification", "camembert", "token-classification",
     LABELS),
    ("deberta-base", "deberta", "feature-extraction", DEBERTA),
    ("deberta-far", "deberta", "question-answering",
     {**DEBERTA, "max_relative_positions": 6, "pos_att_type": "c2p|p2c",
      "position_biased_input": True, "layer_norm_eps": 1e-3}),
    ("deberta-fill-mask", "deberta", "fill-mask",
     {**DEBERTA, "embedding_size": 32, "pos_att_type": ["p2c"]}),
    ("deberta-text-classification", "deberta", "text-classification",
     {**DEBERTA, **LABELS, "pooler_hidden_act": "tanh",
      "pos_att_type": ["c2p"]}),
    ("deberta-v2-absolute", "deberta-v2", "feature-extraction",
     {"position_biased_input": True, "relative_attention": False}),
    ("deberta-v2-fill-mask", "deberta-v2", "fill-mask",
     {"embedding_size": 32, "hidden_act": "relu"}),
    ("deberta-v2-new-fill-mask", "deberta-v2", "fill-mask",
     {"legacy": False}),
    ("deberta-v2-unshared", "deberta-v2", "question-answering",
     {"share_att_key": False, "norm_rel_ebd": "none", "position_buckets": -1,
      "max_relative_positions": 6}),
    ("distilbert-token-classification", "distilbert", "token-classification",
     LABELS),
    ("distilbert-unusual", "distilbert", "fill-mask",
     {"activation": "relu", "layer_norm_eps": 1e-3}),
    ("electra-fill-mask", "electra", "fill-mask", {}),
    ("electra-token-classification", "electra", "token-classification",
     LABELS),
    ("electra-unprojected", "electra", "feature-extraction",
     {"embedding_size": 48}),
    ("electra-unusual", "electra", "fill-mask", UNUSUAL),
    ("electra-unusual-classes", "electra", "text-classification",
     {**UNUSUAL, **LABELS}),
    ("electra-unusual-discriminator", "electra", "pretraining", UNUSUAL),
    ("mpnet-question-answering", "mpnet", "question-answering", {}),
    ("mpnet-token-classification", "mpnet", "token-classification", LABELS),
    ("mpnet-unusual", "mpnet", "fill-mask", UNUSUAL),
    ("roberta-other-pad", "roberta", "feature-extraction",
     {"pad_token_id": 6}),
    ("roberta-token-classification", "roberta", "token-classification",
     LABELS),
    ("roberta-unusual", "roberta", "fill-mask", UNUSUAL),
    ("xlm-roberta-fill-mask", "xlm-roberta", "fill-mask", {}),
    ("xlm-roberta-question-answering", "xlm-roberta", "question-answering",
     {}),
    ("xlm-roberta-text-classification", "xlm-roberta", "text-classification",
     LABELS),
]
ACTIVATIONS = ["gelu", "gelu_10", "gelu_accurate", "gelu_fast", "gelu_new",
               "gelu_python", "gelu_python_tanh", "gelu_pytorch_tanh",
               "linear", "mish", "quick_gelu", "relu", "relu2", "relu6",
               "sigmoid", "silu", "swish", "tanh"]


def spread(name, shape):
    """Scale and offset that keep values of every layer near 1."""
    if "layernorm" in name.lower() or "layer_norm" in name:
        return (0.15, 1.0) if name.endswith("weight") else (0.1, 0.0)
    if len(shape) == 1:
        return 0.15, 0.0
    if "embeddings." in name:
        return 0.8, 0.0
    if "relative_attention_bias" in name:
        return 1.0, 0.0
    scale = (3 / shape[-1]) ** 0.5
    looks = any(part in name for part in
                ("query", "key", ".q.", ".k.", "q_lin", "k_lin"))
    return round(scale * (2 if looks else 1), 3), 0.0


def tensors_of(model):
    """The tensors that the library saves, with values of the rule."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        heads = SafetensorsFile(folder + "/model.safetensors").tensors
    found = []
    for name in sorted(heads):
        scale, offset = spread(name, heads[name]["shape"])
        found.append({"name": name, "shape": heads[name]["shape"],
                      "dtype": "F32", "scale": scale, "offset": offset})
    return found


def run(model, case):
    import torch

    inputs = {entry["name"]: torch.tensor(synth_rule.input_array(entry))
              for entry in case["inputs"]}
    with torch.no_grad():
        got = model(**inputs)
    return {name: got[name].numpy()
            for name in ("last_hidden_state", "pooler_output", "logits",
                         "start_logits", "end_logits") if name in got}


def outputs_of(model, cases):
    """The cases with outputs, and these; tolerances by the library's noise."""
    expected, judged = {}, []
    got = [run(model, case) for case in cases]
    exact = [run(model.double(), case) for case in cases]
    for number, case in enumerate(cases):
        outputs = []
        for name, value in got[number].items():
            key = name if number == 0 else "%s@%d" % (name, number)
            noise = np.abs(value - exact[number][name]).max()
            atol = max(1.2e-5 * value.std(), 10 * noise)
            outputs.append({"name": name, "shape": list(value.shape),
                            "key": key, "atol": float("%.2g" % atol),
                            "rtol": 1e-5})
            expected[key] = value
        judged.append({"inputs": case["inputs"], "outputs": outputs})
    return judged, expected


def make(name, family, task, changes):
    import transformers

    base = FIXTURES / BASES.get(family, family + "-base")
    folder = FIXTURES / name
    folder.mkdir(exist_ok=True)
    kind = getattr(transformers, CLASSES[family] + ENDS[task])
    config = json.loads((base / "config.json").read_text())
    config |= {"architectures": [kind.__name__],
               "transformers_version": transformers.__version__, **changes}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    settings = kind.config_class.from_pretrained(folder)
    spec = {"library": "transformers %s %s" % (transformers.__version__,
                                               kind.__name__),
            "family": family, "task": task, "compute": "float32",
            "files": [{"file": "model.safetensors",
                       "container": "safetensors", "tensors": "*"}],
            "tensors": tensors_of(kind(settings))}
    with tempfile.TemporaryDirectory() as repository:
        synth.write_repository(spec, folder, repository)
        model = kind.from_pretrained(repository, dtype="float32",
                                     attn_implementation="eager").eval()
        judged, expected = outputs_of(
            model, judge.cases(synth.load_spec(base)))
    spec |= judged[0] | {"extra_cases": judged[1:]}
    (folder / "spec.json").write_text(json.dumps(spec) + "\n")
    np.savez_compressed(folder / "expected.npz", **expected)


def make_activations():
    import torch
    from transformers.activations import ACT2FN

    x = np.concatenate([np.linspace(-12, 12, 481), [-1e4, -100, 100, 1e4]])
    x = x.astype(np.float32)
    kept = {name: ACT2FN[name](torch.tensor(x)).numpy()
            for name in ACTIVATIONS}
    np.savez_compressed(FIXTURES.parent / "activations.npz", x=x, **kept)


def main(names):
    unknown = set(names) - {line[0] for line in TABLE}
    if unknown:
        sys.exit("not in the table: %s" % ", ".join(sorted(unknown)))
    for line in TABLE:
        if not names or line[0] in names:
            make(*line)
    make_activations()


if __name__ == "__main__":
    main([pathlib.Path(name).name for name in sys.argv[1:]])
