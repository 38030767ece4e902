/* SPDX-License-Identifier: MIT */
#include "providers/torch_preprocess.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "providers/repo_facts.h"

enum part {
	RESIZE_SHORT,
	RESIZE,
	INTERP,
	ANTIALIAS,
	CROP,
	SCALE,
	MEAN,
	STD,
	PERMUTE,
	PARTS
};
static const char *const part_names[PARTS] = {
	"resize_short", "resize", "interp", "antialias", "center_crop",
	"scale",	"mean",	  "std",    "permute",
};

struct column {
	char *parts[PARTS]; /* owned, or NULL */
};

static void column_release(struct column *column)
{
	for (size_t i = 0; i < PARTS; i++)
		free(column->parts[i]);
}
DEFINE_AUTO(column, struct column, column_release)
#define auto_column auto_of(column)

/* One "key=value" of @len bytes. */
static int take_part(struct column *column, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t key = equals ? (size_t)(equals - text) : len;

	for (size_t i = 0; equals && i < PARTS; i++) {
		if (strlen(part_names[i]) != key ||
		    memcmp(part_names[i], text, key) != 0 || column->parts[i])
			continue;
		column->parts[i] = mem_strndup(equals + 1, len - key - 1);
		return column->parts[i] ? 0 : -ENOMEM;
	}
	return -EBADMSG;
}

static int split(const char *text, struct column *column)
{
	int r = 0;

	while (r == 0 && *text) {
		size_t len = strcspn(text, ";");

		r = take_part(column, text, len);
		text += len + (text[len] == ';');
	}
	return r;
}

/* "224" or "128x171"; a number alone means both sides, or @edge. */
static int put_size(struct repo_facts *facts, const char *name,
		    const char *size, const char *edge)
{
	auto_free char *height = NULL, *json = NULL;
	auto_repo_facts struct repo_facts sides;
	size_t len;
	int r;

	repo_facts_init(&sides);
	if (!size)
		return 0;
	len = strcspn(size, "x");
	height = mem_strndup(size, len);
	if (!height)
		return -ENOMEM;
	if (!size[len] && edge) {
		repo_facts_number(&sides, edge, height);
	} else {
		repo_facts_number(&sides, "height", height);
		repo_facts_number(&sides, "width",
				  size[len] ? size + len + 1 : height);
	}
	r = repo_facts_take(&sides, &json);
	if (r == 0)
		repo_facts_json(facts, name, json);
	return r;
}

static int put_rescale(struct repo_facts *facts, const char *scale)
{
	if (!scale)
		return 0;
	if (strcmp(scale, "1/255") != 0)
		return -EBADMSG;
	repo_facts_json(facts, "rescale", "0.00392156862745098");
	return 0;
}

static int put_layout(struct repo_facts *facts, const char *permute)
{
	if (permute && strcmp(permute, "TCHW->CTHW") != 0)
		return -EBADMSG;
	repo_facts_text(facts, "layout", permute ? "NCTHW" : "NCHW");
	repo_facts_text(facts, "channel_order", "RGB");
	return 0;
}

static int put_resize(struct repo_facts *facts, char *const *parts)
{
	if (parts[RESIZE_SHORT] && parts[RESIZE])
		return -EBADMSG;
	return put_size(facts, "resize",
			parts[RESIZE] ? parts[RESIZE] : parts[RESIZE_SHORT],
			"shortest_edge");
}

static int put_parts(struct repo_facts *facts, char *const *parts)
{
	const char *antialias = parts[ANTIALIAS];
	int r = put_layout(facts, parts[PERMUTE]);

	if (r == 0)
		r = put_resize(facts, parts);
	if (r < 0)
		return r;
	repo_facts_text(facts, "interpolation", parts[INTERP]);
	if (antialias)
		repo_facts_json(facts, "antialias",
				strcmp(antialias, "1") == 0 ? "true" : "false");
	r = put_size(facts, "crop", parts[CROP], NULL);
	if (r == 0)
		r = put_rescale(facts, parts[SCALE]);
	repo_facts_list(facts, "mean", parts[MEAN], ",");
	repo_facts_list(facts, "std", parts[STD], ",");
	return r;
}

int torch_preprocess(const char *column, char **json)
{
	auto_column struct column parts = { 0 };
	auto_repo_facts struct repo_facts facts;
	int r;

	*json = NULL;
	repo_facts_init(&facts);
	if (!*column)
		return 0;
	r = split(column, &parts);
	if (r == 0)
		r = put_parts(&facts, parts.parts);
	return r < 0 ? r : repo_facts_take(&facts, json);
}
