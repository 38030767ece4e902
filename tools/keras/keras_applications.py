# SPDX-License-Identifier: MIT
"""The published weights files of keras.applications: which call makes each.

A row is one file of the catalogue.  Its key is "<id>/<variant>", the
variant "top" or "notop".  "unscaled" variants are no files of the
catalogue: they are the EfficientNets for weights that are not the published
ones, as Keras builds them when it is given a file's name.
"""

from collections import namedtuple

Row = namedtuple("Row", "key constructor arguments top published renumbered")

NO_CONSTRUCTOR = "Keras has the weights file but no function that builds it"
REFUSED = {"%s/%s" % (name, variant): NO_CONSTRUCTOR
           for name in ("ResNeXt50", "ResNeXt101")
           for variant in ("top", "notop")}

# The size that a model was trained with.
SIZES = {
    "Xception": 299, "VGG16": 224, "VGG19": 224, "InceptionV3": 299,
    "InceptionResNetV2": 299, "ResNet50": 224, "ResNet101": 224,
    "ResNet152": 224, "ResNet50V2": 224, "ResNet101V2": 224,
    "ResNet152V2": 224, "DenseNet121": 224, "DenseNet169": 224,
    "DenseNet201": 224, "NASNetMobile": 224, "NASNetLarge": 331,
    "EfficientNetV2B0": 224, "EfficientNetV2B1": 240, "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300, "EfficientNetV2S": 384, "EfficientNetV2M": 480,
    "EfficientNetV2L": 480, "ConvNeXtTiny": 224, "ConvNeXtSmall": 224,
    "ConvNeXtBase": 224, "ConvNeXtLarge": 224, "ConvNeXtXLarge": 224,
}
EFFICIENTNETS = {
    "EfficientNetB0": 224, "EfficientNetB1": 240, "EfficientNetB2": 260,
    "EfficientNetB3": 300, "EfficientNetB4": 380, "EfficientNetB5": 456,
    "EfficientNetB6": 528, "EfficientNetB7": 600,
}
MOBILENET_ALPHAS = ("1.0", "0.75", "0.5", "0.25")
MOBILENET_SIZES = (224, 192, 160, 128)
MOBILENET_V2_WIDE = ("1.4", "1.3")
MOBILENET_V2_ALPHAS = ("1.0", "0.75", "0.5", "0.35")
MOBILENET_V2_SIZES = (224, 192, 160, 128, 96)
MOBILENET_V3 = (("_0.75", 0.75, False), ("_1.0", 1.0, False),
                ("_minimalistic_1.0", 1.0, True))

# Written by a Keras that counted the layers it named itself from one.
RENUMBERED = ("InceptionV3", "InceptionResNetV2", "Xception")

# Keras scales once more for the published weights alone, because their
# Normalization holds a standard deviation where the variance should be
# (tensorflow/tensorflow issue 49930).  Whoever has a file can tell by that.
SCALED = {"weight": 1, "near": [0.229, 0.224, 0.225]}


def both(name, constructor, arguments):
    for top in (True, False):
        yield Row("%s/%s" % (name, "top" if top else "notop"), constructor,
                  dict(arguments, include_top=top), top, True,
                  constructor in RENUMBERED)


def square(size):
    return {"input_shape": (size, size, 3)}


def mobilenets():
    named = [("MobileNet", alpha, size) for alpha in MOBILENET_ALPHAS
             for size in MOBILENET_SIZES]
    named += [("MobileNetV2", alpha, 224) for alpha in MOBILENET_V2_WIDE]
    named += [("MobileNetV2", alpha, size) for alpha in MOBILENET_V2_ALPHAS
              for size in MOBILENET_V2_SIZES]
    for constructor, alpha, size in named:
        yield from both("%s_%s_%d" % (constructor, alpha, size), constructor,
                        dict(square(size), alpha=float(alpha)))


def mobilenets_v3():
    """Of any size, as Keras makes them when it is told none."""
    for constructor in ("MobileNetV3Large", "MobileNetV3Small"):
        for suffix, alpha, minimal in MOBILENET_V3:
            yield from both(constructor + suffix, constructor,
                            {"alpha": alpha, "minimalistic": minimal})


def efficientnets():
    for name, size in EFFICIENTNETS.items():
        for row in both(name, name, square(size)):
            yield row
            yield row._replace(key=row.key + "-unscaled", published=False)


def rows():
    """Every row, sorted by key."""
    found = [row for name, size in SIZES.items()
             for row in both(name, name, square(size))]
    found += list(mobilenets()) + list(mobilenets_v3()) + list(efficientnets())
    return sorted(found, key=lambda row: row.key)


def condition(row):
    """What the weights must hold for this row to be theirs, and what they
    are of otherwise; None where there is no choice.
    """
    if row.published and row.constructor in EFFICIENTNETS:
        return dict(SCALED, **{"else": row.key + "-unscaled"})
    return None


def file_stem(key):
    """The name of a row's files, without what comes after it."""
    name, variant = key.split("/")
    if variant == "top":
        return name
    return name + "-" + variant.removeprefix("top-")
