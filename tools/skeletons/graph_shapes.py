# SPDX-License-Identifier: MIT
"""The types and shapes that a node gives, from those it is given.

A dimension is a number, or a text that names it: equal texts are equal
numbers.  What ONNX infers for a node alone is asked of ONNX; the rules here
are of operators for which it forgets the names.
"""

import onnx
from onnx import TensorProto, helper

from graph_value import Value, read_value, tensor

SAME = {"Relu", "Sigmoid", "Tanh", "Erf", "Exp", "Sqrt", "Neg", "Abs", "Log",
        "Softmax", "Clip", "LeakyRelu", "Elu", "Softplus", "HardSigmoid",
        "Floor", "Ceil", "Identity", "Sin", "Cos", "Reciprocal", "Not",
        "InstanceNormalization", "CumSum", "Selu", "Round", "Sign",
        "LogSoftmax", "LRN", "ThresholdedRelu"}
BROADCAST = {"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Mod", "PRelu"}
COMPARE = {"Equal", "Less", "Greater", "And", "Or", "LessOrEqual",
           "GreaterOrEqual"}


def broadcast_dims(dims, fresh):
    """The dimension that several broadcast to."""
    wide = [dim for dim in dims if dim != 1]
    if not wide:
        return 1
    numbers = [dim for dim in wide if isinstance(dim, int)]
    if numbers:
        return numbers[0]
    return wide[0] if len(set(wide)) == 1 else fresh()


def broadcast_shapes(shapes, fresh):
    rank = max(len(shape) for shape in shapes)
    wide = [[1] * (rank - len(shape)) + list(shape) for shape in shapes]
    return [broadcast_dims(dims, fresh) for dims in zip(*wide)]


def expression(sign, a, b):
    """A number, or the name of one computed of others."""
    if isinstance(a, int) and isinstance(b, int):
        if sign == "/":
            return a // b if b > 0 <= a else None
        if sign == "%":
            return a % b if b > 0 else None
        return {"+": a + b, "-": a - b, "*": a * b}[sign]
    if sign == "*" and 0 in (a, b):
        return 0
    if (sign, b) in (("+", 0), ("-", 0), ("*", 1), ("/", 1)):
        return a
    if (sign, a) in (("+", 0), ("*", 1)):
        return b
    if sign in "+*" and str(a) > str(b):
        a, b = b, a
    if sign in "+-" and isinstance(b, int) and b < 0:
        sign, b = "-" if sign == "+" else "+", -b
    return "(%s%s%s)" % (a, sign, b)


def window_dims(node, before, kernel):
    """The spatial sizes after a convolution or a pool."""
    said, count = node.attributes, len(kernel)
    pads = said.get("pads", [0] * 2 * count)
    strides = said.get("strides", [1] * count)
    dilations = said.get("dilations", [1] * count)
    if said.get("ceil_mode") or said.get("auto_pad", "NOTSET") != "NOTSET":
        return None
    after = []
    for i, size in enumerate(before):
        span = dilations[i] * (kernel[i] - 1) + 1
        total = expression("+", size, pads[i] + pads[i + count] - span)
        after.append(expression("+", expression("/", total, strides[i]), 1))
    return None if None in after else after


def of_conv(node, values, fresh):
    x, weight = (values[name].shape for name in node.inputs[:2])
    spatial = window_dims(node, x[2:], weight[2:])
    return spatial and [x[0], weight[0], *spatial]


def of_pool(node, values, fresh):
    x = values[node.inputs[0]].shape
    spatial = window_dims(node, x[2:], node.attributes["kernel_shape"])
    return spatial and [x[0], x[1], *spatial]


def of_transpose(node, values, fresh):
    x = values[node.inputs[0]].shape
    perm = node.attributes.get("perm", range(len(x))[::-1])
    return [x[i] for i in perm]


def of_concat(node, values, fresh):
    shapes = [values[name].shape for name in node.inputs]
    axis = node.attributes["axis"] % len(shapes[0])
    after = []
    for i, dims in enumerate(zip(*shapes)):
        if i == axis:
            total = dims[0]
            for dim in dims[1:]:
                total = expression("+", total, dim)
            after.append(total)
        else:
            numbers = [dim for dim in dims if isinstance(dim, int)]
            after.append((numbers or dims)[0])
    return after


def of_matmul(node, values, fresh):
    a, b = (list(values[name].shape) for name in node.inputs)
    if len(a) < 2 or len(b) < 2:
        return None
    return broadcast_shapes([a[:-2], b[:-2]], fresh) + [a[-2], b[-1]] if (
        len(a) > 2 or len(b) > 2) else [a[0], b[1]]


RULES = {"Conv": of_conv, "MaxPool": of_pool, "AveragePool": of_pool,
         "Transpose": of_transpose, "Concat": of_concat, "MatMul": of_matmul}


def infer(node, values, constants):
    """The Value of each output; `values` has those of all inputs."""
    count = [0]

    def fresh():
        count[0] += 1
        return "?%s.%d" % (node.outputs[0], count[0])

    kind, shape = by_rule(node, values, fresh)
    if shape is not None and len(node.outputs) == 1:
        return [Value(kind, shape)]
    return by_onnx(node, values, constants)


def by_rule(node, values, fresh):
    given = [values.get(name) for name in node.inputs]
    shapes = [value.shape for value in given if value]
    if not given or any(value is None or value.shape is None
                        for value in given[:1]):
        return None, None
    kind = given[0].kind
    if node.op in SAME or node.op in ("Dropout", "BatchNormalization"):
        return kind, list(shapes[0])
    if None in shapes or len(shapes) != len(given):
        return None, None
    if node.op in BROADCAST:
        return kind, broadcast_shapes(shapes, fresh)
    if node.op in COMPARE:
        return TensorProto.BOOL, broadcast_shapes(shapes, fresh)
    if node.op == "Where":
        return given[1].kind, broadcast_shapes(shapes, fresh)
    if node.op == "Cast":
        return node.attributes["to"], list(shapes[0])
    if node.op in RULES:
        return kind, RULES[node.op](node, values, fresh)
    return None, None


def by_onnx(node, values, constants):
    """Asks ONNX about a graph of this node alone."""
    names = [name for name in dict.fromkeys(node.inputs) if name]
    infos = [helper.make_tensor_value_info(
        name, values[name].kind, values[name].shape) for name in names
        if name in values and name not in constants]
    small = [tensor(name, constants[name]) if constants[name].size < 4096
             else helper.make_tensor_value_info(
                 name, values[name].kind, values[name].shape)
             for name in names if name in constants]
    graph = helper.make_graph(
        [node.proto()], "one",
        infos + [each for each in small if not hasattr(each, "raw_data")],
        [onnx.ValueInfoProto(name=name) for name in node.outputs],
        [each for each in small if hasattr(each, "raw_data")])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)])
    try:
        found = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except onnx.shape_inference.InferenceError:
        return [Value(0, None) for _ in node.outputs]
    return [named(read_value(info), info.name)
            for info in found.graph.output]


def named(value, name):
    """Every unknown dimension gets a name of its own."""
    if value.shape is not None:
        value.shape = ["?%s:%d" % (name, i) if dim is None or (
            isinstance(dim, str) and dim.startswith("unk__")) else dim
            for i, dim in enumerate(value.shape)]
    return value
