# SPDX-License-Identifier: MIT
"""What a graph of the dl4j form may hold, and why.

Deeplearning4j 1.0.0-M2.1, OpenCV 4.14 and 5.0 and tract 0.23 were given one
small graph for each operator and habit of writing it, and what they computed
was compared with ONNX Runtime.  A rule keeps a graph within what all of them
computed rightly; its reason is what went wrong without it.
"""

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

# The operators, with every attribute that has to be written out.
OPERATORS = {
    "Abs": (), "Add": (), "Div": (), "Erf": (), "Min": (), "Mul": (),
    "Relu": (), "Sigmoid": (), "Softplus": (), "Sqrt": (), "Sub": (),
    "Tanh": (), "Clip": (), "Reshape": (), "Shape": (), "Slice": (),
    "Squeeze": (), "Unsqueeze": (),
    # Of the skeletons of torchvision and timm.
    "Ceil": (), "Cos": (), "Exp": (), "Expand": (), "Floor": (), "Log": (),
    "Max": (), "Neg": (), "PRelu": (), "Selu": (), "Sin": (), "Tile": (),
    "AveragePool": ("count_include_pad", "kernel_shape", "pads", "strides"),
    "BatchNormalization": ("epsilon",),
    "Conv": ("dilations", "group", "kernel_shape", "pads", "strides"),
    "Elu": ("alpha",), "LeakyRelu": ("alpha",),
    "MaxPool": ("kernel_shape", "pads", "strides"),
    "ReduceL2": ("axes", "keepdims"), "ReduceMax": ("axes", "keepdims"),
    "ReduceSum": ("keepdims",),
    "Resize": ("coordinate_transformation_mode", "mode"),
    "Cast": ("to",),
    "Concat": ("axis",),
    "CumSum": (),
    "Gather": ("axis",),
    "Gemm": ("alpha", "beta", "transA", "transB"),
    "ReduceMean": ("axes", "keepdims"),
    "Softmax": ("axis",),
    "Transpose": ("perm",),
}
# What is taken as 0 where it is absent, and is 0 where it must be: right
# with it (of 0) and without.
EITHER_WAY = {"AveragePool": {"count_include_pad"}}
LOWEST = float(np.finfo(np.float32).min)
INITIALIZERS = {
    TensorProto.FLOAT: 4, TensorProto.DOUBLE: 8, TensorProto.INT64: 8,
}


class Graph:
    """A model with what its rules ask for: ranks, types, constants."""

    def __init__(self, model):
        self.model = model
        self.graph = model.graph
        self.initializers = {each.name: each
                             for each in self.graph.initializer}
        self.inputs = {each.name for each in self.graph.input}
        self.ranks = {name: len(each.dims)
                      for name, each in self.initializers.items()}
        self.types = {name: each.data_type
                      for name, each in self.initializers.items()}
        self.shapes = {name: tuple(each.dims)
                       for name, each in self.initializers.items()}
        self._infer()

    def _infer(self):
        light = onnx.ModelProto()
        light.CopyFrom(self.model)
        for each in light.graph.initializer:
            if len(each.raw_data) > 4096:
                each.ClearField("raw_data")
        inferred = onnx.shape_inference.infer_shapes(light).graph
        for values in (inferred.input, inferred.output, inferred.value_info):
            for value in values:
                tensor = value.type.tensor_type
                self.types[value.name] = tensor.elem_type
                if tensor.HasField("shape"):
                    self.ranks[value.name] = len(tensor.shape.dim)
                    self.shapes[value.name] = tuple(
                        dim.dim_value for dim in tensor.shape.dim)

    def nodes(self, *operators):
        return [node for node in self.graph.node if node.op_type in operators]

    def constant(self, name):
        """The numbers of an initializer as a list; None for a computed one."""
        if name not in self.initializers:
            return None
        return numpy_helper.to_array(self.initializers[name]).ravel().tolist()


def attributes(node):
    return {each.name: onnx.helper.get_attribute_value(each)
            for each in node.attribute}


def known_operators(graph):
    return [node.op_type for node in graph.graph.node
            if node.domain or node.op_type not in OPERATORS]


def attributes_written_out(graph):
    found = []
    for node in graph.graph.node:
        free = EITHER_WAY.get(node.op_type, set())
        said = set(attributes(node))
        if said - free != set(OPERATORS.get(node.op_type, said)) - free:
            found.append(node.name)
    return found


def gemm_has_no_third_input(graph):
    return [node.name for node in graph.nodes("Gemm")
            if len(node.input) != 2 or attributes(node).get("beta") != 0]


def gemm_is_of_matrices(graph):
    return [node.name for node in graph.nodes("Gemm")
            if any(graph.ranks.get(name) != 2 for name in node.input)]


def axes_count_from_the_front(graph):
    found = []
    for node in graph.nodes("ReduceMean", "ReduceMax", "ReduceL2", "Concat",
                            "Gather"):
        said = attributes(node)
        axes = said.get("axes", [said.get("axis", -1)])
        if not axes or min(axes) < 0:
            found.append(node.name)
    return found


def softmax_is_of_the_last_axis(graph):
    return [node.name for node in graph.nodes("Softmax")
            if attributes(node).get("axis")
            not in (-1, graph.ranks.get(node.input[0], 0) - 1)]


def reshape_names_no_zero(graph):
    found = []
    whole = {node.output[0] for node in graph.nodes("Shape")}
    for node in graph.nodes("Reshape"):
        shape = graph.constant(node.input[1])
        if node.input[1] in whole:
            continue    # of another value: there is no 0
        if shape is None or 0 in shape or shape.count(-1) > 1:
            found.append(node.name)
    return found


def gather_takes_no_scalar(graph):
    return [node.name for node in graph.nodes("Gather")
            if not graph.ranks.get(node.input[1])]


def gather_of_a_vector_is_by_a_vector(graph):
    return [node.name for node in graph.nodes("Gather")
            if graph.ranks.get(node.input[0]) == 1
            and graph.ranks.get(node.input[1]) != 1]


def vectors_are_beside_vectors(graph):
    """Or beside what is known to have several elements."""
    found = []
    for node in graph.nodes("Add", "Sub", "Mul", "Div", "Min", "Max"):
        shapes = [graph.shapes.get(name) for name in node.input]
        scalar = () in shapes and ((0,) in shapes or (1,) in shapes)
        column = any(shape and len(shape) == 2 and max(shape) < 2
                     for shape in shapes)
        if scalar or column and any(shape and len(shape) == 1
                                    and shape != (1,) for shape in shapes):
            found.append(node.name)
    return found


def slice_is_of_one_axis(graph):
    found = []
    for node in graph.nodes("Slice"):
        # Steps, the fifth, may be given or not.
        axes = graph.constant(node.input[3]) if len(node.input) > 3 else None
        starts = graph.constant(node.input[1])
        if axes is None or len(axes) != 1 or axes[0] < 0 or starts is None:
            found.append(node.name)
    return found


def pools_pad_both_sides(graph):
    found = []
    for node in graph.nodes("MaxPool", "AveragePool"):
        pads = attributes(node).get("pads", [0])
        half = len(pads) // 2
        if pads[:half] != pads[half:] or (
                attributes(node).get("count_include_pad")):
            found.append(node.name)
    return found


def resize_is_of_squares(graph):
    """As far as sizes are known before it is run."""
    found = []
    for node in graph.nodes("Resize"):
        sides = [graph.shapes.get(name, ())[2:4]
                 for name in (node.input[0], node.output[0])]
        if attributes(node).get("mode") == b"cubic" or any(
                0 not in each and len(set(each)) == 2 for each in sides):
            found.append(node.name)
    return found


def convolutions_are_of_images(graph):
    return [node.name for node in graph.nodes("Conv")
            if len(attributes(node).get("kernel_shape", ())) != 2]


def unsqueeze_is_of_one_axis(graph):
    return [node.name for node in graph.nodes("Squeeze", "Unsqueeze")
            if len(graph.constant(node.input[1]) or ()) != 1]


def clip_has_both_bounds(graph):
    return [node.name for node in graph.nodes("Clip")
            if len(node.input) != 3
            or any(graph.constant(name) is None for name in node.input[1:])]


def cumsum_is_of_floats(graph):
    return [node.name for node in graph.nodes("CumSum")
            if graph.types.get(node.input[0]) != TensorProto.FLOAT
            or graph.ranks.get(node.input[1]) != 0]


def concat_has_no_constant(graph):
    return [node.name for node in graph.nodes("Concat")
            if any(name in graph.initializers for name in node.input)]


def no_number_is_the_lowest(graph):
    """But a bound of Clip, which bounds nothing then.  What lies in another
    file, weights_are_inline() sees."""
    used = {name for node in graph.graph.node for name in
            (node.input[:1] if node.op_type == "Clip" else node.input)}
    return [name for name, each in graph.initializers.items()
            if each.data_type == TensorProto.FLOAT and each.dims in ([], [1])
            and not each.external_data and name in used
            and graph.constant(name)[0] <= LOWEST]


def nothing_is_boolean(graph):
    return [name for name, kind in graph.types.items()
            if kind in (TensorProto.BOOL, TensorProto.BFLOAT16, 0)]


def doubles_are_cast(graph):
    return [node.name for node in graph.graph.node if node.op_type != "Cast"
            and any(graph.types.get(name) == TensorProto.DOUBLE
                    for name in node.input)]


def weights_are_inline(graph):
    found = []
    for name, each in graph.initializers.items():
        count = 1
        for dim in each.dims:
            count *= dim
        want = count * INITIALIZERS.get(each.data_type, 0)
        if each.external_data or not want or len(each.raw_data) != want:
            found.append(name)
    return found


def nodes_are_named_as_their_output(graph):
    return [node.name for node in graph.graph.node
            if list(node.output) != [node.name] or not node.name]


def names_are_unique(graph):
    names = [node.name for node in graph.graph.node]
    names += [*graph.inputs, *graph.initializers]
    return [name for name in set(names) if names.count(name) > 1]


def names_are_plain(graph):
    # A Resize by scales has no region of interest.
    names = [name for node in graph.graph.node
             for name in (*node.input, *node.output)
             if name or node.op_type != "Resize"]
    return [name for name in names if not name or ":" in name]


def outputs_have_shapes(graph):
    return [value.name for value in graph.graph.output
            if not value.type.tensor_type.shape.dim
            or any(not dim.dim_param and dim.dim_value < 1
                   for dim in value.type.tensor_type.shape.dim)]


def inputs_are_used(graph):
    used = {name for node in graph.graph.node for name in node.input}
    return sorted(graph.inputs - used)


def batch_is_one(graph):
    return [value.name for value in (*graph.graph.input, *graph.graph.output)
            if value.type.tensor_type.shape.dim[:1] != [
                onnx.TensorShapeProto.Dimension(dim_value=1)]]


def opset_is_13(graph):
    said = [(each.domain, each.version) for each in graph.model.opset_import]
    return [] if (said, graph.model.ir_version) == ([("", 13)], 7) else [said]


# Each rule gives the names of what breaks it.
RULES = {
    known_operators:
        "MatMul gives zeros without an error (alpha is taken as 0); Where, "
        "Split, Pad, Pow, Einsum, LayerNormalization and Gelu are not "
        "imported; Dropout, Not and TopK give wrong numbers; "
        "GlobalAveragePool writes where it must not, and ends the process "
        "sooner or later",
    attributes_written_out:
        "an absent attribute is read as 0; Transpose without perm is a null "
        "pointer, Softmax without axis takes a wrong one; a flag of CumSum "
        "that is written out is no boolean to it",
    gemm_has_no_third_input:
        "the third input is dropped, and beta = 1 adds what a reused array "
        "held before",
    gemm_is_of_matrices:
        "ranks that differ fail; batched products are computed wrongly",
    axes_count_from_the_front:
        "ReduceMean over axis -1, or over all, gives wrong numbers",
    softmax_is_of_the_last_axis:
        "other axes are taken as the last one, or flattened",
    reshape_names_no_zero: "a 0 in the shape fails the validation",
    gather_takes_no_scalar:
        "a scalar index keeps the dimension: the rank is wrong",
    gather_of_a_vector_is_by_a_vector:
        "its native part reads where nothing is, and dies",
    vectors_are_beside_vectors:
        "a scalar with a vector of one element is a matrix, a matrix of one "
        "element with a vector is a vector; and every length that is not "
        "known is one while a graph is imported",
    slice_is_of_one_axis: "the form with attributes fails; axes are inputs",
    pools_pad_both_sides:
        "the pads of one side are taken for those of both; what is counted "
        "of padding is wrong",
    resize_is_of_squares:
        "the height is taken for the width, too; cubic weights are others",
    convolutions_are_of_images: "of one dimension fails, of three has no rule",
    unsqueeze_is_of_one_axis: "of several axes only one is applied",
    clip_has_both_bounds:
        "a bound that is missing, or an attribute, fails or is ignored",
    cumsum_is_of_floats:
        "whole numbers fail in Deeplearning4j, an axis that is a vector in "
        "tract",
    concat_has_no_constant:
        "OpenCV 4.14 gives wrong numbers for a constant before the input",
    no_number_is_the_lowest:
        "Softmax makes no numbers of a row where nothing is looked at",
    nothing_is_boolean:
        "boolean constants are decoded wrongly, bfloat16 is not a number",
    doubles_are_cast: "the kernels are of float32",
    weights_are_inline:
        "weights of another file are wrong numbers without an error",
    nodes_are_named_as_their_output:
        "a node without a name has no variable",
    names_are_unique:
        "a node with the name of an input or of another tensor is taken "
        "for it",
    names_are_plain: "an input with a colon is not found again",
    outputs_have_shapes: "OpenCV asserts that an output has a shape",
    inputs_are_used: "OpenCV 4.14 asserts that an input is used",
    batch_is_one: "heads are unrolled for one sequence",
    opset_is_13: "operators changed the way they are written in others",
}


def broken(model):
    """(name of the rule, what breaks it) of every rule that is broken."""
    graph = Graph(model)
    found = []
    for rule in RULES:
        culprits = rule(graph)
        if culprits:
            found.append((rule.__name__, culprits))
    return found
