/* SPDX-License-Identifier: MIT */
#include "providers/repo_name.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"

#define COMMIT_LEN (2 * SHA1_BYTES)

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

bool repo_part_ok(const char *part, size_t len)
{
	if (len == 0 || len > REPO_PART_BYTES_MAX)
		return false;
	if (strchr(".-", part[0]) || strchr(".-", part[len - 1]))
		return false;
	if (len > 4 && !memcmp(part + len - 4, ".git", 4))
		return false;
	for (size_t i = 0; i < len; i++) {
		bool mark = part[i] == '.' || part[i] == '-';

		if (!mark && part[i] != '_' && !is_alnum(part[i]))
			return false;
		if (mark && part[i + 1] == part[i] && i + 1 < len)
			return false;
	}
	return true;
}

static bool id_ok(const char *id, size_t len, bool one_part)
{
	const char *slash = memchr(id, '/', len);
	size_t org_len;

	if (!slash)
		return one_part && repo_part_ok(id, len);
	org_len = (size_t)(slash - id);
	return repo_part_ok(id, org_len) &&
	       repo_part_ok(slash + 1, len - org_len - 1);
}

bool repo_id_ok(const char *id, bool one_part)
{
	return id_ok(id, strlen(id), one_part);
}

bool commit_ok(const char *text)
{
	return strlen(text) == COMMIT_LEN &&
	       strspn(text, "0123456789abcdef") == COMMIT_LEN;
}

/* Into @to, which has room for @len bytes and a NUL. */
static int percent_decode(const char *text, size_t len, char *to)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			if (len - i < 3 || hex_decode(text + i + 1, 1, &c) < 0)
				return -ENOENT;
			i += 2;
		}
		*to++ = c;
	}
	*to = '\0';
	return 0;
}

/* Of one slash-separated part, as git-check-ref-format has it. */
static bool revision_part_ok(const char *part, size_t len)
{
	if (len == 0 || part[0] == '.' || part[len - 1] == '.')
		return false;
	return !(len >= 5 && !memcmp(part + len - 5, ".lock", 5));
}

static bool revision_ok(const char *revision, size_t len)
{
	if (len == 0 || len > REVISION_BYTES_MAX || revision[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)revision[i];

		if (c <= ' ' || c == 0x7f || strchr("~^:?*[\\", c))
			return false;
	}
	if (strstr(revision, "..") || strstr(revision, "@{") ||
	    !strcmp(revision, "@"))
		return false;
	for (const char *part = revision;; part++) {
		size_t part_len = strcspn(part, "/");

		if (!revision_part_ok(part, part_len))
			return false;
		part += part_len;
		if (!*part)
			return true;
	}
}

/* @text: what follows the "@". */
static int revision_parse(const char *text, char **out)
{
	size_t len = strlen(text);
	auto_free char *revision = NULL;
	int r;

	if (len > 3 * REVISION_BYTES_MAX || strchr(text, '/'))
		return -ENOENT;
	revision = mem_alloc(len + 1);
	if (!revision)
		return -ENOMEM;
	memset(revision, 0, len + 1);
	r = percent_decode(text, len, revision);
	if (r < 0)
		return r;
	/* A "%00" would end the text before its end. */
	if (strstr(text, "%00") || !revision_ok(revision, strlen(revision)))
		return -ENOENT;
	*out = take_ptr(revision);
	return 0;
}

int repo_name_parse(const char *path, struct repo_name *out)
{
	const char *at = strchr(path, '@');
	size_t id_len = at ? (size_t)(at - path) : strlen(path);
	auto_repo_name struct repo_name name = { 0 };
	int r = 0;

	*out = (struct repo_name){ 0 };
	if (!id_ok(path, id_len, true))
		return -ENOENT;
	name.id = mem_strndup(path, id_len);
	name.suffix = mem_strdup(at ? at : "");
	if (!name.id || !name.suffix)
		return -ENOMEM;
	if (at)
		r = revision_parse(at + 1, &name.revision);
	else if (!(name.revision = mem_strdup("main")))
		r = -ENOMEM;
	if (r < 0)
		return r;
	name.pinned = commit_ok(name.revision);
	*out = name;
	name = (struct repo_name){ 0 };
	return 0;
}

void repo_name_release(struct repo_name *name)
{
	free(name->id);
	free(name->revision);
	free(name->suffix);
	*name = (struct repo_name){ 0 };
}

char *repo_name_link(const struct repo_name *from, const char *id)
{
	const char *slash = strchr(from->id, '/');
	size_t org_len = slash ? (size_t)(slash - from->id) + 1 : 0;

	if (!slash)
		return mem_printf("%s%s", id, from->suffix);
	if (!strncmp(from->id, id, org_len))
		return mem_printf("%s%s", id + org_len, from->suffix);
	return mem_printf("../%s%s", id, from->suffix);
}
