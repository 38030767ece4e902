#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the SavedModel that a fixture of tensorflow/ describes.

    synth_tensorflow.py FIXTURE-FOLDER OUT-FOLDER

The fixture's archive is unpacked; where the variables are too large to be
kept, they are made by the rule and held against their MD5.
"""

import gzip
import hashlib
import pathlib
import sys
import tarfile

import fixture_runs


def members(archive):
    """(path, bytes) of the files that lie in the model, and nowhere else."""
    with tarfile.open(archive) as tar:
        for member in tar:
            path = pathlib.PurePosixPath(member.name)
            if member.isfile() and not path.is_absolute() \
                    and ".." not in path.parts:
                yield path, tar.extractfile(member).read()


def write_variables(spec, fixture, out):
    """Tensors by the rule at their places, and what else is in the shard."""
    entry = spec["data_file"]
    tensors = {tensor["name"]: tensor for tensor in spec["tensors"]}
    extra = gzip.decompress((fixture / entry["extra"]).read_bytes())
    shard = bytearray(entry["size"])
    for part in entry["parts"]:
        if "tensor" in part:
            raw = fixture_runs.rule_array(tensors[part["tensor"]]).tobytes()
        else:
            raw = extra[part["extra"]:part["extra"] + part["size"]]
        shard[part["offset"]:part["offset"] + len(raw)] = raw
    assert hashlib.md5(shard).hexdigest() == entry["md5"]
    (out / entry["path"]).write_bytes(shard)


def write_model(fixture, out):
    fixture, out = pathlib.Path(fixture), pathlib.Path(out)
    spec = fixture_runs.load_spec(fixture)
    for path, content in members(fixture / spec["archive"]):
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(content)
    if "data_file" in spec:
        write_variables(spec, fixture, out)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write_model(sys.argv[1], sys.argv[2])
