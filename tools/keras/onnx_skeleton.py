# SPDX-License-Identifier: MIT
"""A weightless ONNX graph while it grows, and the bytes it becomes."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 13, 7
PRODUCER = "OmniHub FS"


class Skeleton:
    def __init__(self, dl4j):
        self.dl4j = dl4j
        self.nodes = []
        self.initializers = []
        self.constants = {}
        self.names = set()

    def _claim(self, name):
        if name in self.names or ":" in name:
            raise ValueError("the name %s is taken or not allowed" % name)
        self.names.add(name)
        return name

    def node(self, operator, name, *inputs, **attributes):
        """A node called as its only output; returns the name."""
        self.nodes.append(helper.make_node(operator, list(inputs),
                                           [self._claim(name)], name,
                                           **attributes))
        return name

    def constant(self, value, dtype=np.float32):
        """An initializer with bytes; equal ones are one."""
        value = np.asarray(value, dtype)
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self.constants:
            name = self._claim("constant_%d" % len(self.constants))
            self.initializers.append(numpy_helper.from_array(value, name))
            self.constants[key] = name
        return self.constants[key]

    def integers(self, *values):
        return self.constant(values, np.int64)

    def hole(self, name, index, shape):
        """An initializer whose bytes are the weight @index of the file."""
        tensor = TensorProto(name=self._claim(name), dims=shape,
                             data_type=TensorProto.FLOAT,
                             data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value="#%d" % index)
        self.initializers.append(tensor)
        return name

    def reshape(self, name, value, *shape):
        return self.node("Reshape", name, value, self.integers(*shape))

    def model(self, name, start, end, metadata):
        """@start and @end: (name, dimensions)."""
        ends = [helper.make_tensor_value_info(each, TensorProto.FLOAT, dims)
                for each, dims in (start, end)]
        graph = helper.make_graph(self.nodes, name, ends[:1], ends[1:],
                                  self.initializers)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION, producer_name=PRODUCER)
        helper.set_model_props(model, metadata)
        return model.SerializeToString(deterministic=True)
