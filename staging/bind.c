/* SPDX-License-Identifier: MIT */
#include "staging/bind.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

/* A name being looked for. */
struct name {
	char text[TENSOR_NAME_MAX + 1];
};

int bind_init(struct bind *bind, const struct weights *weights,
	      struct graph *graph, const char *base)
{
	*bind = (struct bind){
		.weights = weights,
		.graph = graph,
		.base = base,
		.used = mem_array(weights->count + 1, sizeof(*bind->used)),
	};
	return bind->used ? 0 : -ENOMEM;
}

void bind_release(struct bind *bind)
{
	free(bind->used);
	bind->used = NULL;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* The old name of a norm's tensor; false: it has none. */
static bool old_name(const char *name, struct name *old)
{
	static const char *const pairs[][2] = { { ".weight", ".gamma" },
						{ ".bias", ".beta" } };

	if (!strstr(name, "LayerNorm") && !strstr(name, "layer_norm"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		int kept = (int)(strlen(name) - strlen(pairs[i][0]));

		if (!ends_with(name, pairs[i][0]))
			continue;
		return snprintf(old->text, sizeof(old->text), "%.*s%s", kept,
				name, pairs[i][1]) <= TENSOR_NAME_MAX;
	}
	return false;
}

/* @name with or without the prefix. */
static const struct tensor *find_prefixed(const struct weights *weights,
					  const char *base, const char *name)
{
	const struct tensor *tensor = weights_find(weights, name);
	struct name full;
	int len;

	if (tensor || !base)
		return tensor;
	len = snprintf(full.text, sizeof(full.text), "%s.%s", base, name);
	if (len < 0 || len > TENSOR_NAME_MAX)
		return NULL;
	return weights_find(weights, full.text);
}

const struct tensor *bind_find(const struct weights *weights, const char *base,
			       const char *name)
{
	const struct tensor *tensor = find_prefixed(weights, base, name);
	struct name old;

	if (tensor || !old_name(name, &old))
		return tensor;
	return find_prefixed(weights, base, old.text);
}

bool bind_has(const struct bind *bind, const char *format, ...)
{
	struct name name;
	va_list args;

	va_start(args, format);
	vsnprintf(name.text, sizeof(name.text), format, args);
	va_end(args);
	return bind_find(bind->weights, bind->base, name.text) != NULL;
}

struct shape bind_shape(const struct bind *bind, const char *format, ...)
{
	struct shape shape = { 0 };
	const struct tensor *tensor;
	struct name name;
	va_list args;

	va_start(args, format);
	vsnprintf(name.text, sizeof(name.text), format, args);
	va_end(args);
	tensor = bind_find(bind->weights, bind->base, name.text);
	if (tensor) {
		shape.rank = tensor->rank;
		memcpy(shape.dims, tensor->dims, sizeof(shape.dims));
	}
	return shape;
}

static bool fits(const struct tensor *tensor, const struct shape *stored)
{
	if (tensor->rank != stored->rank)
		return false;
	for (unsigned int i = 0; i < stored->rank; i++)
		if (stored->dims[i] != 0 && stored->dims[i] != tensor->dims[i])
			return false;
	return true;
}

/* The tensor @name, marked as used.  NULL: the graph is refused. */
static const struct tensor *take_tensor(struct bind *bind, const char *name,
					const struct shape *stored)
{
	struct graph *graph = bind->graph;
	const struct tensor *tensor;

	tensor = bind_find(bind->weights, bind->base, name);
	if (!tensor) {
		graph_refuse(graph, "missing-tensor", name,
			     "the weights lack the tensor %s", name);
		return NULL;
	}
	bind->used[tensor - bind->weights->tensors] = true;
	if (fits(tensor, stored))
		return tensor;
	graph_refuse(graph, "shape-mismatch", tensor->name,
		     "the tensor %s has another shape than the configuration "
		     "calls for",
		     tensor->name);
	return NULL;
}

PRINTF_LIKE(3, 0)
static const struct tensor *find_tensor(struct bind *bind,
					const struct shape *stored,
					const char *format, va_list args)
{
	struct name name;

	if (bind->graph->error < 0)
		return NULL;
	vsnprintf(name.text, sizeof(name.text), format, args);
	return take_tensor(bind, name.text, stored);
}

static struct value *weight_of(struct bind *bind, const struct tensor *tensor)
{
	if (!tensor)
		return &bind->graph->nowhere;
	return graph_weight(bind->graph, tensor);
}

struct value *bind_matrix(struct bind *bind, uint64_t rows, uint64_t columns,
			  const char *format, ...)
{
	const struct shape stored = SHAPE(rows, columns);
	const struct tensor *tensor;
	va_list args;

	va_start(args, format);
	tensor = find_tensor(bind, &stored, format, args);
	va_end(args);
	return weight_of(bind, tensor);
}

struct value *bind_vector(struct bind *bind, uint64_t rows, const char *format,
			  ...)
{
	const struct shape stored = SHAPE(rows);
	const struct tensor *tensor;
	va_list args;

	va_start(args, format);
	tensor = find_tensor(bind, &stored, format, args);
	va_end(args);
	return weight_of(bind, tensor);
}

struct value *bind_turned(struct bind *bind, uint64_t rows, uint64_t columns,
			  const char *format, ...)
{
	const struct shape stored = SHAPE(rows, columns);
	const struct tensor *tensor;
	va_list args;

	va_start(args, format);
	tensor = find_tensor(bind, &stored, format, args);
	va_end(args);
	return graph_turned(bind->graph, weight_of(bind, tensor));
}

/* Puts what is left of @tensor's elements where @shown has 0. */
static bool shape_complete(struct shape *shown, const struct tensor *tensor)
{
	uint64_t left = tensor_elements(tensor), *open = NULL;

	for (unsigned int i = 0; i < shown->rank; i++) {
		uint64_t *dim = &shown->dims[i];

		if (*dim == 0 && open)
			return false;
		if (*dim == 0)
			open = dim;
		else if (left % *dim != 0)
			return false;
		else
			left /= *dim;
	}
	if (open)
		*open = left;
	return open ? left > 0 : left == 1;
}

struct value *bind_shaped(struct bind *bind, struct shape stored,
			  const struct shape *shown, const char *format, ...)
{
	const struct tensor *tensor;
	struct shape shape;
	va_list args;

	va_start(args, format);
	tensor = find_tensor(bind, &stored, format, args);
	va_end(args);
	if (!tensor || !shown)
		return weight_of(bind, tensor);
	shape = *shown;
	if (!shape_complete(&shape, tensor))
		return graph_refuse(bind->graph, "shape-mismatch", tensor->name,
				    "the tensor %s has another shape than the "
				    "configuration calls for",
				    tensor->name);
	return graph_weight_shaped(bind->graph, tensor, shape);
}

void bind_ignore(struct bind *bind, const char *beginning)
{
	assert(bind->ignored_count < BIND_IGNORED_MAX);
	bind->ignored[bind->ignored_count++] = beginning;
}

/* Counted and numbered buffers, which some files hold as floats. */
static bool is_buffer(const struct bind *bind, const char *name)
{
	const char *const *at = bind->buffers;

	for (; at && *at; at++)
		if (ends_with(name, *at))
			return true;
	return ends_with(name, "position_ids") ||
	       ends_with(name, "token_type_ids") ||
	       ends_with(name, "inv_freq") ||
	       ends_with(name, "num_batches_tracked");
}

static bool begins_with(const char *name, const char *beginning)
{
	return strncmp(name, beginning, strlen(beginning)) == 0;
}

static bool is_known(const struct bind *bind, const char *name,
		     const char *const *known)
{
	size_t base_len = bind->base ? strlen(bind->base) : 0;

	if (is_buffer(bind, name))
		return true;
	if (base_len > 0 && strncmp(name, bind->base, base_len) == 0 &&
	    name[base_len] == '.')
		name += base_len + 1;
	for (; *known; known++)
		if (begins_with(name, *known))
			return true;
	for (size_t i = 0; i < bind->ignored_count; i++)
		if (begins_with(name, bind->ignored[i]))
			return true;
	return false;
}

static int ignored_add(const struct tensor *tensor, char **ignored,
		       size_t *count)
{
	ignored[*count] = mem_strdup(tensor->name);
	if (!ignored[*count])
		return -ENOMEM;
	(*count)++;
	return 0;
}

int bind_finish(const struct bind *bind, const char *const *known,
		char ***ignored, size_t *ignored_count)
{
	const struct weights *weights = bind->weights;
	char **list = mem_array(weights->count + 1, sizeof(*list));
	size_t count = 0;
	int r = list ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < weights->count; i++) {
		const struct tensor *tensor = &weights->tensors[i];

		if (bind->used[i])
			continue;
		if (!dtype_is_float(tensor->dtype) ||
		    is_known(bind, tensor->name, known))
			r = ignored_add(tensor, list, &count);
		else
			r = refuse(bind->graph->why, "unknown-tensor",
				   tensor->name,
				   "the weights hold the tensor %s, which a "
				   "model of this kind does not have",
				   tensor->name);
	}
	if (r == 0) {
		*ignored = list;
		*ignored_count = count;
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
	return r;
}
