/* SPDX-License-Identifier: MIT */
#include "staging/weights/torch_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "staging/weights/name_parts.h"

static bool is_tf(enum weight_names names)
{
	return names == NAMES_TF_LAYERS || names == NAMES_TF_FULL ||
	       names == NAMES_TF_SHORT;
}

static int translate(enum weight_names names, const char *name, char **out,
		     bool *is_kernel)
{
	struct name_parts parts;
	int r;

	if (names == NAMES_FLAX)
		r = flax_parts(name, &parts, is_kernel);
	else
		r = tf_parts(names, name, &parts, is_kernel);
	return r < 0 ? r : name_parts_join(&parts, out);
}

int torch_name(enum weight_names names, const char *name, char **out)
{
	bool is_kernel;

	if (names != NAMES_TORCH)
		return translate(names, name, out, &is_kernel);
	*out = mem_strdup(name);
	return *out ? 0 : -ENOMEM;
}

static int tensor_to_torch(enum weight_names names, struct tensor *tensor)
{
	bool is_kernel;
	char *name;
	int r = translate(names, tensor->name, &name, &is_kernel);

	if (r < 0)
		return r;
	free(tensor->name);
	tensor->name = name;
	if (is_kernel)
		return tensor_of_kernel(tensor);
	if (is_tf(names))
		tf_squeeze(tensor);
	return 0;
}

static int translate_all(struct weights *weights, struct refusal *why)
{
	for (size_t i = 0; i < weights->count; i++) {
		struct tensor *tensor = &weights->tensors[i];
		enum weight_names names = weights->files[tensor->file].names;
		int r = 0;

		if (names != NAMES_TORCH)
			r = tensor_to_torch(names, tensor);
		if (r == -EBADMSG)
			return refuse(why, "tensor-name", tensor->name,
				      "the tensor %s has a name or a shape "
				      "that is not known of TensorFlow or JAX",
				      tensor->name);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_same_variable(const struct weights *weights,
			     const struct tensor *a, const struct tensor *b)
{
	return a->file == b->file &&
	       weights->files[a->file].names == NAMES_TF_LAYERS &&
	       a->dtype == b->dtype && a->rank == b->rank &&
	       a->order == b->order &&
	       memcmp(a->dims, b->dims, a->rank * sizeof(*a->dims)) == 0;
}

/* Others of one name are left to weights_finish(), which refuses. */
static int drop_repeated(struct weights *weights)
{
	auto_map struct map seen;
	size_t kept = 0;
	int r = 0;

	map_init(&seen);
	for (size_t i = 0; r == 0 && i < weights->count; i++) {
		struct tensor tensor = weights->tensors[i];
		const struct tensor *first = map_get(&seen, tensor.name);

		weights->tensors[i].name = NULL;
		if (first && is_same_variable(weights, first, &tensor)) {
			free(tensor.name);
			continue;
		}
		weights->tensors[kept] = tensor;
		if (!first)
			r = map_add(&seen, tensor.name,
				    &weights->tensors[kept]);
		kept++;
	}
	if (r == 0)
		weights->count = kept;
	return r;
}

int weights_to_torch(struct weights *weights, struct refusal *why)
{
	int r = translate_all(weights, why);

	return r < 0 ? r : drop_repeated(weights);
}
