/* SPDX-License-Identifier: MIT */
/*
 * Writes small graphs, each of an operator or two, as ONNX and as GraphDef:
 *
 *	operator-graphs FOLDER
 *
 * <name>.onnx and <name>.pb are two ways of saying one graph, which
 * test_graphdef_operators.py runs and compares.  A line of JSON for each
 * tells its name and the shape of its only input, "ids", of int64; what an
 * operator is given is made of that, so that no shape is known beforehand.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "staging/graph/graphdef_writer.h"
#include "staging/graph/onnx_writer.h"
#include "staging/segment.h"
#include "tests/importers/operator_cases.h"

#define SHAPE_ANY { 2, 3, 4, 6 }, 4
#define SHAPE_MATRIX { 3, 4 }, 2
#define SHAPE_PLANE { 2, 8, 7, 6 }, 4
#define SHAPE_LINE { 2, 8, 9 }, 3

static const struct {
	const char *name;
	struct value *(*make)(struct op_case *c);
	uint64_t dims[PORT_RANK_MAX];
	unsigned int rank;
} cases[] = {
#define ANY(name)                             \
	{                                     \
#name, case_##name, SHAPE_ANY \
	}
#define MATRIX(name)                             \
	{                                        \
#name, case_##name, SHAPE_MATRIX \
	}
#define PLANE(name)                             \
	{                                       \
#name, case_##name, SHAPE_PLANE \
	}
#define LINE(name)                             \
	{                                      \
#name, case_##name, SHAPE_LINE \
	}
	ANY(abs),
	ANY(neg),
	ANY(exp),
	ANY(log),
	ANY(sqrt),
	ANY(erf),
	ANY(tanh),
	ANY(sigmoid),
	ANY(relu),
	ANY(softplus),
	ANY(cos),
	ANY(sin),
	ANY(floor),
	ANY(ceil),
	ANY(sign),
	ANY(reciprocal),
	ANY(leaky),
	ANY(leaky_default),
	ANY(sub),
	ANY(div),
	ANY(div_whole),
	ANY(mod_whole),
	ANY(neg_whole),
	ANY(pow),
	ANY(pow_whole),
	ANY(min),
	ANY(max),
	ANY(clip),
	ANY(clip_low),
	ANY(equal),
	ANY(less),
	ANY(less_equal),
	ANY(greater),
	ANY(greater_equal),
	ANY(not ),
	ANY(and),
	ANY(or),
	ANY(where),
	ANY(cast_down),
	ANY(softmax),
	ANY(softmax_inner),
	ANY(softmax_back),
	ANY(log_softmax),
	ANY(mean),
	ANY(mean_back),
	ANY(mean_drop),
	ANY(mean_all),
	ANY(sum),
	ANY(sum_whole),
	ANY(reduce_max),
	ANY(reduce_min),
	ANY(reduce_l2),
	ANY(arg_max),
	ANY(arg_max_drop),
	ANY(arg_min),
	ANY(cumsum),
	ANY(cumsum_odd),
	ANY(transpose),
	ANY(transpose_back),
	ANY(reshape),
	ANY(reshape_zero),
	ANY(flatten),
	ANY(flatten_all),
	ANY(shape),
	ANY(unsqueeze),
	ANY(unsqueeze_back),
	ANY(expand),
	ANY(expand_wide),
	ANY(tile),
	ANY(range),
	ANY(concat),
	ANY(concat_back),
	ANY(concat_one),
	ANY(slice),
	ANY(slice_two),
	ANY(slice_back),
	ANY(slice_open),
	ANY(slice_step),
	ANY(slice_reverse),
	ANY(slice_reverse_all),
	ANY(slice_no_axes),
	ANY(gather),
	ANY(gather_scalar),
	ANY(gather_rows),
	ANY(gather_each),

	ANY(identity),
	ANY(shape_of_parts),
	ANY(slice_at_run),
	ANY(gather_negative),
	ANY(range_of_length),
	ANY(squeeze),
	ANY(gather_nd),
	ANY(batch_matmul),
	ANY(matmul_mixed),
	MATRIX(gemm),
	MATRIX(gemm_odd),
	MATRIX(gemm_no_c),
	MATRIX(matmul),
	MATRIX(half_weight),
	MATRIX(double_weight),
	MATRIX(softmax_columns),
	PLANE(conv),
	PLANE(conv_padded),
	PLANE(conv_dilated),
	PLANE(conv_groups),
	PLANE(conv_depth),
	PLANE(conv_depth_dilated),
	PLANE(max_pool),
	PLANE(average_pool),
	PLANE(average_pool_pads),
	PLANE(average_pool_bare),
	PLANE(pool_all),
	PLANE(max_pool_all),
	PLANE(resize_half),
	PLANE(resize_asymmetric),
	PLANE(resize_corners),
	PLANE(resize_nearest),
	PLANE(resize_nearest_half),
	PLANE(resize_factors),
	PLANE(resize_cubic),
	PLANE(batch_norm),
	LINE(conv_line),
	LINE(conv_line_groups),
	LINE(max_pool_line),
};

static const struct {
	const char *name;
	enum dtype dtype;
	unsigned int rank;
	uint64_t dims[4];
} tensors[] = {
	{ "rows", DTYPE_F32, 2, { 10, 3 } },
	{ "matrix", DTYPE_F32, 2, { 4, 5 } },
	{ "matrix_t", DTYPE_F32, 2, { 5, 4 } },
	{ "matrix_6", DTYPE_F32, 2, { 6, 5 } },
	{ "half", DTYPE_F16, 2, { 4, 4 } },
	{ "double", DTYPE_F64, 2, { 4, 5 } },
	{ "bias5", DTYPE_F32, 1, { 5 } },
	{ "bias6", DTYPE_F32, 1, { 6 } },
	{ "bias16", DTYPE_F32, 1, { 16 } },
	{ "kernel", DTYPE_F32, 4, { 6, 8, 3, 3 } },
	{ "kernel_2", DTYPE_F32, 4, { 6, 4, 3, 3 } },
	{ "kernel_8", DTYPE_F32, 4, { 16, 1, 3, 3 } },
	{ "line", DTYPE_F32, 3, { 6, 8, 3 } },
	{ "line_2", DTYPE_F32, 3, { 6, 4, 3 } },
	{ "a8", DTYPE_F32, 1, { 8 } },
	{ "b8", DTYPE_F32, 1, { 8 } },
	{ "c8", DTYPE_F32, 1, { 8 } },
	{ "d8", DTYPE_F32, 1, { 8 } },
};

#define SOURCE_BYTES ((size_t)1 << 16)

static void must(int r)
{
	if (r == 0)
		return;
	fprintf(stderr, "operator-graphs: %s\n", strerror(-r));
	exit(1);
}

static void put_number(uint8_t *to, enum dtype dtype, float f)
{
	double d = (double)f;
	uint32_t bits;
	uint64_t wide;

	memcpy(&bits, &f, sizeof(bits));
	memcpy(&wide, &d, sizeof(wide));
	if (dtype == DTYPE_F64)
		put_le64(to, wide);
	else if (dtype == DTYPE_F32)
		put_le32(to, bits);
	else { /* 1/4 to 15/8: exact in a half */
		uint32_t half = (bits >> 13 & 0x3ff) | ((bits >> 23) - 112)
							       << 10;

		to[0] = (uint8_t)half;
		to[1] = (uint8_t)(half >> 8);
	}
}

/* Appends tensor @i to the index and its numbers to @bytes. */
static void tensor_add(struct weights *weights, size_t i, uint64_t *off,
		       uint8_t *bytes)
{
	struct tensor tensor = { .name = (char *)tensors[i].name,
				 .dtype = tensors[i].dtype,
				 .rank = tensors[i].rank,
				 .off = *off };
	size_t width = dtype_bytes(tensor.dtype);
	uint64_t count = 1;

	for (unsigned int axis = 0; axis < tensor.rank; axis++) {
		tensor.dims[axis] = tensors[i].dims[axis];
		count *= tensor.dims[axis];
	}
	assert(*off + count * width <= SOURCE_BYTES);
	for (uint64_t j = 0; j < count; j++)
		put_number(bytes + *off + j * width, tensor.dtype,
			   (float)(2 + (j * 7 + i) % 13) / 8);
	must(weights_add(weights, &tensor));
	*off += count * width;
}

static void plan_write(const struct plan *plan, const uint8_t *source,
		       const char *folder, const char *name, const char *end)
{
	auto_free char *path = mem_printf("%s/%s%s", folder, name, end);
	FILE *file = path ? fopen(path, "wb") : NULL;

	if (!file)
		must(-errno);
	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct segment *segment = &plan->segments[i];
		auto_free uint8_t *wide = mem_array(segment->len + 1, 1);

		if (!wide)
			must(-ENOMEM);
		if (segment->kind == SEGMENT_BYTES)
			memcpy(wide, plan->bytes + segment->src, segment->len);
		else if (segment->kind == SEGMENT_COPY)
			memcpy(wide, source + segment->src, segment->len);
		else
			segment_widen(segment->kind, source + segment->src, 0,
				      segment->len, wide);
		if (fwrite(wide, 1, segment->len, file) != segment->len)
			must(-EIO);
	}
	if (fclose(file) != 0)
		must(-EIO);
}

static void case_say(size_t i)
{
	printf("{\"name\": \"%s\", \"shape\": [", cases[i].name);
	for (unsigned int axis = 0; axis < cases[i].rank; axis++)
		printf("%s%" PRIu64, axis ? ", " : "", cases[i].dims[axis]);
	printf("]}\n");
}

static struct graph *case_make(size_t i, const struct weights *weights)
{
	static const char *const params[] = { "a", "b", "c", "d" };
	static const char *const of_result[] = { "u", "v", "w", "x", "y", "z" };
	struct op_case made = { .weights = weights }, *c = &made;
	struct dim dims[PORT_RANK_MAX] = { 0 };
	struct value *y;

	must(graph_new(NULL, &made.graph));
	for (unsigned int axis = 0; axis < cases[i].rank; axis++)
		dims[axis].param = params[axis];
	made.ids = graph_input(made.graph, "ids", ONNX_INT64, dims,
			       cases[i].rank);
	made.x = to(c, made.ids, ONNX_FLOAT);
	made.x = OP("Sub", OP("Mul", made.x, F(0.375)), F(1.5));
	y = to(c, cases[i].make(c), ONNX_FLOAT);
	for (unsigned int axis = 0; axis < y->rank; axis++)
		dims[axis].param = of_result[axis];
	graph_output(made.graph, y, "result", dims, y->rank);
	must(made.graph->error);
	return made.graph;
}

static void case_write(size_t i, const struct weights *weights,
		       const uint8_t *source, const char *folder)
{
	const struct onnx_layout layout = { .inline_max = INT32_MAX };
	auto_graph struct graph *graph = case_make(i, weights);
	auto_plan struct plan *onnx = NULL, *data = NULL, *graphdef = NULL;
	auto_refusal struct refusal why = { 0 };
	size_t nodes;
	int r;

	must(onnx_write(graph, weights, &layout, &onnx, &data));
	r = graphdef_write(graph, weights, STAGE_FORM_PLAIN, &graphdef, &nodes,
			   &why);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", cases[i].name,
			why.reason ? why.reason : "");
	must(r);
	plan_write(onnx, source, folder, cases[i].name, ".onnx");
	plan_write(graphdef, source, folder, cases[i].name, ".pb");
	case_say(i);
}

int main(int argc, char **argv)
{
	auto_free uint8_t *source = mem_zalloc(SOURCE_BYTES);
	auto_weights struct weights *weights = NULL;
	unsigned int file;
	uint64_t off = 0;

	if (argc != 2 || !source)
		return 2;
	must(weights_new("safetensors", &weights));
	must(weights_add_file(weights, "weights", 0, SOURCE_BYTES, &file));
	for (size_t i = 0; i < ARRAY_LEN(tensors); i++)
		tensor_add(weights, i, &off, source);
	must(weights_finish(weights));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		case_write(i, weights, source, argv[1]);
	return 0;
}
