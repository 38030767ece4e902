/* SPDX-License-Identifier: MIT */
#include "staging/archive/archive_name.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"

static bool part_is_good(const char *part, size_t len)
{
	if (len == 0 || len > NAME_BYTES_MAX)
		return false;
	return !(part[0] == '.' && (len == 1 || (len == 2 && part[1] == '.')));
}

static bool parts_are_good(const char *name, size_t len)
{
	size_t depth = 0;

	for (size_t at = 0; at <= len; depth++) {
		const char *slash = memchr(name + at, '/', len - at);
		size_t part = slash ? (size_t)(slash - name) - at : len - at;

		if (!part_is_good(name + at, part))
			return false;
		at += part + 1;
	}
	return depth <= PATH_DEPTH_MAX;
}

const char *archive_name_clean(const char *name, size_t len, size_t *clean_len)
{
	while (len >= 2 && name[0] == '.' && name[1] == '/') {
		name += 2;
		len -= 2;
	}
	if (len == 0 || len >= PATH_BYTES_MAX || memchr(name, 0, len) ||
	    !parts_are_good(name, len))
		return NULL;
	*clean_len = len;
	return name;
}
