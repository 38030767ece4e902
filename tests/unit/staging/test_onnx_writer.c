/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "base/bytes.h"
#include "staging/graph/onnx_writer.h"
#include "staging/graph/wire.h"
#include "staging/segment.h"
#include "tests/unit/staging/synthetic.h"

static const struct {
	uint64_t v;
	size_t len;
} varints[] = {
	{ 0, 1 },	{ 127, 1 },	  { 128, 2 },	      { 16383, 2 },
	{ 16384, 3 },	{ 2097151, 3 },	  { 2097152, 4 },     { 268435455, 4 },
	{ 1 << 28, 5 }, { INT32_MAX, 5 }, { UINT64_MAX, 10 },
};

static void varints_have_the_length_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(varints); i++) {
		auto_str struct str out;

		str_init(&out, 64);
		assert_int_equal(wire_varint_len(varints[i].v), varints[i].len);
		assert_int_equal(wire_int(&out, 1, varints[i].v), 0);
		assert_int_equal(out.len, 1 + varints[i].len);
		str_clear(&out);
		assert_int_equal(wire_head(&out, 1, varints[i].v), 0);
		assert_int_equal(out.len, 1 + varints[i].len);
	}
	assert_int_equal(wire_record_len(16, 127), 2 + 1 + 127);
	assert_int_equal(wire_record_len(15, 128), 1 + 2 + 128);
}

/* One field of a message. */
struct field {
	unsigned int number;
	uint64_t v; /* or the length of what follows */
	uint64_t at;
};

/* The next byte of the staged file: a range's are all 0. */
static uint8_t byte_at(const struct plan *plan, uint64_t off)
{
	const struct segment *segment = plan_find(plan, off);

	assert_non_null(segment);
	if (segment->kind != SEGMENT_BYTES)
		return 0;
	return plan->bytes[segment->src + (off - segment->out)];
}

static uint64_t varint_at(const struct plan *plan, uint64_t *off)
{
	uint64_t v = 0;

	for (unsigned int shift = 0;; shift += 7) {
		uint8_t byte = byte_at(plan, (*off)++);

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
		assert_true(shift < 63);
	}
}

/* Reads a field; *@off is after it. */
static struct field field_at(const struct plan *plan, uint64_t *off)
{
	uint64_t tag = varint_at(plan, off);
	struct field field = { .number = (unsigned int)(tag >> 3) };

	if ((tag & 7) == 5) {
		*off += 4;
		return field;
	}
	assert_true((tag & 7) == 0 || (tag & 7) == 2);
	field.v = varint_at(plan, off);
	field.at = *off;
	if ((tag & 7) == 2)
		*off += field.v;
	return field;
}

/* The only field @number in [off, end), which the fields must tile. */
static struct field find(const struct plan *plan, uint64_t off, uint64_t end,
			 unsigned int number)
{
	struct field found = { 0 };

	while (off < end) {
		struct field field = field_at(plan, &off);

		if (field.number == number)
			found = field;
	}
	assert_int_equal(off, end);
	return found;
}

/* A graph of one weight of @elements floats, and one constant. */
static struct graph *one_weight(const struct weights *weights)
{
	const struct dim dims[] = { { .param = "n" } };
	struct graph *graph;
	struct value *x;

	assert_int_equal(graph_new(NULL, &graph), 0);
	x = graph_input(graph, "x", ONNX_INT64, dims, 1);
	for (size_t i = weights->count; i-- > 0;)
		x = graph_node(
			graph, "Add",
			INPUTS(x, graph_weight(graph, &weights->tensors[i])),
			NO_ATTRS);
	x = graph_node(graph, "Add", INPUTS(x, graph_float(graph, 1)),
		       NO_ATTRS);
	graph_output(graph, x, "y", dims, 1);
	assert_int_equal(graph->error, 0);
	return graph;
}

static struct weights *weights_of(const uint64_t *elements, enum dtype dtype)
{
	struct synthetic made;
	char name[2] = "a";

	synthetic_start(&made, "");
	made.dtype = dtype;
	for (; *elements; elements++, name[0]++)
		synthetic_tensor(&made, name, *elements, 0);
	assert_int_equal(made.error, 0);
	assert_int_equal(weights_finish(made.weights), 0);
	return made.weights;
}

static const struct onnx_layout inlined = { .inline_max = INT32_MAX };

static void messages_tile_at_every_size(void **state)
{
	static const uint64_t sizes[] = { 1,	2,    27,     28,     29,
					  31,	32,   33,     4090,   4095,
					  4096, 4097, 524286, 524288, 524290 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		const uint64_t elements[] = { sizes[i], 0 };
		auto_weights struct weights *weights = weights_of(elements,
								  DTYPE_F32);
		auto_graph struct graph *graph = one_weight(weights);
		auto_plan struct plan *onnx = NULL, *data = NULL;
		struct field field, tensor;

		assert_int_equal(
			onnx_write(graph, weights, &inlined, &onnx, &data), 0);
		assert_null(data);
		assert_int_equal(find(onnx, 0, onnx->size, 1).v, 7);
		field = find(onnx, 0, onnx->size, 7);
		assert_true(field.v > 0);
		tensor = find(onnx, field.at, field.at + field.v, 5);
		field = find(onnx, tensor.at, tensor.at + tensor.v, 9);
		assert_int_equal(field.v, 4 * sizes[i]);
		assert_int_equal(field.at + field.v, tensor.at + tensor.v);
		assert_int_equal(plan_find(onnx, field.at)->kind, SEGMENT_COPY);
	}
}

static void weights_lie_in_the_order_of_the_file(void **state)
{
	const uint64_t elements[] = { 3, 2, 5, 0 };
	auto_weights struct weights *weights = weights_of(elements, DTYPE_F16);
	auto_graph struct graph *graph = one_weight(weights);
	auto_plan struct plan *onnx = NULL, *data = NULL;
	uint64_t src = 0, widened = 0;

	(void)state;
	assert_int_equal(onnx_write(graph, weights, &inlined, &onnx, &data), 0);
	for (size_t i = 0; i < onnx->segment_count; i++) {
		const struct segment *segment = &onnx->segments[i];

		if (segment->kind != SEGMENT_F16_F32)
			continue;
		assert_int_equal(segment->src, src);
		src += segment_src_len(segment);
		widened += segment->len;
	}
	assert_int_equal(src, 20);
	assert_int_equal(widened, 40);
}

static void what_is_too_large_goes_to_a_second_file(void **state)
{
	const uint64_t elements[] = { 1000, 2000, 0 };
	const struct onnx_layout apart = { .inline_max = 4000,
					   .external_allowed = true,
					   .data_name = "staged.onnx.data" };
	const struct onnx_layout refused = { .inline_max = 4000 };
	auto_weights struct weights *weights = weights_of(elements, DTYPE_F32);
	auto_plan struct plan *onnx = NULL, *data = NULL;

	(void)state;
	weights->tensors[1].off = 0; /* begins where the first does */
	weights->tensors[1].dims[0] = 1000;
	weights->tensors[1].len = 4000;
	auto_graph struct graph *graph = one_weight(weights);

	assert_int_equal(onnx_write(graph, weights, &refused, &onnx, &data),
			 -EFBIG);
	assert_int_equal(onnx_write(graph, weights, &apart, &onnx, &data), 0);
	assert_non_null(data);
	assert_int_equal(data->size, 4000); /* one range for both */
	for (size_t i = 0; i < onnx->segment_count; i++)
		assert_int_equal(onnx->segments[i].kind, SEGMENT_BYTES);
	find(onnx, 0, onnx->size, 7);
}

static void weights_apart_are_aligned(void **state)
{
	const uint64_t elements[] = { 3, 2000, 5, 0 };
	const struct onnx_layout apart = { .external_allowed = true,
					   .data_name = "staged.onnx.data" };
	auto_weights struct weights *weights = weights_of(elements, DTYPE_F32);
	auto_graph struct graph *graph = one_weight(weights);
	auto_plan struct plan *onnx = NULL, *data = NULL;
	size_t ranges = 0;

	(void)state;
	assert_int_equal(onnx_write(graph, weights, &apart, &onnx, &data), 0);
	for (size_t i = 0; i < data->segment_count; i++) {
		if (data->segments[i].kind != SEGMENT_COPY)
			continue;
		assert_int_equal(data->segments[i].out % EXTERNAL_ALIGN, 0);
		ranges++;
	}
	assert_int_equal(ranges, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(varints_have_the_length_they_say),
		cmocka_unit_test(messages_tile_at_every_size),
		cmocka_unit_test(weights_lie_in_the_order_of_the_file),
		cmocka_unit_test(what_is_too_large_goes_to_a_second_file),
		cmocka_unit_test(weights_apart_are_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
