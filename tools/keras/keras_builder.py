# SPDX-License-Identifier: MIT
"""Builds a keras.applications model as it is for its published weights.

Nothing is downloaded: the function that would fetch the weights notes their
address instead.  Works with Keras 2 under either of its names.
"""

import importlib
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")


class Builder:
    def __init__(self):
        """@keras: tf_keras, or keras where that is Keras 2."""
        try:
            self.keras = importlib.import_module("tf_keras")
        except ImportError:
            self.keras = importlib.import_module("keras")
        self.sources = self.keras.__name__ + ".src"
        self.urls = []
        self._module("utils.data_utils").get_file = self._note_url
        self._module("engine.training").Model.load_weights = self._load

    def _module(self, name):
        return importlib.import_module("%s.%s" % (self.sources, name))

    def _note_url(self, _name, origin=None, **_options):
        self.urls.append(origin)
        return origin

    def _load(self, _model, *_arguments, **_options):
        pass

    def versions(self):
        import tensorflow
        return {"tensorflow": tensorflow.__version__,
                self.keras.__name__: self.keras.__version__}

    def build(self, row):
        """(model, the weights' address or None)."""
        self.keras.backend.clear_session()
        self.urls.clear()
        make = getattr(self.keras.applications, row.constructor)
        model = make(weights="imagenet" if row.published else None,
                     **row.arguments)
        return model, self.urls[-1] if row.published else None

    def config(self, model):
        """What model.save() writes as model_config, parsed again."""
        types = self._module("saving.legacy.saved_model.json_utils")
        model.use_legacy_config = True
        text = json.dumps({"class_name": type(model).__name__,
                           "config": model.get_config()},
                          default=types.get_json_type)
        return json.loads(text)

    def weights(self, model):
        """[(layer, [shape of each weight])] as model.save_weights() orders."""
        order = self._module("saving.legacy.hdf5_format")._legacy_weights
        return [(layer.name, [list(each.shape) for each in order(layer)])
                for layer in model.layers if layer.weights]
