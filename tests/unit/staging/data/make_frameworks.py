#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes frameworks/: a tiny BERT as transformers 4's classes of TensorFlow
and Flax save it, whole and in shards.

    make_frameworks.py FOLDER
"""

import os
import pathlib
import shutil
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

SIZES = {"vocab_size": 5, "hidden_size": 4, "num_hidden_layers": 1,
         "num_attention_heads": 1, "intermediate_size": 6,
         "max_position_embeddings": 3, "type_vocab_size": 2}


def save(model, folder, name, **options):
    model.save_pretrained(folder / name, safe_serialization=False, **options)
    (folder / name / "config.json").unlink()
    for path in (folder / name).iterdir():
        shutil.move(path, folder / path.name)
    (folder / name).rmdir()


def main(folder):
    import transformers

    folder.mkdir(exist_ok=True)
    config = transformers.BertConfig(**SIZES)
    model = transformers.TFBertForMaskedLM(config)
    model(model.dummy_inputs)
    save(model, folder, "tf")
    save(model, folder, "tf-shards", max_shard_size=600)
    model = transformers.FlaxBertModel(config)
    save(model, folder, "flax")
    save(model, folder, "flax-shards", max_shard_size=600)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
