# SPDX-License-Identifier: MIT
"""The same weights packed, sharded and named otherwise give the same outputs,
and pickled ones are there as safetensors."""

import json
import os

import pytest

import judge
import repack
import synth_rule
from safetensors_file import SafetensorsFile
from served import FIXTURES, SPECS, TINY

PACKINGS = {
    "-bin": lambda spec: repack.packed(spec, "torch-zip"),
    "-shards": lambda spec: repack.sharded(spec, "safetensors"),
    "-bin-shards": lambda spec: repack.sharded(spec, "torch-zip"),
}
# One of each family: what is packed does not look at the task.
ONE_EACH = sorted({SPECS[name]["family"]: name for name in TINY}.values())
# Whose names have changed over the years as the fixtures' have not.
RENAMED = [name for name in TINY
           if SPECS[name]["family"] in repack.TIED]
# One of the full-size models; the others would show nothing more.
PICKLED = [(name, packing) for name in ONE_EACH
           for packing in ("-bin", "-bin-shards")]
PICKLED += [pytest.param("full-distilbert-sst2", "-bin",
                         marks=pytest.mark.slow)]
TIED = [name for name in RENAMED if SPECS[name]["task"] == "fill-mask"
        and name != "bert-untied"]


def zipped(**options):
    return lambda spec: repack.packed(spec, "torch-zip", **options)


def streamed(**options):
    return lambda spec: repack.packed(spec, "torch-legacy", **options)


# What checkpoints of several years and habits look like.
HABITS = {
    "old-zip": zipped(new_layout=False, root="archive"),
    "parameters": zipped(as_parameter=True),
    "nested": zipped(nest=["state_dict"]),
    "one-storage": lambda spec: zipped()(repack.in_one_storage(spec)),
    "stream": streamed(),
    "stream-nested": streamed(nest=["model"]),
    "stream-parameters": streamed(as_parameter=True),
    "columns": lambda spec: zipped()(repack.transposed(spec)),
    "doubles": lambda spec: repack.cast(spec, "F64"),
    "odd-offsets": lambda spec: repack.packed(
        spec, "safetensors", header_pad=False, metadata=None),
}
NAMES = {
    "old-norms": repack.old_norms,
    "prefix-changed": repack.prefix_changed,
    "buffers": repack.with_buffers,
    "old-norms-and-buffers": lambda spec: repack.old_norms(
        repack.with_buffers(spec)),
}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("name", ONE_EACH)
def test_packed_otherwise(served, name, packing):
    path = served.staged(name, packing, PACKINGS[packing])
    judge.assert_right(path, FIXTURES / name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["full-distilbert-sst2"])
def test_full_size_pickle(served, name):
    path = served.staged(name, "-bin", PACKINGS["-bin"])
    judge.assert_right(path, FIXTURES / name)


@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("name", ["bert-base", "mpnet-fill-mask",
                                  "albert-text-classification"])
def test_habits_of_writers(served, name, habit):
    path = served.staged(name, "-" + habit, HABITS[habit])
    judge.assert_right(path, FIXTURES / name)


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("name", RENAMED)
def test_named_otherwise(served, name, names):
    path = served.staged(name, "-" + names, NAMES[names])
    judge.assert_right(path, FIXTURES / name)


def tied(spec):
    return repack.packed(repack.with_tied_decoder(spec), "torch-zip")


@pytest.mark.parametrize("name", TIED)
def test_tied_decoder_saved_twice(served, name):
    """In a pickle both names have the same bytes; safetensors keep one."""
    judge.assert_right(served.staged(name, "-tied", tied), FIXTURES / name)
    folder = served.model(name, "-tied") / "safetensors"
    info = json.loads((folder / "info.json").read_text())
    kept = SafetensorsFile(folder / "model.safetensors")
    decoder = repack.TIED[SPECS[name]["family"]]
    aliases = {decoder, *info["dropped_aliases"]} | set(
        info["dropped_aliases"].values())
    assert len(info["dropped_aliases"]) == 1 and len(aliases) == 2
    assert len(aliases & set(kept.tensors)) == 1
    assert kept.metadata == {"format": "pt", **info["dropped_aliases"]}


@pytest.mark.parametrize("name, packing", PICKLED)
def test_pickled_weights_as_safetensors(served, name, packing):
    """Tensor by tensor, in the order of the official converter."""
    folder = served.model(name, packing, PACKINGS[packing])
    got = SafetensorsFile(folder / "safetensors/model.safetensors")
    info = json.loads((folder / "safetensors/info.json").read_text())
    dropped = info["dropped_aliases"]
    tensors = {tensor["name"]: tensor
               for tensor in repack.unaliased(SPECS[name])}
    assert len(got.tensors) == len(tensors)
    for key, tensor in tensors.items():
        key = dropped.get(key, key)
        head = got.tensors[key]
        assert (head["dtype"], head["shape"]) \
            == (tensor["dtype"], tensor["shape"]), key
        assert got.raw(key) == synth_rule.raw_bytes(tensor), key
    order = [(-synth_rule.DTYPES[head["dtype"]][0], key)
             for key, head in got.tensors.items()]
    assert order == sorted(order)
    assert got.metadata == {"format": "pt", **dropped}


WORDS = ["shared.weight", "encoder.embed_tokens.weight",
         "decoder.embed_tokens.weight", "lm_head.weight"]


def words_called(spec, *names):
    """Tied words under some of their names, each with bytes of its own."""
    table = next(tensor for tensor in spec["tensors"]
                 if tensor["name"].endswith(WORDS[0]))
    base = table["name"].removesuffix(WORDS[0])
    others = [tensor for tensor in spec["tensors"]
              if not tensor["name"].endswith(tuple(WORDS))]
    return dict(spec, tensors=others + [
        dict(table, seed=table.get("seed", table["name"]),
             name=name if name == WORDS[-1] else base + name)
        for name in names])


@pytest.mark.parametrize("names", [*WORDS, WORDS], ids=str)
@pytest.mark.parametrize("name", ["bart", "marian", "t5"])
def test_tied_words_under_any_of_their_names(served, name, names):
    """Writers of safetensors keep one of them, and not all the same."""
    names = [names] if isinstance(names, str) else names
    variant = "-words-%d-%s" % (len(names), names[0])
    path = served.staged(name, variant,
                         lambda spec: words_called(spec, *names))
    judge.assert_right(path, FIXTURES / name)


def test_safetensors_are_not_offered_twice(served):
    """Only pickled weights have that view."""
    assert "safetensors" not in os.listdir(served.model("bert-base"))
    pickled = served.model("bert-base", "-bin", PACKINGS["-bin"])
    assert "safetensors" in os.listdir(pickled)
