# SPDX-License-Identifier: MIT
"""Writes generated files and their manifest: the same bytes each time."""

import gzip
import hashlib
import json


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def write_gzip(path, data):
    path.write_bytes(gzip.compress(data, 9, mtime=0))


def shapes_text(shapes):
    """One line a weight, as "3x3x32x64"; the line of a scalar is empty."""
    return "".join("x".join(map(str, shape)) + "\n" for shape in shapes)


def write_manifest(path, libraries, models):
    """Sorted keys, one model a line."""
    def compact(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":"))

    lines = ["%s:%s" % (compact(key), compact(models[key]))
             for key in sorted(models)]
    path.write_text('{"format":1,"libraries":%s,"models":{\n%s\n}}\n'
                    % (compact(libraries), ",\n".join(lines)))
