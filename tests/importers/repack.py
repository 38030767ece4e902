# SPDX-License-Identifier: MIT
"""The same model packed and named otherwise: specifications from others.

Each function takes a fixture's specification and gives another one.  Tensors
keep their values whatever they are called then: their seed is the name that
they had.
"""

BASES = {
    "albert": "albert", "beit": "beit", "bert": "bert", "camembert": "roberta",
    "clip": "clip", "clip_text_model": "text_model",
    "clip_vision_model": "vision_model", "deit": "deit",
    "dinov2": "dinov2", "dinov2_with_registers": "dinov2_with_registers",
    "distilbert": "distilbert", "electra": "electra", "mpnet": "mpnet",
    "deberta": "deberta", "deberta-v2": "deberta", "gemma": "model",
    "gpt2": "transformer", "gpt_neo": "transformer", "gpt_neox": "gpt_neox",
    "llama": "model", "mistral": "model", "opt": "model", "phi": "model",
    "phi3": "model", "qwen2": "model", "qwen3": "model",
    "roberta": "roberta", "siglip": "siglip",
    "siglip_text_model": "text_model", "siglip_vision_model": "vision_model",
    "vit": "vit", "xlm-roberta": "roberta",
    "bart": "model", "marian": "model", "mbart": "model",
    "mt5": "transformer", "pegasus": "model", "t5": "transformer",
    "umt5": "transformer", "whisper": "model",
}
PATTERNS = {
    "safetensors": ("model.safetensors", "model-%05d-of-%05d.safetensors"),
    "torch-zip": ("pytorch_model.bin", "pytorch_model-%05d-of-%05d.bin"),
}
TIED = {
    "albert": "predictions.decoder.weight",
    "bert": "cls.predictions.decoder.weight",
    "camembert": "lm_head.decoder.weight",
    "deberta": "cls.predictions.decoder.weight",
    "deberta-v2": "cls.predictions.decoder.weight",
    "distilbert": "vocab_projector.weight",
    "electra": "generator_lm_head.weight",
    "mpnet": "lm_head.decoder.weight",
    "roberta": "lm_head.decoder.weight",
    "xlm-roberta": "lm_head.decoder.weight",
}


def unaliased(spec):
    """The tensors that have bytes of their own."""
    return [tensor for tensor in spec["tensors"] if "alias_of" not in tensor]


def packed(spec, container, **options):
    """All tensors in one file; @options: what that file's entry says."""
    name = "pytorch_model.bin" if container == "torch-legacy" \
        else PATTERNS[container][0]
    entry = {"file": name, "container": container, "tensors": "*", **options}
    return dict(spec, files=[entry])


def sharded(spec, container, count=3):
    """The tensors in @count files, and the index of them.  Other names of
    the same bytes are left out, as the library does."""
    whole, pattern = PATTERNS[container]
    names = [tensor["name"] for tensor in unaliased(spec)]
    files = [{"file": pattern % (i + 1, count), "container": container,
              "tensors": names[i::count]} for i in range(count)]
    index = {"file": whole + ".index.json", "container": "index"}
    return dict(spec, files=[*files, index])


def changed(spec, change):
    """@change: a function from each tensor's entry to what it becomes."""
    return dict(spec, tensors=[change(tensor) for tensor in spec["tensors"]])


def renamed(spec, rename):
    def change(tensor):
        seed = tensor.get("seed", tensor["name"])
        made = dict(tensor, name=rename(tensor["name"]), seed=seed)
        if "alias_of" in tensor:
            made["alias_of"] = rename(tensor["alias_of"])
        return made

    return changed(spec, change)


def cast(spec, dtype):
    """Floating point tensors in another type."""
    return changed(spec, lambda tensor: dict(tensor, dtype=dtype)
                   if tensor["dtype"] == "F32" else tensor)


def transposed(spec):
    """Every matrix of a linear layer stored column by column."""
    def change(tensor):
        is_linear = len(tensor["shape"]) == 2 \
            and "embeddings." not in tensor["name"]
        return dict(tensor, transposed=True) if is_linear else tensor

    return changed(spec, change)


def in_one_storage(spec):
    return changed(spec, lambda tensor: dict(tensor, storage="all"))


def old_norms(spec):
    """Gamma and beta, as TensorFlow's checkpoints and old ones of torch."""
    def rename(name):
        if "LayerNorm" not in name and "layer_norm" not in name:
            return name
        return name.replace(".weight", ".gamma").replace(".bias", ".beta")

    return renamed(spec, rename)


def base_of(spec):
    return BASES[spec["family"]] + "."


def prefixed(spec):
    """A base model named as in a checkpoint with a head."""
    return renamed(spec, lambda name: base_of(spec) + name)


def has_prefix(spec):
    base = base_of(spec)
    return any(tensor["name"].startswith(base) for tensor in spec["tensors"])


def prefix_changed(spec):
    """The base model's prefix put before its names, or taken off them."""
    if not has_prefix(spec):
        return prefixed(spec)
    return renamed(spec, lambda name: name.removeprefix(base_of(spec)))


def with_buffers(spec):
    """Counting buffers, which old versions of the library saved."""
    base = base_of(spec) if has_prefix(spec) else ""
    name = base + "embeddings.position_ids"
    kept = [t for t in spec["tensors"] if t["name"] != name]
    buffer = {"name": name, "shape": [1, 40], "dtype": "I64", "rule": "arange"}
    return dict(spec, tensors=[*kept, buffer])


def with_head(spec, other):
    """The base model @spec within a checkpoint that has @other's head."""
    base = base_of(spec)
    head = [t for t in other["tensors"] if not t["name"].startswith(base)]
    whole = prefixed(spec)
    return dict(whole, tensors=whole["tensors"] + head)


def with_tied_decoder(spec):
    """The decoder of a masked language model saved a second time."""
    table = next(tensor for tensor in spec["tensors"]
                 if tensor["name"].endswith("word_embeddings.weight"))
    decoder = {"name": TIED[spec["family"]], "alias_of": table["name"],
               "shape": table["shape"], "dtype": table["dtype"]}
    return dict(spec, tensors=[*spec["tensors"], decoder])
