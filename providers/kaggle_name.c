/* SPDX-License-Identifier: MIT */
/* The names of kaggle_parse.h. */
#include "providers/kaggle_parse.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"

#define PARTS_MAX 8

/* A piece of a text. */
struct part {
	const char *at;
	size_t len;
};

const char *kaggle_framework(const char *text, size_t len)
{
	static const char *const names[] = { "tensorFlow2", "tensorFlow1" };
	static const char *const plain[] = { "tensorflow2", "tensorflow1" };
	static const char prefix[] = "modelframework";
	char word[32];
	size_t n = 0, skip = sizeof(prefix) - 1;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '_' || text[i] == ' ')
			continue;
		if (n == sizeof(word) - 1)
			return NULL;
		word[n++] = (char)tolower((unsigned char)text[i]);
	}
	word[n] = '\0';
	if (strncmp(word, prefix, skip) != 0)
		skip = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(word + skip, plain[i]))
			return names[i];
	return NULL;
}

/* Kaggle's own are shorter, and of small letters, digits and "-". */
static bool slug_ok(struct part part)
{
	if (part.len == 0 || part.len > REPO_PART_BYTES_MAX ||
	    part.at[0] == '.' || part.at[0] == '-')
		return false;
	for (size_t i = 0; i < part.len; i++)
		if (!isalnum((unsigned char)part.at[i]) &&
		    !memchr("-_.", part.at[i], 3))
			return false;
	return true;
}

static bool number_ok(struct part part)
{
	uint64_t number;

	return parse_u64(part.at, part.len, KAGGLE_VERSION_MAX, &number) == 0 &&
	       number > 0;
}

static bool part_is(struct part part, const char *word)
{
	return part.len == strlen(word) && !memcmp(part.at, word, part.len);
}

/* The parts of @text up to one of @ends; PARTS_MAX + 1: more than fit. */
static size_t split(const char *text, const char *ends, struct part *parts)
{
	size_t len = strcspn(text, ends), count = 0;
	const char *end = text + len;

	for (;;) {
		const char *slash = memchr(text, '/', (size_t)(end - text));

		if (count == PARTS_MAX)
			return PARTS_MAX + 1;
		parts[count].at = text;
		parts[count++].len = (size_t)((slash ? slash : end) - text);
		if (!slash)
			return count;
		text = slash + 1;
	}
}

static int take(struct part part, bool ok, char **out)
{
	if (!ok)
		return -ENOENT;
	*out = mem_strndup(part.at, part.len);
	return *out ? 0 : -ENOMEM;
}

void kaggle_name_release(struct kaggle_name *name)
{
	free(name->owner);
	free(name->model);
	free(name->variation);
	free(name->version);
	*name = (struct kaggle_name){ 0 };
}

/* Of owner, model, framework, variation, version, in that order. */
static int handle_fill(const struct part *parts, struct kaggle_name *name)
{
	int r;

	name->framework = kaggle_framework(parts[2].at, parts[2].len);
	if (!name->framework)
		return -ENOENT;
	r = take(parts[0], slug_ok(parts[0]), &name->owner);
	if (r == 0)
		r = take(parts[1], slug_ok(parts[1]), &name->model);
	if (r == 0)
		r = take(parts[3], slug_ok(parts[3]), &name->variation);
	if (r == 0)
		r = take(parts[4], number_ok(parts[4]), &name->version);
	return r;
}

/* All or nothing. */
static int give(int r, struct kaggle_name *name, struct kaggle_name *out)
{
	if (r < 0)
		kaggle_name_release(name);
	*out = *name;
	return r;
}

int kaggle_handle_parse(const char *handle, struct kaggle_name *out)
{
	struct kaggle_name name = { 0 };
	struct part parts[PARTS_MAX];
	bool ok = split(handle, "", parts) == 5;

	return give(ok ? handle_fill(parts, &name) : -ENOENT, &name, out);
}

/* "<variation>[@<framework>]" */
static int variation_fill(struct part part, struct kaggle_name *name)
{
	const char *at = memchr(part.at, '@', part.len);

	if (at) {
		size_t len = (size_t)(part.at + part.len - at) - 1;

		name->framework = kaggle_framework(at + 1, len);
		if (!name->framework ||
		    !part_is((struct part){ at + 1, len }, name->framework))
			return -ENOENT;
		part.len = (size_t)(at - part.at);
	}
	return take(part, slug_ok(part), &name->variation);
}

static int path_fill(const struct part *parts, size_t count,
		     struct kaggle_name *name)
{
	int r = take(parts[0], slug_ok(parts[0]), &name->owner);

	if (r == 0 && count > 1)
		r = take(parts[1], slug_ok(parts[1]), &name->model);
	if (r == 0 && count > 2)
		r = variation_fill(parts[2], name);
	if (r == 0 && count > 3)
		r = take(parts[3],
			 number_ok(parts[3]) ||
				 part_is(parts[3], KAGGLE_LATEST),
			 &name->version);
	return r;
}

int kaggle_path_parse(const char *path, struct kaggle_name *out)
{
	struct kaggle_name name = { 0 };
	struct part parts[PARTS_MAX];
	size_t count = split(path, "", parts);

	return give(count <= 4 ? path_fill(parts, count, &name) : -ENOENT,
		    &name, out);
}

int kaggle_page_parse(const char *url, struct kaggle_name *out)
{
	static const char mark[] = "/models/";
	const char *at = strstr(url, mark);
	struct kaggle_name name = { 0 };
	struct part parts[PARTS_MAX];
	size_t count = at ? split(at + sizeof(mark) - 1, "?#", parts) : 0;

	if (count == 8 && part_is(parts[2], "frameworks") &&
	    part_is(parts[4], "variations") && part_is(parts[6], "versions")) {
		parts[2] = parts[3];
		parts[3] = parts[5];
		parts[4] = parts[7];
		count = 5;
	}
	return give(count == 5 ? handle_fill(parts, &name) : -ENOENT, &name,
		    out);
}

bool kaggle_old_path_ok(const char *path, bool *whole)
{
	struct part parts[PARTS_MAX];
	size_t count = split(path, "", parts);

	*whole = false;
	if (count > PARTS_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!slug_ok(parts[i]))
			return false;
	*whole = count > 2 && number_ok(parts[count - 1]);
	return true;
}
