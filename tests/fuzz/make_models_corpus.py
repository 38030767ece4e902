#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Makes the seeds of fuzz_models, and its dictionary, of the fixtures of
# tests/importers: configurations, and names, types and shapes of tensors.
#
#   make_models_corpus.py TOP       TOP: the tree
import json
import pathlib
import re
import sys

SEEDS = "tests/fuzz/corpus/models/seed_"
DICTIONARY = "tests/fuzz/models.dict"
FIXTURES = "tests/importers/fixtures/transformers"
MODELS = "staging/models"
BYTES_MAX = 400_000  # of all seeds

# What is made twice or is too large: the same heads of other families, and
# models of real sizes.
LEFT_OUT = re.compile(
    r"full-|refuse-|albert-base|bert-base|deberta-base|distilbert-base|"
    r"electra-(base|unusual-)|mpnet-base|roberta-other|"
    r"(camembert|xlm-roberta)-(?!base)|(mbart|marian|pegasus)-features|"
    r"(?!bert-).*-(token-classification|question-answering)$|"
    r"(?!(bart|bert)-).*-text-classification$|albert-groups|bart-(base|untied)|"
    r"resnet-(basic|halving)|segformer-(base|rows)|marian-unshared|"
    r"(llama|gemma|phi3)-features|swin-absolute|hubert-ctc|wav2vec2-base|"
    r"(clip|siglip)-unusual|whisper-untied|(wav2vec2|hubert)-audio-.*")

def objects(value):
    """The object @value and those in it."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)


def known_keys(top):
    """All keys that some fixture's configuration has."""
    keys = set()
    for path in (top / FIXTURES).glob("*/config.json"):
        for found in objects(json.loads(path.read_text())):
            keys.update(found)
    for path in (top / "tests/importers/maths_keys").glob("*.json"):
        for cases in json.loads(path.read_text()).values():
            for case in cases:
                for key in case:
                    keys.update(key.split("."))
    return keys


def sources_of(top, family):
    """The family's file, and those whose headers it includes."""
    wanted, files = [family], set()
    while wanted:
        name = wanted.pop()
        for path in (top / MODELS).glob(f"{name}*.[ch]"):
            if path.stem not in (name, f"{name}_read") or path in files:
                continue
            files.add(path)
            wanted += re.findall(r'"staging/models/(\w+)\.h"',
                                 path.read_text())
    return files


def file_of(top, model_type):
    """The source that has the family of @model_type."""
    for path in sorted((top / MODELS).glob("*.c")):
        if f'.name = "{model_type}"' in path.read_text():
            return path.stem
    raise SystemExit(f"no family is called {model_type}")


def keys_of(top, model_type, known):
    """What the family's files may read of a configuration."""
    found = set()
    for path in sources_of(top, file_of(top, model_type)):
        text = path.read_text()
        found.update(re.findall(r'config_\w+\(\s*[^,()]+,\s*"(\w+)"', text))
        found.update(k for k in re.findall(r'"(\w+)"', text) if k in known)
    return found


def words_of(top):
    """What the sources name: no other key of a configuration is read."""
    words = set()
    for path in (top / MODELS).glob("*.[ch]"):
        words.update(re.findall(r'"(\w+)"', path.read_text()))
    return words


def with_all_keys(config, keys, words):
    """null is as missing: a place for a mutation to put something."""
    made = {key: value for key, value in config.items() if key in words}
    for key, value in made.items():
        if isinstance(value, dict) and key.endswith("_config"):
            made[key] = with_all_keys(value, keys, words)
    for key in sorted(keys - made.keys()):
        made[key] = None
    return made


def seed_of(top, fixture, known, families):
    config = json.loads((fixture / "config.json").read_text())
    spec = json.loads((fixture / "spec.json").read_text())
    family, keys = config["model_type"], set()
    if family not in families:
        keys = keys_of(top, family, known)
        families.add(family)
    # Where there is the part of another name, the library takes that.
    keys -= {"text_config_dict", "vision_config_dict"}
    return {
        "config": with_all_keys(config, keys, words_of(top)),
        "fits": True,
        "tensors": [[t["name"], t["dtype"], t["shape"]]
                    for t in spec["tensors"]],
    }


def files_of(top):
    """All that is made: path below @top -> text."""
    known = known_keys(top)
    families = set()  # of which there is a seed with all keys
    made = {}
    for fixture in sorted((top / FIXTURES).iterdir()):
        if LEFT_OUT.match(fixture.name):
            continue
        seed = seed_of(top, fixture, known, families)
        made[f"{SEEDS}{fixture.name}.json"] = json.dumps(
            seed, separators=(",", ":")) + "\n"
    total = sum(map(len, made.values()))
    if total > BYTES_MAX:
        raise SystemExit(f"{total} bytes are too many")
    made[DICTIONARY] = "".join(f'"\\"{key}\\":"\n' for key in sorted(known))
    return made


def files_there(top):
    paths = [*top.glob(SEEDS + "*"), top / DICTIONARY]
    return {str(path.relative_to(top)): path.read_text() for path in paths}


def main():
    top = pathlib.Path(sys.argv[1])
    made, there = files_of(top), files_there(top)
    for name in there.keys() - made.keys():
        (top / name).unlink()
    for name, text in made.items():
        (top / name).write_text(text)


if __name__ == "__main__":
    main()
