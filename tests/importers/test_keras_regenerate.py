# SPDX-License-Identifier: MIT
"""The generators of tools/keras make what is committed, and it is right.

OMNIHUB_TENSORFLOW_PYTHON is an interpreter with what is in
tests/requirements-tensorflow.txt; without it, it is the one that runs this.
"""

import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

import keras_data

# One of each kind of change that is made to a configuration, and of each
# kind of layer; the smallest there is.
SAMPLE = ["ConvNeXtTiny/notop", "EfficientNetB0/top", "MobileNetV2_0.35_96/top",
          "MobileNetV3Small_minimalistic_1.0/top", "NASNetMobile/notop",
          "ResNet50V2/notop", "VGG16/notop", "Xception/notop"]
JUDGED = ["EfficientNetB0/top", "MobileNetV2_0.35_96/top",
          "MobileNetV3Small_0.75/top", "NASNetMobile/top"]
# Of the largest value; Keras 2 and 3 differ by as much.
TOLERANCE = 1e-4


@pytest.mark.slow
def test_configs(tmp_path):
    keras_data.run(keras_data.tensorflow_python(), "make_configs", tmp_path,
                   *SAMPLE)
    made, kept = (keras_data.manifest(folder)
                  for folder in (tmp_path, keras_data.CONFIGS))
    assert made["libraries"] == kept["libraries"]
    for key in SAMPLE:
        entry = kept["models"][key]
        assert made["models"][key] == entry
        assert (keras_data.unpacked(tmp_path / entry["config"])
                == keras_data.unpacked(keras_data.CONFIGS / entry["config"]))


def test_skeletons(tmp_path):
    keras_data.run(sys.executable, "make_skeletons", keras_data.CONFIGS,
                   tmp_path, *SAMPLE)
    made, kept = (keras_data.manifest(folder)
                  for folder in (tmp_path, keras_data.SKELETONS))
    assert made["libraries"] == kept["libraries"]
    assert len(made["models"]) == len(SAMPLE)
    for name, entry in made["models"].items():
        assert entry == kept["models"][name]
        for end in keras_data.FORMS.values():
            assert (keras_data.unpacked(tmp_path / (name + end))
                    == keras_data.unpacked(keras_data.SKELETONS / (name + end)))


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """(folder with weights and answers, what Keras 3 said by key)"""
    folder = tmp_path_factory.mktemp("judged")
    lines = keras_data.run(keras_data.tensorflow_python(), "judge",
                           keras_data.CONFIGS, folder, *JUDGED)
    said = [json.loads(line) for line in lines if line.startswith("{")]
    return folder, {each["key"]: each for each in said}


@pytest.mark.slow
@pytest.mark.parametrize("key", JUDGED)
def test_keras_3_answers_as_keras_2(judged, key):
    assert judged[1][key]["difference"] <= TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("form", keras_data.FORMS)
@pytest.mark.parametrize("key", JUDGED)
def test_skeleton_answers_as_keras_2(judged, key, form):
    name = keras_data.models(keras_data.CONFIGS)[key]["skeleton"]
    path = keras_data.SKELETONS / (name + keras_data.FORMS[form])
    model = onnx.load_model_from_string(keras_data.unpacked(path))
    with np.load(judged[0] / (name + ".npz")) as kept:
        images, answers = kept["images"], kept["answers"]
        weights = {int(each): kept[each] for each in kept.files
                   if each.isdigit()}
    session = onnxruntime.InferenceSession(
        keras_data.bound(model, weights), providers=["CPUExecutionProvider"])
    start = session.get_inputs()[0].name
    batches = [images] if form == "plain" else [images[:1], images[1:]]
    got = np.concatenate([session.run(None, {start: batch})[0]
                          for batch in batches])
    assert got.shape == answers.shape
    worst = np.abs(got - answers).max() / np.abs(answers).max()
    assert worst <= TOLERANCE
