# SPDX-License-Identifier: MIT
"""A keras.applications model with random weights that mean something.

Weights drawn without care make a deep network answer the same to everything,
and then nothing wrong shows.  Here each batch normalization holds what it
would have learnt for the weights before it, so that values keep their size
to the last layer.
"""

import numpy as np

PER_CHANNEL = {"gamma": (1.0, 0.3), "beta": (0.0, 0.1), "bias": (0.0, 0.1),
               "mean": (0.45, 0.02), "variance": (0.25, 0.02),
               "moving_mean": (0.0, 0.0), "moving_variance": (1.0, 0.0),
               "count": (0, 0)}


def drawn(generator, weight):
    kind = weight.name.split("/")[-1].split(":")[0]
    shape = tuple(weight.shape)
    if kind in PER_CHANNEL:
        middle, spread = PER_CHANNEL[kind]
        return (middle + spread * generator.uniform(-1, 1, shape)).astype(
            weight.dtype.as_numpy_dtype)
    fan = np.prod(shape[:-2] if kind == "depthwise_kernel" else shape[:-1])
    value = generator.standard_normal(shape, np.float32)
    return value * np.float32(np.sqrt(2.0 / fan))


def fill(model, seed):
    """New weights for every layer, a nested model's too."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(drawn(generator, weight))


def pixels(model, size, seed):
    """Images; models that scale their input themselves take 0 to 255."""
    value = np.random.default_rng(seed).uniform(-1, 1, (2, size, size, 3))
    kinds = [type(layer).__name__ for layer in model.layers[1:2]]
    if kinds and kinds[0] in ("Rescaling", "Normalization"):
        value = (value + 1) * 127.5
    return value.astype(np.float32)


def calibrate(model, images):
    """Gives each batch normalization the statistics of @images."""
    kept = []
    for layer in model.layers:
        for name, value in (("momentum", 0.0), ("rate", 0.0)):
            if hasattr(layer, name):
                kept.append((layer, name, getattr(layer, name)))
                setattr(layer, name, value)
    model(images, training=True)
    for layer, name, value in kept:
        setattr(layer, name, value)


def prepare(model, size, seed=1):
    """Fills the model; returns images it has not seen and what it says."""
    fill(model, seed)
    for layer in model.layers:
        if type(layer).__name__ == "Normalization" and layer.weights:
            layer.finalize_state()
    calibrate(model, pixels(model, size, seed + 1))
    images = pixels(model, size, seed + 2)
    return images, np.asarray(model(images, training=False))
