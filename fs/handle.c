/* SPDX-License-Identifier: MIT */
#include "fs/handle.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

void handles_init(struct handles *all)
{
	lock_init(&all->lock);
	all->first = NULL;
}

void handles_release(struct handles *all)
{
	while (all->first)
		handle_free(all->first);
	lock_release(&all->lock);
}

static void handle_link(struct handle *handle, struct handles *all)
{
	handle->all = all;
	handle->link = &all->first;
	lock_take(&all->lock);
	handle->next = all->first;
	if (handle->next)
		handle->next->link = &handle->next;
	all->first = handle;
	lock_drop(&all->lock);
}

static void handle_unlink(struct handle *handle)
{
	lock_take(&handle->all->lock);
	*handle->link = handle->next;
	if (handle->next)
		handle->next->link = handle->link;
	lock_drop(&handle->all->lock);
}

static int handle_new(struct handles *all, struct handle **out)
{
	struct handle *handle = mem_zalloc(sizeof(*handle));

	if (!handle)
		return -ENOMEM;
	lock_init(&handle->lock);
	handle_link(handle, all);
	*out = handle;
	return 0;
}

int handle_new_file(struct handles *all, uint64_t id, struct content *content,
		    struct handle **out)
{
	int r = handle_new(all, out);

	if (r < 0)
		return r;
	(*out)->id = id;
	(*out)->content = content_ref(content);
	return 0;
}

int handle_new_dir(struct handles *all, struct listing *listing,
		   struct handle **out)
{
	int r = handle_new(all, out);

	if (r == 0)
		(*out)->listing = listing_ref(listing);
	return r;
}

void handle_free(struct handle *handle)
{
	handle_unlink(handle);
	content_unref(handle->content);
	listing_unref(handle->listing);
	lock_release(&handle->lock);
	free(handle);
}
