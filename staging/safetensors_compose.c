/* SPDX-License-Identifier: MIT */
#include "staging/view_safetensors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "staging/json_write.h"
#include "staging/weights/safetensors.h"

#define HEADER_ALIGN 8
#define METADATA_KEY "__metadata__"

static int check_tensors(const struct weights *weights, struct refusal *why)
{
	for (size_t i = 0; i < weights->count; i++) {
		const struct tensor *tensor = &weights->tensors[i];

		if (tensor->order != ORDER_ROWS || tensor->strided)
			return refuse(why, "tensor-order", tensor->name,
				      "a tensor does not lie row by row");
		if (tensor->dtype == DTYPE_OTHER)
			return refuse(why, "tensor-type", tensor->name,
				      "a tensor has an unknown type");
		if (strcmp(tensor->name, METADATA_KEY) == 0)
			return refuse(why, "tensor-name", tensor->name,
				      "a tensor has the name that the format "
				      "keeps for itself");
	}
	return 0;
}

static int by_bytes_then_name(const void *a, const void *b)
{
	const struct tensor *x = *(const struct tensor *const *)a;
	const struct tensor *y = *(const struct tensor *const *)b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int by_width_then_name(const void *a, const void *b)
{
	const struct tensor *x = *(const struct tensor *const *)a;
	const struct tensor *y = *(const struct tensor *const *)b;
	size_t x_width = dtype_bytes(x->dtype), y_width = dtype_bytes(y->dtype);

	if (x_width != y_width)
		return x_width > y_width ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int by_dropped_name(const void *a, const void *b)
{
	const struct safetensors_alias *x = a, *y = b;

	return strcmp(x->dropped->name, y->dropped->name);
}

/* Leaves in @sorted those that are kept, in the order of the file. */
static int drop_aliases(struct safetensors_view *view,
			const struct tensor **sorted, size_t count)
{
	size_t kept = 0;

	view->aliases = mem_array(count + 1, sizeof(*view->aliases));
	if (!view->aliases)
		return -ENOMEM;
	qsort(sorted, count, sizeof(*sorted), by_bytes_then_name);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && tensor_is_same(sorted[kept - 1], sorted[i]))
			view->aliases[view->alias_count++] =
				(struct safetensors_alias){ sorted[i],
							    sorted[kept - 1] };
		else
			sorted[kept++] = sorted[i];
	}
	qsort(view->aliases, view->alias_count, sizeof(*view->aliases),
	      by_dropped_name);
	qsort(sorted, kept, sizeof(*sorted), by_width_then_name);
	view->tensor_count = kept;
	return 0;
}

static void write_metadata(struct json_write *json,
			   const struct safetensors_view *view)
{
	json_write_open(json, METADATA_KEY, '{');
	json_write_text(json, "format", "pt");
	for (size_t i = 0; i < view->alias_count; i++)
		if (strcmp(view->aliases[i].dropped->name, "format") != 0)
			json_write_text(json, view->aliases[i].dropped->name,
					view->aliases[i].kept->name);
	json_write_close(json, '}');
}

static void write_tensor(struct json_write *json, const struct tensor *tensor,
			 uint64_t *at)
{
	json_write_open(json, tensor->name, '{');
	json_write_text(json, "dtype", dtype_name(tensor->dtype));
	json_write_open(json, "shape", '[');
	for (unsigned int i = 0; i < tensor->rank; i++)
		json_write_u64(json, NULL, tensor->dims[i]);
	json_write_close(json, ']');
	json_write_open(json, "data_offsets", '[');
	json_write_u64(json, NULL, *at);
	*at += tensor->len;
	json_write_u64(json, NULL, *at);
	json_write_close(json, ']');
	json_write_close(json, '}');
}

/* The head: its length, then the JSON, with spaces up to a multiple of 8. */
static int add_head(struct safetensors_view *view,
		    const struct tensor *const *sorted)
{
	static const char spaces[HEADER_ALIGN] = "        ";
	uint8_t prefix[SAFETENSORS_PREFIX_BYTES];
	auto_str struct str text;
	struct json_write json;
	uint64_t at = 0;
	int r;

	str_init(&text, SAFETENSORS_HEADER_MAX);
	json_write_init(&json, &text);
	json_write_open(&json, NULL, '{');
	write_metadata(&json, view);
	for (size_t i = 0; i < view->tensor_count; i++)
		write_tensor(&json, sorted[i], &at);
	json_write_close(&json, '}');
	r = json_write_end(&json);
	if (r == 0)
		r = str_append(&text, spaces,
			       u64_ceil(text.len, HEADER_ALIGN) - text.len);
	if (r < 0)
		return r;
	put_le64(prefix, text.len);
	r = plan_add_bytes(view->plan, prefix, sizeof(prefix));
	return r < 0 ? r : plan_add_bytes(view->plan, text.bytes, text.len);
}

static int add_data(struct plan *plan, const struct weights *weights,
		    const struct tensor *tensor)
{
	const struct weight_file *file = &weights->files[tensor->file];
	uint32_t source;
	int r = plan_add_source(plan, file->path, file->size, &source);

	if (r < 0)
		return r;
	return plan_add_range(plan, SEGMENT_COPY, source, tensor->off,
			      tensor->len);
}

int safetensors_compose(const struct weights *weights,
			struct safetensors_view *out, struct refusal *why)
{
	auto_free const struct tensor **sorted = mem_array(weights->count + 1,
							   sizeof(*sorted));
	int r = check_tensors(weights, why);

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < weights->count; i++)
		sorted[i] = &weights->tensors[i];
	if (r == 0)
		r = plan_new(&out->plan);
	if (r == 0)
		r = drop_aliases(out, sorted, weights->count);
	if (r == 0)
		r = add_head(out, sorted);
	for (size_t i = 0; r == 0 && i < out->tensor_count; i++)
		r = add_data(out->plan, weights, sorted[i]);
	return r < 0 ? r : plan_finish(out->plan);
}

void safetensors_view_release(struct safetensors_view *view)
{
	plan_free(view->plan);
	free(view->aliases);
}
