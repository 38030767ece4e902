/* SPDX-License-Identifier: MIT */
/* Types of numbers as ONNX and as people call them. */
#include "staging/graph/graph.h"

static const struct {
	enum onnx_type type;
	const char *name;
} types[] = {
	[DTYPE_F32] = { ONNX_FLOAT, "float32" },
	[DTYPE_F16] = { ONNX_FLOAT16, "float16" },
	[DTYPE_BF16] = { ONNX_BFLOAT16, "bfloat16" },
	[DTYPE_F64] = { ONNX_DOUBLE, "float64" },
	[DTYPE_I64] = { ONNX_INT64, "int64" },
	[DTYPE_I32] = { ONNX_INT32, "int32" },
	[DTYPE_I16] = { ONNX_INT16, "int16" },
	[DTYPE_I8] = { ONNX_INT8, "int8" },
	[DTYPE_U8] = { ONNX_UINT8, "uint8" },
	[DTYPE_BOOL] = { ONNX_BOOL, "bool" },
	[DTYPE_OTHER] = { ONNX_NONE, NULL },
};

enum onnx_type onnx_type_of(enum dtype dtype)
{
	return types[dtype].type;
}

const char *onnx_type_name(enum onnx_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].name && types[i].type == type)
			return types[i].name;
	return NULL;
}
