/* SPDX-License-Identifier: MIT */
/*
 * Names of Flax's parameters in transformers: "encoder/layer/0/output/dense/
 * kernel", the keys of nested maps; in safetensors with "." for "/".  Models
 * with batch norms have "params/" or "batch_stats/" before that.
 */
#include "staging/weights/torch_names.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "staging/weights/name_parts.h"

static const char *const collections[] = { "params", "batch_stats" };

static const struct {
	const char *flax, *torch;
	bool is_kernel;
} lasts[] = {
	{ "kernel", "weight", true },	  { "scale", "weight", false },
	{ "embedding", "weight", false }, { "mean", "running_mean", false },
	{ "var", "running_var", false },
};

int flax_parts(const char *name, struct name_parts *out, bool *is_kernel)
{
	int r = 0;

	*is_kernel = false;
	out->count = 0;
	while (r == 0 && *name) {
		size_t len = strcspn(name, "/.");

		r = name_parts_add(out, name, len);
		name += name[len] ? len + 1 : len;
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(collections); i++)
		if (out->count > 1 && name_part_is(out, 0, collections[i])) {
			name_parts_drop_first(out);
			break;
		}
	if (out->count == 0)
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_LEN(lasts); i++) {
		if (!name_part_is(out, out->count - 1, lasts[i].flax))
			continue;
		*is_kernel = lasts[i].is_kernel;
		name_parts_rename_last(out, lasts[i].torch);
		break;
	}
	return 0;
}
