# SPDX-License-Identifier: MIT
"""What the style checks share: the files of the tree, C without its comments,
and how findings are told."""

import os
import re
import sys

SKIPPED_DIRS = {".git", "__pycache__", ".venv", ".cache", ".pytest_cache"}
BINARY = {".npz", ".bin", ".safetensors", ".onnx", ".pth", ".png", ".gz", ".zip",
          ".pyc", ".pkl", ".mdb"}


def files(root, *suffixes):
    """Paths below root, "/"-separated and sorted; those with a suffix, or all."""
    found = []
    for folder, dirs, names in os.walk(root):
        at = os.path.relpath(folder, root)
        dirs[:] = [d for d in dirs if d not in SKIPPED_DIRS
                   and not (at == "." and d.startswith("build"))]
        found += [os.path.normpath(os.path.join(at, n)) for n in names
                  if not suffixes or n.endswith(suffixes)]
    return sorted(found)


def sources(root):
    return files(root, ".c", ".h")


def text_files(root):
    """(path, text) of what people write; corpora and weights are data."""
    for path in files(root):
        if "/corpus/" in path or os.path.splitext(path)[1] in BINARY:
            continue
        try:
            yield path, read(root, path)
        except UnicodeDecodeError:
            continue


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text):
    """Spaces for every character but the ends of lines."""
    return re.sub(r"[^\n]", " ", text)


def code_only(text, strings=False):
    """C with comments, and literals unless asked for, blanked: places stay."""
    def one(match):
        token = match.group()
        if token[0] == "/":
            return blank(token)
        return token if strings else token[0] + blank(token[1:-1]) + token[-1]
    return TOKEN.sub(one, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


class Findings:
    def __init__(self):
        self.lines = []

    def add(self, path, line, why):
        self.lines.append((path, line, why))

    def finish(self, ratchet=0):
        """Exits 0 if there are exactly as many findings as are known.

        A ratchet is a number that may only go down: when fewer are found,
        the number in the check has to follow.
        """
        for path, line, why in sorted(self.lines):
            print("%s:%d: %s" % (path, line, why))
        count = len(self.lines)
        if count > ratchet:
            sys.exit("%d found, %d allowed" % (count, ratchet))
        if count < ratchet:
            sys.exit("only %d found: lower the ratchet from %d" % (count, ratchet))
        sys.exit(0)


def root_argument():
    if len(sys.argv) != 2:
        sys.exit("usage: %s SOURCE-ROOT" % sys.argv[0])
    return sys.argv[1]
