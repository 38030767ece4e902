/* SPDX-License-Identifier: MIT */
#include "staging/weights/shard_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/weights/torch_names.h"

/* A plain file name: no folder, no URL, nothing hidden. */
static bool is_file_name(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	return len > 0 && len <= NAME_BYTES_MAX && name[0] != '.' &&
	       !strpbrk(name, "/\\:");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each file once, in order of its name. */
static int collect(struct shard_index *index, struct refusal *why)
{
	size_t count = 0;

	index->names = mem_array(json_count(index->map) + 1,
				 sizeof(*index->names));
	if (!index->names)
		return -ENOMEM;
	for (const struct json *entry = json_first(index->map); entry;
	     entry = json_next(entry)) {
		const char *name = json_string(entry);

		if (!is_file_name(name))
			return refuse(why, "shard-index", json_key(entry),
				      "the index of the weights points to "
				      "what is not a file beside it");
		index->names[count++] = name;
	}
	qsort(index->names, count, sizeof(*index->names), by_name);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(index->names[i - 1], index->names[i]) != 0)
			index->names[index->count++] = index->names[i];
	return 0;
}

int shard_index_parse(const void *bytes, size_t len, struct shard_index *out,
		      struct refusal *why)
{
	auto_shard_index struct shard_index index = { 0 };
	int r = json_parse(bytes, len, SHARD_INDEX_BYTES_MAX, &index.doc);

	if (r == -ENOMEM)
		return r;
	if (r == 0)
		index.map = json_get(json_root(index.doc), "weight_map");
	if (json_kind(index.map) != JSON_OBJECT || json_count(index.map) == 0)
		return refuse(why, "shard-index", NULL,
			      "the index of the weights has no weight_map");
	r = collect(&index, why);
	if (r < 0)
		return r;
	if (index.count > WEIGHT_FILES_MAX)
		return refuse(why, "shard-index", NULL,
			      "the weights are in too many files");
	*out = index;
	index = (struct shard_index){ 0 };
	return 0;
}

void shard_index_release(struct shard_index *index)
{
	json_free(index->doc);
	free(index->names);
}

/* The map of TensorFlow has the variables' full names, whatever files have. */
static enum weight_names names_of_map(const struct weights *weights)
{
	enum weight_names names = weights->files[0].names;

	return names == NAMES_TF_SHORT ? NAMES_TF_FULL : names;
}

static int check_entry(const struct json *entry, const struct weights *weights,
		       struct refusal *why)
{
	auto_free char *name = NULL;
	const struct tensor *tensor = NULL;
	int r = torch_name(names_of_map(weights), json_key(entry), &name);

	if (r == 0)
		tensor = weights_find(weights, name);
	if (r < 0 && r != -EBADMSG)
		return r;
	if (tensor &&
	    strcmp(weights->files[tensor->file].path, json_string(entry)) == 0)
		return 0;
	return refuse(why, "shard-index", json_key(entry),
		      "a tensor is not in the file that the index names");
}

int shard_index_check(const struct shard_index *index,
		      const struct weights *weights, struct refusal *why)
{
	int r = 0;

	for (const struct json *entry = json_first(index->map); r == 0 && entry;
	     entry = json_next(entry))
		r = check_entry(entry, weights, why);
	return r;
}
