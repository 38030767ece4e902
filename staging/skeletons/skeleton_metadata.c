/* SPDX-License-Identifier: MIT */
/* What a skeleton says of its checkpoints: metadata_props. */
#include "staging/skeletons/skeleton_read.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };

#define PREFIX "omnihub."
#define FORMAT "1"

/* The next part of *@text up to one of @ends, NUL-terminated; NULL: none. */
static char *cut(char **text, const char *ends)
{
	char *part;

	do
		part = strsep(text, ends);
	while (part && !part[0]);
	return part;
}

static size_t count_parts(const char *text, const char *ends)
{
	size_t count = 1;

	for (; *text; text++)
		count += strchr(ends, *text) != NULL;
	return count;
}

static int read_unused(struct skeleton *skeleton, char *text)
{
	char *name;

	if (skeleton->unused)
		return -EBADMSG;
	skeleton->unused = mem_array(count_parts(text, "\n"),
				     sizeof(*skeleton->unused));
	if (!skeleton->unused)
		return -ENOMEM;
	while ((name = cut(&text, "\n")))
		skeleton->unused[skeleton->unused_count++] = name;
	return 0;
}

/* A line a group, its axes between spaces. */
static int read_free(struct skeleton *skeleton, char *text)
{
	size_t group = 0;
	char *line, *part;
	int r = 0;

	if (skeleton->free)
		return -EBADMSG;
	skeleton->free = mem_array(count_parts(text, "\n "),
				   sizeof(*skeleton->free));
	if (!skeleton->free)
		return -ENOMEM;
	while (r == 0 && (line = cut(&text, "\n"))) {
		while (r == 0 && (part = cut(&line, " "))) {
			struct skeleton_axis *axis;

			axis = &skeleton->free[skeleton->free_count++];
			axis->group = group;
			r = skeleton_axis_parse(part, axis);
		}
		group++;
	}
	return r;
}

/* What of ours is not known may change the meaning of what is. */
static int read_ours(struct skeleton *skeleton, const char *key,
		     const char *value)
{
	if (strcmp(key, "format") == 0) {
		skeleton->is_known = strcmp(value, FORMAT) == 0;
		return skeleton->is_known ? 0 : -EBADMSG;
	}
	if (strcmp(key, "unused") == 0)
		return read_unused(skeleton, (char *)value);
	if (strcmp(key, "free") == 0)
		return read_free(skeleton, (char *)value);
	if (strcmp(key, "source") != 0)
		return -EBADMSG;
	skeleton->source = value;
	return 0;
}

int skeleton_metadata(struct skeleton *skeleton, const struct wire_field *field)
{
	const char *key = NULL, *value = "";
	struct wire_field inner;
	struct wire wire;
	int r = 0;

	wire_enter(&wire, field);
	while (r == 0 && wire_next(&wire, &inner)) {
		if (inner.number == ENTRY_KEY)
			r = skeleton_text(skeleton, &inner, &key);
		else if (inner.number == ENTRY_VALUE)
			r = skeleton_text(skeleton, &inner, &value);
		else
			r = -EBADMSG;
	}
	if (r == 0 && (wire.bad || !key))
		r = -EBADMSG;
	if (r < 0 || strncmp(key, PREFIX, strlen(PREFIX)) != 0)
		return r;
	return read_ours(skeleton, key + strlen(PREFIX), value);
}
