# SPDX-License-Identifier: MIT
"""A torch module as an ONNX graph of opset 13 whose weights are inputs.

The weights have no bytes from the start: nothing is filled, hashed, folded or
written, so that a graph of a billion parameters costs what its nodes cost.
"""

import contextlib
import io
import logging
import warnings

import onnx
import torch
from torch.overrides import TorchFunctionMode

from torch_written_out import written_out

OPSET = 13
IR_VERSION = 7


def prepare_torch():
    """Once in a process, before any model is made."""
    warnings.filterwarnings("ignore")
    torch._C._jit_set_onnx_log_enabled(False)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)
    # Weights of one value are still two weights; only one shared by two
    # names, which has one address, is one.
    merge = torch._C._jit_pass_onnx_deduplicate_initializers
    torch._C._jit_pass_onnx_deduplicate_initializers = (
        lambda graph, values, _: merge(graph, values, True))


class Unfilled(TorchFunctionMode):
    """Inside, parameters keep whatever their memory holds: pages that are
    never written cost nothing."""

    KEPT = {"requires_grad_", "detach_"}

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if (name.endswith("_") and not name.startswith("_")
                and name not in self.KEPT and args
                and isinstance(args[0], torch.nn.Parameter)):
            return args[0]
        return function(*args, **(kwargs or {}))


def build(make):
    """The module that `make` makes, in eval mode, its parameters unfilled."""
    with torch.no_grad(), Unfilled():
        return make().eval()


def trace(subject):
    """The ModelProto of a subject; its weights are graph inputs that bear
    the names of the module's state dict."""
    file = io.BytesIO()
    with (torch.no_grad(), written_out(),
          contextlib.redirect_stdout(io.StringIO())):
        torch.onnx.export(
            subject.module, tuple(subject.inputs.values()), file,
            opset_version=OPSET, do_constant_folding=False, dynamo=False,
            training=torch.onnx.TrainingMode.PRESERVE, export_params=False,
            input_names=list(subject.inputs), output_names=subject.outputs,
            dynamic_axes={**subject.dynamic,
                          **{name: {0: "batch"} for name in subject.outputs}})
    model = onnx.load_from_string(file.getvalue())
    model.ir_version = IR_VERSION
    return model
