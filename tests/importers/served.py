# SPDX-License-Identifier: MIT
"""Fixtures as repositories of a hub, seen through a mount."""

import pathlib
import shutil

import synth

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures/transformers"
BASE_TASKS = ("feature-extraction", "image-feature-extraction",
              "sentence-similarity")
BERT = "google-bert/bert-base-uncased"
# Of the mount: what is thrown out of the cache is fetched from next door.
CACHE = ("--cache-size", "1G")

SPECS = {folder.name: synth.load_spec(folder)
         for folder in sorted(FIXTURES.iterdir())}
REFUSED = [name for name, spec in SPECS.items() if "expect" in spec]
TINY = [name for name in SPECS
        if name not in REFUSED and not name.startswith("full-")]
FULL = [name for name in SPECS if name.startswith("full-")]


def view_of(spec, framework="pytorch"):
    """Where in a model's folder the fixture's task is staged."""
    if spec["task"] in BASE_TASKS:
        return framework
    return framework + "/" + spec["task"]


def whole_bert():
    """One file for both fixtures of BERT-base.

    Each has right values only for what its task uses; the others count as
    ignored there.
    """
    base = SPECS["full-bert-base-uncased-features"]
    words = SPECS["full-bert-base-uncased"]
    pooler = {tensor["name"]: tensor for tensor in base["tensors"]
              if "pooler." in tensor["name"]}
    return dict(words, tensors=[pooler.get(tensor["name"], tensor)
                                for tensor in words["tensors"]])


class Served:
    """A hub that gets the repositories as tests ask for them, and a mount.

    Of the models of full size only the last one asked for has its files.
    """

    def __init__(self, hub, mount, folder):
        self.hub = hub
        self.mount = mount
        self.folder = folder
        self.known = set()
        self.large = None

    def _make_room(self, repo_id):
        if self.large:
            shutil.rmtree(self.folder / self.large)
            self.known.remove(self.large)
        self.large = repo_id

    def _add(self, name, repo_id, spec):
        if name in FULL:
            self._make_room(repo_id)
        files = self.folder / repo_id
        synth.write_repository(spec, FIXTURES / name, files)
        self.hub.add(repo_id, files)
        self.known.add(repo_id)

    def model(self, name, variant="", change=None):
        """The model's folder in the mount.

        @variant: what sets its name apart; @change: from the fixture's
        specification to the one that is served.
        """
        spec = SPECS[name]
        repo_id = spec.get("repo_id", "fixtures/" + name) + variant
        if repo_id not in self.known:
            if repo_id == BERT:
                name, spec = "full-bert-base-uncased", whole_bert()
            self._add(name, repo_id, change(spec) if change else spec)
        return self.mount.model(repo_id)

    def staged(self, name, *variant, form=""):
        """The staged file of the fixture's task in one form."""
        folder = self.model(name, *variant) / view_of(SPECS[name])
        return folder / form / "staged.onnx"

    def graphdef(self, name, *variant, form=""):
        """The same as TensorFlow's frozen graph."""
        folder = self.model(name, *variant)
        return folder / view_of(SPECS[name], "tensorflow") / form / "staged.pb"
