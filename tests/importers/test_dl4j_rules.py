# SPDX-License-Identifier: MIT
"""The rules of the dl4j form find what breaks them.

One thing is spoilt in a staged graph that keeps all of them.
"""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import dl4j_rules


def first(model, operator):
    return next(node for node in model.graph.node
                if node.op_type == operator)


def set_attribute(operator, name, value):
    def spoil(model):
        node = first(model, operator)
        kept = [each for each in node.attribute if each.name != name]
        del node.attribute[:]
        node.attribute.extend(kept)
        if value is not None:
            node.attribute.append(onnx.helper.make_attribute(name, value))

    return spoil


def set_constant(operator, index, values):
    """A node's input becomes another constant: @values, or a scalar."""
    def spoil(model):
        tensor = numpy_helper.from_array(np.array(values), "spoilt")
        model.graph.initializer.append(tensor)
        first(model, operator).input[index] = "spoilt"

    return spoil


def set_operator(operator, other):
    def spoil(model):
        first(model, operator).op_type = other

    return spoil


def set_node(operator, **fields):
    def spoil(model):
        for name, value in fields.items():
            setattr(first(model, operator), name, value)

    return spoil


def add_inputs(operator, *names):
    return lambda model: first(model, operator).input.extend(names)


def set_weight(**fields):
    def spoil(model):
        for name, value in fields.items():
            setattr(model.graph.initializer[-1], name, value)

    return spoil


def externally(model):
    onnx.external_data_helper.set_external_data(model.graph.initializer[-1],
                                                "weights")


def colon(model):
    node = model.graph.node[-1]
    model.graph.output[0].name = node.output[0] = node.name = "y:0"


def no_shape(model):
    model.graph.output[0].type.tensor_type.ClearField("shape")


def another_input(model):
    model.graph.input.append(onnx.helper.make_tensor_value_info(
        "spare", onnx.TensorProto.INT64, [1, "sequence_length"]))


def two_sequences(model):
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2


def another_opset(model):
    model.opset_import[0].version = 14


def whole_cumsum(model):
    """What is counted becomes whole numbers."""
    node = next(n for n in model.graph.node
                if n.name == first(model, "CumSum").input[0])
    node.op_type = "Cast"
    del node.input[1:]
    node.attribute.append(onnx.helper.make_attribute(
        "to", onnx.TensorProto.INT64))


def constant_first(model):
    first(model, "Concat").input.insert(0, model.graph.initializer[-1].name)


def unsqueeze_twice(model):
    set_operator("Reshape", "Unsqueeze")(model)
    set_constant("Unsqueeze", 1, [0, 1])(model)


def uneven_pool(model):
    set_operator("Tanh", "MaxPool")(model)
    set_attribute("MaxPool", "pads", [0, 0, 1, 1])(model)


def average_of_padding(model):
    set_operator("Tanh", "AveragePool")(model)
    for name, value in (("kernel_shape", [3, 3]), ("pads", [1, 1, 1, 1]),
                        ("strides", [1, 1]), ("count_include_pad", 1)):
        set_attribute("AveragePool", name, value)(model)


def convolution_of_a_row(model):
    set_operator("Tanh", "Conv")(model)
    set_attribute("Conv", "kernel_shape", [3])(model)


def vector_by_matrix(model):
    """The column behind the last gather is a vector again."""
    gather = next(node for node in model.graph.node if node.op_type == "Gather"
                  and any(each.op_type == "Squeeze"
                          and each.input[0] == node.output[0]
                          for each in model.graph.node))
    column = next(node for node in model.graph.node
                  if node.output[0] == gather.input[0])
    model.graph.initializer.append(
        numpy_helper.from_array(np.array([-1]), "spoilt"))
    column.input[1] = "spoilt"


def scalar_beside_ids(model):
    """Of a text of unknown length: the clip of its ids is an addition."""
    node = first(model, "Clip")
    node.op_type = "Add"
    del node.input[2:]


def column_beside_vector(model):
    """Ids as a column, times a vector."""
    node = first(model, "CumSum")
    shape = numpy_helper.from_array(np.array([-1, 1]), "column")
    row = numpy_helper.from_array(np.ones(3, np.float32), "row")
    model.graph.initializer.extend([shape, row])
    at = list(model.graph.node).index(node) + 1
    for each in (onnx.helper.make_node("Mul", ["spoilt", "row"], ["more"]),
                 onnx.helper.make_node("Reshape", [node.output[0], "column"],
                                       ["spoilt"])):
        each.name = each.output[0]
        model.graph.node.insert(at, each)


def resize(shape, **attributes):
    """Twice as large in both directions."""
    def spoil(model):
        for name, values in (("map_shape", shape), ("map_size", [
                *shape[:2], *(2 * each for each in shape[2:])])):
            model.graph.initializer.append(
                numpy_helper.from_array(np.array(values), name))
        source = first(model, "CumSum").output[0]
        for operator, inputs, more in (
                ("Reshape", [source, "map_shape"], {}),
                ("Resize", ["Reshape_map", "", "", "map_size"], attributes)):
            name = operator + "_map"
            model.graph.node.append(onnx.helper.make_node(
                operator, inputs, [name], name, **more))

    return spoil


BROKEN = [
    ("known_operators", set_operator("Gemm", "MatMul")),
    ("known_operators", set_operator("Sqrt", "Reciprocal")),
    ("known_operators", set_operator("Sqrt", "GlobalAveragePool")),
    ("attributes_written_out", set_attribute("Gemm", "transA", None)),
    ("attributes_written_out", set_attribute("Softmax", "axis", None)),
    ("attributes_written_out", set_attribute("CumSum", "reverse", 0)),
    ("gemm_has_no_third_input", set_attribute("Gemm", "beta", 1.0)),
    ("gemm_has_no_third_input", add_inputs("Gemm", "float_1")),
    ("gemm_is_of_matrices", set_constant("Gemm", 1, [[[1.0]]])),
    ("axes_count_from_the_front", set_attribute("ReduceMean", "axes", [-1])),
    ("axes_count_from_the_front", set_attribute("Concat", "axis", -1)),
    ("softmax_is_of_the_last_axis", set_attribute("Softmax", "axis", 0)),
    ("reshape_names_no_zero", set_constant("Reshape", 1, [0, -1])),
    ("gather_takes_no_scalar", set_constant("Gather", 1, 1)),
    ("gather_of_a_vector_is_by_a_vector", vector_by_matrix),
    ("vectors_are_beside_vectors", scalar_beside_ids),
    ("vectors_are_beside_vectors", column_beside_vector),
    ("slice_is_of_one_axis", set_constant("Slice", 3, [0, 1])),
    ("slice_is_of_one_axis", set_constant("Slice", 3, [-1])),
    ("pools_pad_both_sides", uneven_pool),
    ("pools_pad_both_sides", average_of_padding),
    ("attributes_written_out", set_operator("Tanh", "AveragePool")),
    ("resize_is_of_squares", resize([1, 1, 2, 3], mode="linear")),
    ("resize_is_of_squares", resize([1, 1, 3, 3], mode="cubic")),
    ("convolutions_are_of_images", convolution_of_a_row),
    ("unsqueeze_is_of_one_axis", unsqueeze_twice),
    ("unsqueeze_is_of_one_axis", set_constant("Squeeze", 1, [1, 2])),
    ("clip_has_both_bounds", set_operator("Tanh", "Clip")),
    ("cumsum_is_of_floats", set_constant("CumSum", 1, [1])),
    ("cumsum_is_of_floats", whole_cumsum),
    ("concat_has_no_constant", constant_first),
    ("no_number_is_the_lowest",
     set_constant("Sub", 0, np.finfo(np.float32).min)),
    ("nothing_is_boolean", set_operator("Abs", "IsNaN")),
    ("doubles_are_cast", set_constant("Add", 1, 1.0)),
    ("weights_are_inline", externally),
    ("weights_are_inline", set_weight(raw_data=b"")),
    ("nodes_are_named_as_their_output", set_node("Gemm", name="")),
    ("names_are_unique", set_node("Gemm", name="input_ids")),
    ("names_are_plain", colon),
    ("outputs_have_shapes", no_shape),
    ("inputs_are_used", another_input),
    ("batch_is_one", two_sequences),
    ("opset_is_13", another_opset),
]


@pytest.mark.parametrize("rule, spoil", BROKEN)
def test_rules_find_what_breaks_them(served, rule, spoil):
    """Good before, and one thing spoilt in it is found by its rule."""
    path = served.staged("mpnet-text-classification", form="dl4j")
    model = onnx.load(path)
    assert dl4j_rules.broken(model) == []
    spoil(model)
    assert rule in dict(dl4j_rules.broken(model))


def test_every_rule_is_tried():
    assert {rule for rule, _ in BROKEN} \
        == {rule.__name__ for rule in dl4j_rules.RULES}


def test_plain_form_is_not_within_the_rules(served):
    found = dict(dl4j_rules.broken(onnx.load(served.staged("bert-base"))))
    assert "MatMul" in found["known_operators"]
    assert "batch_is_one" in found
