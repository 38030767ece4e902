/* SPDX-License-Identifier: MIT */
#include "fs/handle.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

static int handle_new(struct handle **out)
{
	struct handle *handle = mem_zalloc(sizeof(*handle));

	if (!handle)
		return -ENOMEM;
	lock_init(&handle->lock);
	*out = handle;
	return 0;
}

int handle_new_file(struct content *content, struct handle **out)
{
	int r = handle_new(out);

	if (r == 0)
		(*out)->content = content_ref(content);
	return r;
}

int handle_new_dir(struct listing *listing, struct handle **out)
{
	int r = handle_new(out);

	if (r == 0)
		(*out)->listing = listing_ref(listing);
	return r;
}

void handle_free(struct handle *handle)
{
	content_unref(handle->content);
	listing_unref(handle->listing);
	lock_release(&handle->lock);
	free(handle);
}
