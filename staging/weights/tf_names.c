/* SPDX-License-Identifier: MIT */
/*
 * Names of TensorFlow's variables in transformers: "tf_bert_model/bert/
 * encoder/layer_._0/output/dense/kernel:0".  "_._" stands for a list's "/";
 * of "mlm___cls" only what follows "___" counts.
 */
#include "staging/weights/torch_names.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "staging/weights/name_parts.h"

#define LIST_MARK "_._"
#define RENAME_MARK "___"

/* Main layers that the PyTorch class never has as a prefix. */
static const char *const bare[] = { "clip" };

static const struct {
	const char *tf, *torch;
	bool is_kernel;
} lasts[] = {
	{ "kernel", "weight", true },
	{ "embeddings", "weight", false },
	{ "gamma", "weight", false },
	{ "beta", "bias", false },
	{ "moving_mean", "running_mean", false },
	{ "moving_variance", "running_var", false },
};

/* Of depthwise layers, whose kernels have other axes: not translated. */
static const char *const unknown[] = { "depthwise_kernel", "pointwise_kernel" };

/* Where the part at @text ends; *@mark: bytes between it and the next. */
static size_t part_len(const char *text, size_t len, size_t *mark)
{
	for (size_t i = 0; i < len; i++) {
		*mark = 1;
		if (text[i] == '/')
			return i;
		*mark = strlen(LIST_MARK);
		if (len - i >= *mark && memcmp(text + i, LIST_MARK, *mark) == 0)
			return i;
	}
	*mark = 0;
	return len;
}

/* What follows the last "___" in the part. */
static size_t renamed_at(const char *text, size_t len)
{
	size_t mark = strlen(RENAME_MARK);

	for (size_t at = len; at >= mark; at--)
		if (memcmp(text + at - mark, RENAME_MARK, mark) == 0)
			return at;
	return 0;
}

static int split(const char *name, size_t len, struct name_parts *out)
{
	int r = 0;

	while (r == 0 && len > 0) {
		size_t mark, part = part_len(name, len, &mark), at = 0;

		if (mark > 0)
			at = renamed_at(name, part);
		r = name_parts_add(out, name + at, part - at);
		name += part + mark;
		len -= part + mark;
	}
	return r;
}

/* The variable's own name. */
static const char *variable_of(enum weight_names names, const char *name)
{
	const char *slash = strchr(name, '/');

	return names == NAMES_TF_LAYERS && slash ? slash + 1 : name;
}

/*
 * The first part is the model's.  Safetensors and shards lack it already, but
 * where "model." is in the name (strip_model_name_and_prefix() of
 * modeling_tf_utils.py).
 */
static bool has_model(enum weight_names names, const char *name)
{
	return names != NAMES_TF_SHORT || strstr(name, "model.");
}

static int rename_last(struct name_parts *parts, bool *is_kernel)
{
	size_t last = parts->count - 1;

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		if (name_part_is(parts, last, unknown[i]))
			return -EBADMSG;
	for (size_t i = 0; i < ARRAY_LEN(lasts); i++) {
		if (!name_part_is(parts, last, lasts[i].tf))
			continue;
		*is_kernel = lasts[i].is_kernel;
		name_parts_rename_last(parts, lasts[i].torch);
		return 0;
	}
	return 0;
}

int tf_parts(enum weight_names names, const char *name, struct name_parts *out,
	     bool *is_kernel)
{
	const char *variable = variable_of(names, name);
	size_t len = strlen(variable);
	int r;

	*is_kernel = false;
	out->count = 0;
	if (len >= 2 && strcmp(variable + len - 2, ":0") == 0)
		len -= 2;
	r = split(variable, len, out);
	if (r < 0)
		return r;
	if (out->count > 1 && has_model(names, variable))
		name_parts_drop_first(out);
	for (size_t i = 0; i < ARRAY_LEN(bare); i++)
		if (out->count > 1 && name_part_is(out, 0, bare[i]))
			name_parts_drop_first(out);
	return out->count > 0 ? rename_last(out, is_kernel) : -EBADMSG;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/*
 * A GPT's bias is [1, n] (TFConv1D), CLIP's scale [1]; the lengths of a
 * weight-normalised kernel are [n, 1, 1] for torch's [1, 1, n].
 */
void tf_squeeze(struct tensor *tensor)
{
	uint64_t *dims = tensor->dims;

	if (ends_with(tensor->name, ".bias") && tensor->rank == 2 &&
	    dims[0] == 1) {
		tensor->rank = 1;
		dims[0] = dims[1];
	} else if (strcmp(tensor->name, "logit_scale") == 0 &&
		   tensor->rank == 1 && dims[0] == 1) {
		tensor->rank = 0;
	} else if (ends_with(tensor->name, ".weight_g") && tensor->rank == 3 &&
		   dims[1] == 1 && dims[2] == 1) {
		dims[2] = dims[0];
		dims[0] = 1;
	}
}
