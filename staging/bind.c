/* SPDX-License-Identifier: MIT */
#include "staging/bind.h"

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

/* dims[0] by dims[1], or 0: any. */
static bool fits(const struct tensor *tensor, unsigned int rank,
		 const uint64_t *dims)
{
	if (tensor->rank != rank)
		return false;
	for (unsigned int i = 0; i < rank; i++)
		if (dims[i] != 0 && dims[i] != tensor->dims[i])
			return false;
	return true;
}

PRINTF_LIKE(4, 0)
static struct value *bind_tensor(struct bind *bind, unsigned int rank,
				 const uint64_t *dims, const char *format,
				 va_list args)
{
	struct graph *graph = bind->graph;
	const struct tensor *tensor;
	struct name name;

	if (graph->error < 0)
		return &graph->nowhere;
	vsnprintf(name.text, sizeof(name.text), format, args);
	tensor = bind_find(bind->weights, bind->base, name.text);
	if (!tensor)
		return graph_refuse(graph, "missing-tensor", name.text,
				    "the weights lack the tensor %s",
				    name.text);
	bind->used[tensor - bind->weights->tensors] = true;
	if (!fits(tensor, rank, dims))
		return graph_refuse(graph, "shape-mismatch", tensor->name,
				    "the tensor %s has another shape than the "
				    "configuration calls for",
				    tensor->name);
	return graph_weight(graph, tensor);
}

struct value *bind_matrix(struct bind *bind, uint64_t rows, uint64_t columns,
			  const char *format, ...)
{
	const uint64_t dims[] = { rows, columns };
	struct value *value;
	va_list args;

	va_start(args, format);
	value = bind_tensor(bind, 2, dims, format, args);
	va_end(args);
	return value;
}

struct value *bind_vector(struct bind *bind, uint64_t rows, const char *format,
			  ...)
{
	struct value *value;
	va_list args;

	va_start(args, format);
	value = bind_tensor(bind, 1, &rows, format, args);
	va_end(args);
	return value;
}

/* Counted and numbered buffers, which some files hold as floats. */
static bool is_buffer(const char *name)
{
	return ends_with(name, "position_ids") ||
	       ends_with(name, "token_type_ids") ||
	       ends_with(name, "num_batches_tracked");
}

static bool is_known(const struct bind *bind, const char *name,
		     const char *const *known)
{
	size_t base_len = bind->base ? strlen(bind->base) : 0;

	if (is_buffer(name))
		return true;
	if (base_len > 0 && strncmp(name, bind->base, base_len) == 0 &&
	    name[base_len] == '.')
		name += base_len + 1;
	for (; *known; known++)
		if (strncmp(name, *known, strlen(*known)) == 0)
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
