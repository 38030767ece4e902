/* SPDX-License-Identifier: MIT */
#include "base/memo.h"

#include <errno.h>

int memo_get(struct memo *memo, const char *key, struct str *value,
	     int64_t *stored_wall_s)
{
	int64_t ignored;

	if (!memo)
		return -ENOENT;
	return memo->ops->get(memo, key, value,
			      stored_wall_s ? stored_wall_s : &ignored);
}

void memo_put(struct memo *memo, const char *key, const void *value, size_t len)
{
	if (memo)
		memo->ops->put(memo, key, value, len);
}
