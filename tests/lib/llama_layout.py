# SPDX-License-Identifier: MIT
"""Repositories with the layout of Llama-2-7b whose weights take no space.

Tensors, names, order and shards are those of meta-llama/Llama-2-7b-hf; the
files are sparse.  All numbers are 0 but the last norm and the rows of a few
words, so what the model says follows by hand (expected_logits()).
"""

import json
import pathlib

import numpy as np

HIDDEN, INNER, HEADS, VOCABULARY = 4096, 11008, 32, 32000
EPS = 1e-5
SHARD_BYTES = 10 * 10**9
WORDS = [0, 1, 17, 15_999, 31_999]
DTYPES = ("F16", "BF16")
BYTES = 2


def tensors(layers):
    """(name, shape) in the order of the files."""
    yield "model.embed_tokens.weight", [VOCABULARY, HIDDEN]
    for layer in range(layers):
        at = "model.layers.%d." % layer
        for name in "qkvo":
            yield at + "self_attn.%s_proj.weight" % name, [HIDDEN, HIDDEN]
        yield at + "self_attn.rotary_emb.inv_freq", [HIDDEN // HEADS // 2]
        yield at + "mlp.gate_proj.weight", [INNER, HIDDEN]
        yield at + "mlp.up_proj.weight", [INNER, HIDDEN]
        yield at + "mlp.down_proj.weight", [HIDDEN, INNER]
        yield at + "input_layernorm.weight", [HIDDEN]
        yield at + "post_attention_layernorm.weight", [HIDDEN]
    yield "model.norm.weight", [HIDDEN]
    yield "lm_head.weight", [VOCABULARY, HIDDEN]


def size(shape):
    return int(np.prod(shape)) * BYTES


def config(layers, dtype):
    return {
        "_name_or_path": "meta-llama/Llama-2-7b-hf",
        "architectures": ["LlamaForCausalLM"], "bos_token_id": 1,
        "eos_token_id": 2, "hidden_act": "silu", "hidden_size": HIDDEN,
        "initializer_range": 0.02, "intermediate_size": INNER,
        "max_position_embeddings": 4096, "model_type": "llama",
        "num_attention_heads": HEADS, "num_hidden_layers": layers,
        "num_key_value_heads": HEADS, "pretraining_tp": 1,
        "rms_norm_eps": EPS, "rope_scaling": None,
        "tie_word_embeddings": False,
        "torch_dtype": {"F16": "float16", "BF16": "bfloat16"}[dtype],
        "transformers_version": "4.31.0.dev0", "use_cache": True,
        "vocab_size": VOCABULARY}


def rows_of(name):
    """What is not 0 of a tensor: row -> numbers that both halves can say."""
    numbers = (np.arange(HIDDEN) % 31 - 15).astype(np.float32) / 16
    if name == "model.norm.weight":
        return {0: np.abs(numbers) + 1}
    if name == "model.embed_tokens.weight":
        return {word: np.roll(numbers, word) for word in WORDS}
    if name == "lm_head.weight":
        return {word: np.roll(numbers, -word) / 64 for word in WORDS}
    return {}


def halves(numbers, dtype):
    if dtype == "F16":
        return numbers.astype("<f2").tobytes()
    return (numbers.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()


def shards_of(layers):
    """Lists of (name, shape), each of a file."""
    shards, filled = [[]], 0
    for name, shape in tensors(layers):
        if filled + size(shape) > SHARD_BYTES:
            shards.append([])
            filled = 0
        shards[-1].append((name, shape))
        filled += size(shape)
    return shards


def write_shard(path, shard, dtype):
    head, at = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shard:
        head[name] = {"dtype": dtype, "shape": shape,
                      "data_offsets": [at, at + size(shape)]}
        at += size(shape)
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    begin = 8 + len(text)
    with open(path, "wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        out.truncate(begin + at)
        for name, shape in shard:
            for row, numbers in rows_of(name).items():
                out.seek(begin + head[name]["data_offsets"][0]
                         + row * size(shape[-1:]))
                out.write(halves(numbers, dtype))


def write(folder, layers=32, dtype="F16"):
    """The repository; its weight files."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config(layers, dtype)))
    shards, where = shards_of(layers), {}
    for number, shard in enumerate(shards, 1):
        name = "model-%05d-of-%05d.safetensors" % (number, len(shards))
        write_shard(folder / name, shard, dtype)
        where |= {tensor: name for tensor, _ in shard}
    total = sum(size(shape) for _, shape in tensors(layers))
    (folder / "model.safetensors.index.json").write_text(json.dumps(
        {"metadata": {"total_size": total}, "weight_map": where}, indent=2))
    return sorted(set(where.values()))


def expected_logits(ids):
    """Layers of zeros add nothing: the words, the last norm, the head."""
    words = np.zeros((VOCABULARY, HIDDEN), np.float32)
    head = np.zeros_like(words)
    for table, name in ((words, "model.embed_tokens.weight"),
                        (head, "lm_head.weight")):
        for row, numbers in rows_of(name).items():
            table[row] = numbers
    x = words[ids].astype(np.float64)
    x /= np.sqrt((x * x).mean(axis=-1, keepdims=True) + EPS)
    return x * rows_of("model.norm.weight")[0] @ head.T
