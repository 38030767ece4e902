# SPDX-License-Identifier: MIT
"""Judges a skeleton: ONNX Runtime on it, with weights, against the library.

The weights are random, the same each time, and of sizes that keep a deep
network's values within bounds.  Nothing is written: both read one memory.
"""

import math

import numpy as np
import onnx
import onnxruntime
import torch

from skeleton_bind import holes

# Of the outputs' standard deviation.
TOLERANCE = 5e-4
# What two images' outputs have to differ by, or nothing is shown.
DIFFERENCE_MIN = 1e-3
HEAD_CLASSES = 7
# Numbers of a channel of which statistics are taken.
SAMPLES_MIN = 16
# Fewer detections would show nothing.
DETECTIONS_MIN = 2
DETECTIONS_LOST = 0.05
# What makes a class stand out of 91, and boxes and scores differ.
OF_DETECTORS = {"cls_score.weight": 8, "cls_logits.weight": 0.1,
                "bbox_reg.weight": 0.1}


class Wrong(Exception):
    """The skeleton does not compute what the library does."""


def fill(module, scale=1.0):
    """Gives every weight and statistic of a module its random values; those
    of norms are about `scale`."""
    generator = torch.Generator().manual_seed(20261125)
    parameters = {id(each) for each in module.parameters()}
    with torch.no_grad():
        for name, tensor in module.state_dict(keep_vars=True).items():
            if not tensor.is_floating_point():
                continue
            if id(tensor) in parameters or "running_" in name or (
                    name.endswith((".weight", ".bias"))):
                fill_one(name, tensor, scale, generator)


def fill_one(name, tensor, scale, generator):
    spread, middle = 0.1, 0.0
    if name.endswith("running_var"):
        spread, middle = 0.3, 1.0
    elif tensor.ndim >= 2 and math.prod(tensor.shape[1:]) > 1:
        spread = 1.7 * math.sqrt(1.5 / math.prod(tensor.shape[1:]))
    elif not name.endswith(("bias", "running_mean")):
        spread, middle = 0.2 * scale, scale
    tensor.uniform_(middle - spread, middle + spread, generator=generator)


def settle(module, inputs):
    """Takes the statistics of batch norms from the images themselves, so that
    what the images differ in reaches the outputs."""
    norms = [each for each in module.modules()
             if isinstance(each, torch.nn.modules.batchnorm._BatchNorm)
             and each.running_var is not None]
    if not norms:
        return
    momenta = [each.momentum for each in norms]
    hooks = [each.register_forward_pre_hook(learn) for each in norms]
    for each in norms:
        each.momentum = 1.0
    with torch.no_grad():
        module(*inputs.values())
    for each, momentum, hook in zip(norms, momenta, hooks):
        each.training, each.momentum = False, momentum
        hook.remove()


def learn(norm, given):
    """Of few numbers a channel, the statistics would be nothing but them."""
    norm.training = given[0].numel() // given[0].shape[1] >= SAMPLES_MIN


def images(shapes, seed):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.empty(shape).uniform_(-1.5, 1.5, generator=generator)
            for name, shape in shapes.items()}


def fewer_classes(subject):
    """A number of classes that no head of the subject has, or None."""
    kept = subject.checkpoint()
    sizes = [kept[name].shape[int(axis)] for line in subject.heads
             for name, axis in (each.rsplit(":", 1) for each in line.split())]
    return min(HEAD_CLASSES, min(sizes) - 1) or None if sizes else None


def arrays(subject, classes=None):
    """The checkpoint as arrays; its heads cut to some classes."""
    kept = {name: tensor.detach().numpy()
            for name, tensor in subject.checkpoint().items()}
    for line in subject.heads if classes else ():
        for each in line.split():
            name, axis = each.rsplit(":", 1)
            kept[name] = kept[name].take(range(classes), int(axis))
    return kept


def session(skeleton, tensors):
    """ONNX Runtime with the arrays as its weights, where they lie."""
    model = onnx.load_model_from_string(skeleton)
    for hole in holes(model):
        array = tensors[hole.external_data[0].value]
        del hole.dims[:]
        hole.dims.extend(array.shape)
    for output in model.graph.output:
        for dim in output.type.tensor_type.shape.dim:
            if dim.dim_param.startswith("="):
                dim.dim_param = "classes"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    options.add_session_config_entry("session.disable_prepacking", "1")
    given = [(hole.name, onnxruntime.OrtValue.ortvalue_from_numpy(
        np.require(tensors[hole.external_data[0].value], None, "C")))
        for hole in holes(model)]
    options.add_external_initializers(*(list(each) for each in zip(*given)))
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(skeleton, tensors, inputs):
    runtime = session(skeleton, tensors)
    names = [output.name for output in runtime.get_outputs()]
    return dict(zip(names, runtime.run(names, {
        name: tensor.numpy() for name, tensor in inputs.items()})))


def compare(got, want, what):
    """The largest difference in standard deviations, if it may be."""
    worst = 0.0
    for name, tensor in want.items():
        wanted = tensor.detach().numpy()
        if got[name].shape != wanted.shape:
            raise Wrong("%s: %s is %s, not %s" % (
                what, name, list(got[name].shape), list(wanted.shape)))
        if not np.isfinite(wanted).all():
            raise Wrong("%s: the library's %s is not finite" % (what, name))
        spread = max(float(wanted.std()), 1e-30)
        error = float(np.abs(got[name] - wanted).max()) / spread
        if not error <= TOLERANCE:
            raise Wrong("%s: %s differs by %.2g deviations" % (what, name,
                                                               error))
        worst = max(worst, error)
    return worst


def alike(outputs):
    """The outputs of which two images' are the same: they show nothing."""
    return [name for name, tensor in outputs.items()
            if not np.abs(tensor[0] - tensor[1]).max() > (
                DIFFERENCE_MIN * float(tensor.std()))]


def cut(outputs, subject, classes):
    """Outputs of a head with fewer classes: the first ones."""
    kept = {}
    for name, tensor in outputs.items():
        heads = [str(dim).startswith("=")
                 for dim in subject.output_shapes.get(name, [])]
        kept[name] = tensor[:, :classes] if any(heads) else tensor
    return kept


def check(subject, plain, lowered, quick=False):
    """{form: largest difference}; raises Wrong.

    Random weights let the image fade away in one network, and in another
    the last bits of a sum grow: then the norms' statistics are taken from the
    images, with smaller weights.
    """
    if subject.one_image:
        try:
            return judge_detector(subject, plain, 0.4)
        except Wrong:
            return judge_detector(subject, plain, 1.0)
    for scale in (1.0, 0.4):
        try:
            fill(subject.module, scale)
            return judge(subject, plain, lowered, quick, scale != 1.0)
        except Wrong:
            pass
    fill(subject.module, 0.1)
    return judge(subject, plain, lowered, quick, True)


def judge(subject, plain, lowered, quick, settled):
    """The plain form is run with two images, of another size where sizes are
    free, and with a head of a few classes; the dl4j form with one image of
    the usual size."""
    several = images({
        name: [2, *tensor.shape[1:]] for name, tensor
        in (subject.second or subject.inputs).items()}, 1)
    if settled:
        settle(subject.module, several)
    want = subject.call(several)
    if alike(want):
        raise Wrong("the outputs do not depend on the image")
    classes = fewer_classes(subject)
    got = run(plain, arrays(subject, classes), several)
    errors = {"plain": compare(got, cut(want, subject, classes), "plain")}
    if quick or not lowered:
        return errors
    one = {name: tensor[:1] for name, tensor in several.items()}
    want = {name: tensor[:1] for name, tensor in want.items()}
    if subject.second:
        one = images({name: [1, *tensor.shape[1:]]
                      for name, tensor in subject.inputs.items()}, 2)
        if settled:
            settle(subject.module, one)
        want = subject.call(one)
    errors["dl4j"] = compare(run(lowered, arrays(subject), one), want, "dl4j")
    return errors


def fill_detector(module, louder=1, scale=0.4):
    fill(module, scale)
    for name, tensor in module.named_parameters():
        tensor.data *= next((louder * factor for end, factor
                             in OF_DETECTORS.items() if name.endswith(end)), 1)


def photograph(shapes, seed):
    """An image of numbers from 0 to 1, as detectors take them."""
    return {name: tensor.abs() / 1.5
            for name, tensor in images(shapes, seed).items()}


def judge_detector(subject, plain, scale):
    """Two images, one after the other, the second of another size."""
    fill_detector(subject.module, 1, scale)
    image = photograph({name: tensor.shape for name, tensor
                        in subject.inputs.items()}, 1)
    if len(subject.call(image)["scores"]) < DETECTIONS_MIN:
        fill_detector(subject.module, 8, scale)
    worst = 0.0
    for seed, given in ((1, subject.inputs), (2, subject.second)):
        image = photograph({name: tensor.shape
                            for name, tensor in given.items()}, seed)
        want = {name: tensor.numpy()
                for name, tensor in subject.call(image).items()}
        if len(want["scores"]) < DETECTIONS_MIN:
            raise Wrong("nothing was detected in noise")
        got = run(plain, arrays(subject), image)
        worst = max(worst, compare_detections(got, want))
    return {"plain": worst}


def compare_detections(got, want):
    """The share of detections that the other has not: of two of nearly one
    score, either may come first, or be the last that is told."""
    far = np.abs(got["boxes"][:, None] - want["boxes"][None]).max(2) > 0.2
    far |= got["labels"][:, None] != want["labels"][None]
    far |= np.abs(got["scores"][:, None] - want["scores"][None]) > 1e-3
    lost = max(far.all(0).mean(), far.all(1).mean())
    if lost > DETECTIONS_LOST:
        raise Wrong("%.0f %% of the detections differ" % (100 * lost))
    return float(lost)
