/* SPDX-License-Identifier: MIT */
#include "staging/graph/graphdef_terms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"

void translation_init(struct translation *t, const struct graph *graph,
		      enum stage_form form, struct refusal *why)
{
	*t = (struct translation){
		.graph = graph,
		.for_dl4j = form == STAGE_FORM_DL4J,
		.why = why,
		.base = "",
		.nowhere = { .name = "", .rank = RANK_UNKNOWN },
	};
	map_init(&t->names);
	map_init(&t->terms);
	map_init(&t->constants);
	str_init(&t->text, PLAN_BYTES_MAX);
}

void translation_release(struct translation *t)
{
	map_release(&t->names);
	map_release(&t->terms);
	map_release(&t->constants);
	str_release(&t->text);
	arena_release(&t->arena);
}

struct term *term_fail(struct translation *t, int error)
{
	if (t->error == 0)
		t->error = error;
	return &t->nowhere;
}

PRINTF_LIKE(2, 3)
static char *text_format(struct translation *t, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(&t->arena, format, args);
	va_end(args);
	return text;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.';
}

/* graph.proto: [A-Za-z0-9.][A-Za-z0-9_>./]*, as far as all versions allow. */
static char *allowed(struct translation *t, const char *name)
{
	bool starts = is_letter(name[0]);
	char *text = text_format(t, "%s%s", starts ? "" : "x", name);

	for (char *at = text; at && *at; at++)
		if (!is_letter(*at) && *at != '/' && *at != '-')
			*at = '_';
	return text;
}

int term_reserve(struct translation *t, const char *name)
{
	const char *text = allowed(t, name);

	if (!text)
		return -ENOMEM;
	if (strcmp(text, name) != 0)
		return -EINVAL;
	return map_add(&t->names, name, t);
}

const char *term_name(struct translation *t, const char *name)
{
	const char *first = allowed(t, name);
	const char *text = first;
	int r = text ? map_add(&t->names, text, t) : -ENOMEM;

	/* Many that are alike do not try each other's numbers. */
	for (size_t i = 1; r == -EEXIST; i += i < 8 ? 1 : t->names.count) {
		text = text_format(t, "%s_%zu", first, i);
		r = text ? map_add(&t->names, text, t) : -ENOMEM;
	}
	if (r == 0)
		return text;
	term_fail(t, r);
	return "";
}

struct term *term_new(struct translation *t, const char *name,
		      enum bundle_dtype type, int rank)
{
	struct term *term;

	if (t->error < 0)
		return &t->nowhere;
	term = arena_alloc(&t->arena, sizeof(*term));
	if (!term)
		return term_fail(t, -ENOMEM);
	*term = (struct term){ .name = name, .type = type, .rank = rank };
	return term;
}

/* The names of @inputs, which are read then; NULL: no memory. */
static const char **names_of(struct term *const *inputs, size_t count)
{
	const char **names = mem_array(count + 1, sizeof(*names));

	for (size_t i = 0; names && i < count; i++) {
		names[i] = inputs[i]->name;
		if (inputs[i]->used)
			*inputs[i]->used = true;
	}
	return names;
}

struct term *term_node_named(struct translation *t, const char *name,
			     const char *op, enum bundle_dtype type,
			     struct term *const *inputs, size_t input_count,
			     const struct op_attr *attrs, size_t attr_count)
{
	auto_free const char **names = NULL;
	int r;

	if (t->error < 0)
		return &t->nowhere;
	if (t->node_count >= GRAPH_NODES_MAX)
		return term_fail(t, -EFBIG);
	names = names_of(inputs, input_count);
	if (!names)
		return term_fail(t, -ENOMEM);
	r = graphdef_node(&t->text, name, op, names, input_count, attrs,
			  attr_count);
	if (r < 0)
		return term_fail(t, r);
	t->node_count++;
	return term_new(t, name, type,
			input_count > 0 ? inputs[0]->rank : RANK_UNKNOWN);
}

struct term *term_node(struct translation *t, const char *op,
		       enum bundle_dtype type, struct term *const *inputs,
		       size_t input_count, const struct op_attr *attrs,
		       size_t attr_count)
{
	const char *name = t->base;

	if (t->error < 0)
		return &t->nowhere;
	if (t->base_taken)
		name = text_format(t, "%s/%s", t->base, op);
	if (!name)
		return term_fail(t, -ENOMEM);
	t->base_taken = true;
	return term_node_named(t, term_name(t, name), op, type, inputs,
			       input_count, attrs, attr_count);
}

struct term *term_output(struct translation *t, const struct term *first,
			 unsigned int index)
{
	const char *name = index == 0 ? first->name
				      : text_format(t, "%s:%u", first->name,
						    index);

	if (!name)
		return term_fail(t, -ENOMEM);
	return term_new(t, name, first->type, first->rank);
}

static struct term *constant(struct translation *t, const char *name,
			     const struct const_shape *shape, const void *bytes,
			     size_t len)
{
	struct term *made = map_get(&t->constants, name);
	int r = 0;

	if (made)
		return made;
	made = term_new(t, term_name(t, name), shape->type, (int)shape->rank);
	if (t->error == 0)
		r = graphdef_const_head(&t->text, made->name, shape, len);
	if (r == 0 && t->error == 0)
		r = str_append(&t->text, bytes, len);
	if (r == 0 && t->error == 0)
		r = map_add(&t->constants, name, made);
	t->node_count++;
	return r < 0 ? term_fail(t, r) : made;
}

/* Whole numbers of @shape; @name starts the constant's. */
static struct term *whole(struct translation *t, const char *name,
			  const struct const_shape *shape, const int64_t *ints,
			  size_t count)
{
	size_t width = bundle_dtype_bytes(shape->type);
	auto_free uint8_t *bytes = mem_array(count + 1, sizeof(*ints));
	struct term *made;

	if (!bytes)
		return term_fail(t, -ENOMEM);
	for (size_t i = 0; name && i < count; i++) {
		put_le64(bytes + i * width, (uint64_t)ints[i]);
		name = text_format(t, "%s_%" PRId64, name, ints[i]);
	}
	if (!name)
		return term_fail(t, -ENOMEM);
	made = constant(t, name, shape, bytes, count * width);
	if (t->error == 0 && shape->rank < 2)
		term_know(t, made, ints, count);
	return made;
}

static const char *int_name(enum bundle_dtype type)
{
	return type == DT_INT32 ? "const/i32" : "const/i64";
}

struct term *term_int(struct translation *t, enum bundle_dtype type, int64_t i)
{
	const struct const_shape shape = { .type = type };

	return t->error < 0 ? &t->nowhere
			    : whole(t, int_name(type), &shape, &i, 1);
}

struct term *term_ints(struct translation *t, enum bundle_dtype type,
		       const int64_t *ints, size_t count)
{
	const struct const_shape shape = { .type = type,
					   .rank = 1,
					   .dims = { count } };
	const char *name = text_format(t, "%sv", int_name(type));

	return t->error < 0 ? &t->nowhere : whole(t, name, &shape, ints, count);
}

struct term *term_pairs(struct translation *t, const int64_t *ints, size_t rows)
{
	const struct const_shape shape = { .type = DT_INT32,
					   .rank = 2,
					   .dims = { rows, 2 } };

	return t->error < 0 ? &t->nowhere
			    : whole(t, "const/pairs", &shape, ints, 2 * rows);
}

struct term *term_number(struct translation *t, enum bundle_dtype type, float f)
{
	const struct const_shape shape = { .type = DT_FLOAT };
	const char *name = text_format(t, "const/f32_%.9g", (double)f);
	struct term *made;
	uint8_t bytes[4];
	uint32_t bits;

	if (t->error < 0 || !name)
		return term_fail(t, -ENOMEM);
	memcpy(&bits, &f, sizeof(bits));
	put_le32(bytes, bits);
	made = constant(t, name, &shape, bytes, sizeof(bytes));
	if (type == DT_FLOAT)
		return made;
	return term_node(t, "Cast", type, TERMS(made),
			 OP_ATTRS(op_type("SrcT", DT_FLOAT),
				  op_type("DstT", type),
				  op_bool("Truncate", false)));
}

void term_know(struct translation *t, struct term *term, const int64_t *ints,
	       size_t count)
{
	int64_t *copy;

	if (t->error < 0)
		return;
	copy = arena_alloc(&t->arena, (count + 1) * sizeof(*ints));
	if (!copy) {
		term_fail(t, -ENOMEM);
		return;
	}
	if (count > 0)
		memcpy(copy, ints, count * sizeof(*ints));
	term->ints = copy;
	term->int_count = count;
}

bool term_type_of(int64_t onnx, enum bundle_dtype *out)
{
	static const struct {
		enum onnx_type from;
		enum bundle_dtype to;
	} types[] = {
		{ ONNX_FLOAT, DT_FLOAT },  { ONNX_UINT8, DT_UINT8 },
		{ ONNX_INT8, DT_INT8 },	   { ONNX_INT16, DT_INT16 },
		{ ONNX_INT32, DT_INT32 },  { ONNX_INT64, DT_INT64 },
		{ ONNX_BOOL, DT_BOOL },	   { ONNX_DOUBLE, DT_DOUBLE },
		{ ONNX_FLOAT16, DT_HALF }, { ONNX_BFLOAT16, DT_BFLOAT16 },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (types[i].from != onnx)
			continue;
		*out = types[i].to;
		return true;
	}
	return false;
}

bool term_is_known(const struct term *term)
{
	for (size_t i = 0; term->ints && i < term->int_count; i++)
		if (term->ints[i] == INT_UNKNOWN)
			return false;
	return term->ints != NULL;
}

bool term_is_float(const struct term *term)
{
	return term->type == DT_FLOAT || term->type == DT_DOUBLE ||
	       term->type == DT_HALF || term->type == DT_BFLOAT16;
}
