/* SPDX-License-Identifier: MIT */
#include "staging/skeletons/skeleton_match.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define MODULE "module."

/* A name being looked for. */
struct name {
	char text[TENSOR_NAME_MAX + 2];
};

/* The place that "#N" is; false: it is a name. */
static bool position_of(const char *location, uint64_t *out)
{
	return location[0] == '#' &&
	       parse_u64(location + 1, strlen(location + 1), TENSORS_MAX,
			 out) == 0;
}

/*
 * ".denselayer12.norm1." was ".denselayer12.norm.1." before.  False: @name
 * is none of these.
 */
static bool old_name(const char *name, struct name *out)
{
	static const char layer[] = "denselayer";
	const char *at = strstr(name, layer);

	if (!at)
		return false;
	at += strlen(layer);
	at += strspn(at, "0123456789");
	if (strncmp(at, ".norm", 5) != 0 && strncmp(at, ".conv", 5) != 0)
		return false;
	at += 5;
	if ((at[0] != '1' && at[0] != '2') || at[1] != '.')
		return false;
	return snprintf(out->text, sizeof(out->text), "%.*s.%s",
			(int)(at - name), name, at) <= TENSOR_NAME_MAX;
}

/* With and without the prefix. */
static const struct tensor *find_prefixed(const struct weights *weights,
					  const char *name)
{
	const struct tensor *tensor = weights_find(weights, name);
	struct name full;
	int len;

	if (tensor)
		return tensor;
	len = snprintf(full.text, sizeof(full.text), MODULE "%s", name);
	if (len < 0 || len > TENSOR_NAME_MAX)
		return NULL;
	return weights_find(weights, full.text);
}

const struct tensor *skeleton_find(const struct weights *weights,
				   const char *location)
{
	const struct tensor *tensor;
	struct name old;
	uint64_t place;

	if (position_of(location, &place))
		return place < weights->count ? &weights->tensors[place] : NULL;
	tensor = find_prefixed(weights, location);
	if (tensor || !old_name(location, &old))
		return tensor;
	return find_prefixed(weights, old.text);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* A name, "#N", or the beginning of names before a '*'. */
static bool fits(const char *pattern, const char *name, size_t place)
{
	size_t len = strlen(pattern);
	uint64_t number;

	if (position_of(pattern, &number))
		return number == place;
	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, name, len - 1) == 0;
	return strcmp(pattern, name) == 0;
}

bool skeleton_is_unused(const struct skeleton *skeleton,
			const struct weights *weights,
			const struct tensor *tensor)
{
	size_t place = (size_t)(tensor - weights->tensors);
	const char *name = tensor->name;

	if (strncmp(name, MODULE, strlen(MODULE)) == 0)
		name += strlen(MODULE);
	if (ends_with(name, "num_batches_tracked"))
		return true;
	for (size_t i = 0; i < skeleton->unused_count; i++)
		if (fits(skeleton->unused[i], name, place))
			return true;
	return false;
}

bool skeleton_is_free(const struct skeleton *skeleton, const char *location,
		      unsigned int axis)
{
	for (size_t i = 0; i < skeleton->free_count; i++)
		if (skeleton->free[i].axis == axis &&
		    strcmp(skeleton->free[i].location, location) == 0)
			return true;
	return false;
}

bool skeleton_is_positional(const struct skeleton *skeleton)
{
	uint64_t place;

	for (size_t i = 0; i < skeleton->hole_count; i++)
		if (position_of(skeleton->holes[i].location, &place))
			return true;
	return false;
}
