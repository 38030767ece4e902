/* SPDX-License-Identifier: MIT */
/*
 * staging/external/plain_name.h - names that a converter may give to files.
 */
#ifndef STAGING_EXTERNAL_PLAIN_NAME_H
#define STAGING_EXTERNAL_PLAIN_NAME_H

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"

/* A file's name and nothing else, which can stand in any directory. */
static inline bool name_is_plain(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_BYTES_MAX || name[0] == '.' ||
	    !utf8_valid(name, len) || strpbrk(name, "/\\"))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 127)
			return false;
	return true;
}

#endif
