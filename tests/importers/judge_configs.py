#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Judges what is made of configurations of the hub, without their weights.

    judge_configs.py CONFIG.json...

Needs torch, transformers and onnxruntime in one interpreter, and omnihub in
OMNIHUB_BINARY.  Of each configuration the library makes a model, smaller in
layers, words and width and otherwise as the file says, with random weights;
that is staged, run by ONNX Runtime, and compared with the library.  A row a
file: the largest difference by the largest number, or why there is none.  The
status is 1 where a model was staged wrongly; a refusal is no failure.
"""

import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime
import torch
import transformers

LAYERS = ("num_hidden_layers", "encoder_layers", "decoder_layers", "n_layer",
          "num_layers", "num_decoder_layers")
WIDTHS = ("hidden_size", "d_model", "n_embd", "intermediate_size",
          "encoder_ffn_dim", "decoder_ffn_dim", "ffn_dim", "d_ff",
          "word_embed_proj_dim", "num_attention_heads", "num_heads",
          "encoder_attention_heads", "decoder_attention_heads",
          "num_key_value_heads")
WORDS = ("vocab_size", "decoder_vocab_size")
LAYERS_MAX, WIDTH_MAX, WORDS_MAX = 2, 1100, 2000
# Their layers are counted by other keys, too.
WHOLE = ("beit", "dinov2", "dinov2_with_registers", "whisper")
PARAMETERS_MAX = 400_000_000
TOKENS, LABELS, SAMPLES = 12, 7, 9000
WRONG = 1e-3
TASKS = {
    "ForMaskedLM": "fill-mask",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForImageClassification": "image-classification",
    "ForImageClassificationWithTeacher": "image-classification",
    "ForSemanticSegmentation": "image-segmentation",
    "ForCTC": "automatic-speech-recognition",
    "ForConditionalGeneration": "text2text-generation",
    "MTModel": "text2text-generation",
    "ForAudioClassification": "audio-classification",
}
OF_SOUND = {"text-classification": "audio-classification",
            "text2text-generation": "automatic-speech-recognition"}


def smaller(config):
    """@config with fewer of what there is many of."""
    made = copy.deepcopy(config)
    for key in LAYERS:
        if made.get(key) and made.get("model_type") not in WHOLE:
            made[key] = min(made[key], LAYERS_MAX)
    if made.get("model_type") == "gpt_neo":
        made["attention_layers"] = ["global", "local"]
        made["attention_types"] = [[["global", "local"], 1]]
    if isinstance(made.get("layer_types"), list):
        made["layer_types"] = made["layer_types"][:LAYERS_MAX]
    if made.get("num_hidden_groups", 1) > LAYERS_MAX:
        made["num_hidden_groups"] = LAYERS_MAX
    width = made.get("hidden_size") or made.get("d_model") or 0
    while isinstance(width, int) and width > WIDTH_MAX:
        width //= 2
        for key in WIDTHS:
            if made.get(key):
                made[key] = max(made[key] // 2, 1)
    for key in WORDS:
        if made.get(key):
            made[key] = min(made[key], WORDS_MAX)
    for key, value in made.items():
        if key.endswith("token_id") and value is not None:
            words = made.get("vocab_size", WORDS_MAX)
            made[key] = value if isinstance(value, int) and value < words \
                else words - 1
        elif key in ("text_config", "vision_config") and value:
            made[key] = smaller(value)
    return made


def model_of(config, folder):
    """A model of the library with random weights, saved in @folder."""
    (folder / "config.json").write_text(json.dumps(config))
    known = transformers.AutoConfig.from_pretrained(folder)
    known._attn_implementation = "eager"
    named = getattr(transformers, (config.get("architectures") or [""])[0],
                    None)
    model = named(known) if named \
        else transformers.AutoModel.from_config(known)
    model = model.float().eval()
    if sum(each.numel() for each in model.parameters()) > PARAMETERS_MAX:
        raise ValueError("too large to be run")
    computed = getattr(model, "_keys_to_ignore_on_save", None) or ()
    with torch.no_grad():
        for name, numbers in model.named_parameters():
            if name in computed:
                continue  # no weights, but sines
            noise = torch.randn_like(numbers)
            if numbers.dim() < 2:
                numbers.add_(0.1 * noise)
            else:
                numbers.copy_(1.5 * noise / numbers[0].numel() ** 0.5)
    model.tie_weights()
    model.save_pretrained(folder)
    # The library of today would say it in its own words.
    (folder / "config.json").write_text(json.dumps(config))
    return model


def task_of(config):
    name = (config.get("architectures") or [""])[0]
    task = next((task for end, task in TASKS.items() if name.endswith(end)),
                None)
    if config["model_type"] in ("whisper", "wav2vec2", "hubert"):
        return OF_SOUND.get(task, task)
    return task


def input_of(name, config):
    words = getattr(config.get_text_config(), "vocab_size", None) or WORDS_MAX
    image = getattr(config, "vision_config", config)
    if name in ("input_ids", "decoder_input_ids"):
        ids = torch.randint(3, words - 2, (2, TOKENS if name == "input_ids"
                                           else LABELS))
        ids[:, -1] = words - 1  # where CLIP looks
        return ids
    if name == "attention_mask":
        mask = torch.ones(2, TOKENS, dtype=torch.long)
        mask[1, TOKENS - 4:] = 0
        return mask
    if name == "token_type_ids":
        return torch.randint(0, max(1, config.type_vocab_size), (2, TOKENS))
    if name == "pixel_values":
        size = getattr(image, "image_size", None) or 224
        size = (size, size) if isinstance(size, int) else size
        return torch.randn(2, getattr(image, "num_channels", 3), *size)
    if name == "input_values":
        return torch.randn(2, SAMPLES)
    if name == "input_features":
        return torch.randn(2, config.num_mel_bins,
                           2 * config.max_source_positions)
    raise ValueError("the input %s is not known" % name)


def compared(want, got, seen):
    """The difference of two outputs, of tokens that are @seen."""
    if want.shape != got.shape:
        return float("inf")
    if seen is not None and want.shape[:2] == seen.shape:
        want, got = want[seen], got[seen]
    return float(np.abs(want - got).max() / max(np.abs(want).max(), 1e-6))


def judge(config, folder):
    """(what was staged, the largest difference)"""
    torch.manual_seed(0)
    model = model_of(config, folder)
    task, staged = task_of(config), folder / "staged.onnx"
    done = subprocess.run(
        [os.environ["OMNIHUB_BINARY"], "stage", "--output", str(staged),
         *(("--task", task) if task else ()), str(folder)],
        capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr.strip().replace(str(folder), "it"))
    session = onnxruntime.InferenceSession(str(staged))
    inputs = {each.name: input_of(each.name, model.config)
              for each in session.get_inputs()}
    names = [each.name for each in session.get_outputs()]
    rows = session.run(names, {name: value.numpy()
                               for name, value in inputs.items()})
    with torch.no_grad():
        right = model(**inputs, return_dict=True)
    seen = None
    if "attention_mask" in inputs and "decoder_input_ids" not in inputs:
        seen = inputs["attention_mask"].numpy().astype(bool)
    found = [compared(right[name].numpy(), got, seen)
             for name, got in zip(names, rows) if name in right]
    if not found:
        raise ValueError("the library has no such output")
    return task or "features", max(found)


def main(paths):
    wrong = 0
    for path in map(pathlib.Path, paths):
        with tempfile.TemporaryDirectory() as folder:
            try:
                config = smaller(json.loads(path.read_text()))
                what, error = judge(config, pathlib.Path(folder))
                wrong += not error < WRONG
                said = "%s %.1e%s" % (what, error, "" if error < WRONG
                                      else " WRONG")
            except Exception as why:  # of the library, for its own reasons
                said = " ".join(str(why).split())[:160]
        print("%s: %s" % (path, said), flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    main(sys.argv[1:])
