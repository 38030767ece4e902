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

int handle_new_file(uint64_t id, struct content *content, struct handle **out)
{
	int r = handle_new(out);

	if (r < 0)
		return r;
	(*out)->id = id;
	(*out)->content = content_ref(content);
	return 0;
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
