/* SPDX-License-Identifier: MIT */
#include "staging/weights/torch_state.h"

#include <errno.h>

#include "base/mem.h"

static const char *const wrappers[] = { "state_dict", "model", "state_dict_ema",
					"model_ema" };

struct reader {
	struct weights *weights;
	unsigned int file;
	const struct torch_storages *storages;
	struct refusal *why;
};

static int read_tensor(struct reader *reader, const struct pickle_node *value,
		       struct tensor *tensor)
{
	struct torch_view view;
	uint64_t off;
	int r = torch_view_read(value, &view, tensor, reader->why);

	if (r == 0)
		r = reader->storages->place(reader->storages, &view,
					    tensor->name, &off, reader->why);
	if (r < 0)
		return r;
	tensor->off += off;
	return weights_add(reader->weights, tensor);
}

static int add_tensor(struct reader *reader, const struct pickle_node *key,
		      const struct pickle_node *value)
{
	struct tensor tensor = { .file = reader->file };
	const char *format = reader->weights->format;
	auto_free char *name = NULL;
	int r;

	if (!torch_is_tensor(value))
		return 0;
	if (key->kind != PICKLE_STRING)
		return refuse(reader->why, format, NULL,
			      "a tensor of the checkpoint has no name");
	name = mem_strndup(key->bytes, key->count);
	if (!name)
		return -ENOMEM;
	tensor.name = name;
	r = read_tensor(reader, value, &tensor);
	if (r == -EBADMSG || r == -EFBIG)
		return refuse(reader->why, format, name,
			      "a tensor of the checkpoint is malformed");
	return r;
}

static bool holds_tensors(const struct pickle_node *dict)
{
	if (!dict || dict->kind != PICKLE_DICT)
		return false;
	for (size_t i = 1; i < dict->count; i += 2)
		if (torch_is_tensor(dict->items[i]))
			return true;
	return false;
}

/* Finds the dict of tensors. */
static int find_state(const struct pickle_node *root, const char *format,
		      const struct pickle_node **out, struct refusal *why)
{
	const struct pickle_node *found = holds_tensors(root) ? root : NULL;

	for (size_t i = 0; found != root && i < ARRAY_LEN(wrappers); i++) {
		const struct pickle_node *inner = pickle_get(root, wrappers[i]);

		if (!holds_tensors(inner))
			continue;
		if (found)
			return refuse(why, format, wrappers[i],
				      "the checkpoint holds more than one set "
				      "of weights");
		found = inner;
	}
	if (!found)
		return refuse(why, format, NULL,
			      "the checkpoint is not a dictionary of tensors");
	*out = found;
	return 0;
}

int torch_state_read(struct weights *weights, unsigned int file,
		     const struct pickle_node *root,
		     const struct torch_storages *storages, struct refusal *why)
{
	struct reader reader = { weights, file, storages, why };
	const struct pickle_node *state;
	int r = find_state(root, weights->format, &state, why);

	for (size_t i = 0; r == 0 && i < state->count; i += 2)
		r = add_tensor(&reader, state->items[i], state->items[i + 1]);
	return r;
}
