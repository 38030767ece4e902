/* SPDX-License-Identifier: MIT */
#include "staging/stage_listing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "staging/deferred.h"
#include "staging/stage_repo.h"

static void entry_release(struct stage_entry *entry)
{
	free(entry->name);
	free(entry->plan);
	free(entry->mark);
	if (entry->content)
		content_unref(entry->content);
}

void stage_listing_release(struct stage_listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		entry_release(&listing->entries[i]);
	free(listing->entries);
	*listing = (struct stage_listing){ 0 };
}

/* A few entries: grown one by one. */
static int add_entry(struct stage_listing *listing, const char *name,
		     struct stage_entry **out)
{
	struct stage_entry *entry, *bigger;

	bigger = mem_resize(listing->entries, listing->count + 1,
			    sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	listing->entries = bigger;
	entry = &bigger[listing->count];
	*entry = (struct stage_entry){ .name = mem_strdup(name) };
	if (!entry->name)
		return -ENOMEM;
	listing->count++;
	*out = entry;
	return 0;
}

int stage_listing_add_dir(struct stage_listing *listing, const char *name)
{
	struct stage_entry *entry;
	int r = add_entry(listing, name, &entry);

	if (r == 0)
		entry->kind = STAGE_DIR;
	return r;
}

int stage_listing_add(struct stage_listing *listing, const char *name,
		      struct content *handed, const char *plan)
{
	auto_content struct content *content = handed;
	auto_free char *digest = NULL;
	struct stage_entry *entry;
	int r;

	if (plan) {
		digest = mem_strdup(plan);
		if (!digest)
			return -ENOMEM;
	}
	r = add_entry(listing, name, &entry);
	if (r < 0)
		return r;
	entry->kind = STAGE_FILE;
	entry->content = take_ptr(content);
	entry->plan = take_ptr(digest);
	return 0;
}

int stage_listing_add_text(struct stage_listing *listing, const char *name,
			   struct str *text)
{
	struct content *content;
	size_t len;
	char *bytes = str_take(text, &len);
	int r = content_of_bytes(bytes, len, &content);

	return r < 0 ? r : stage_listing_add(listing, name, content, NULL);
}

void stage_listing_remove(struct stage_listing *listing, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < listing->count; i++)
		if (strcmp(listing->entries[i].name, name) == 0)
			entry_release(&listing->entries[i]);
		else
			listing->entries[kept++] = listing->entries[i];
	listing->count = kept;
}

int stage_listing_mark(struct stage_listing *listing, const char *mark)
{
	struct stage_entry *entry = &listing->entries[listing->count - 1];

	free(entry->mark);
	entry->mark = mem_strdup(mark);
	return entry->mark ? 0 : -ENOMEM;
}

int stage_listing_add_passing(struct stage_listing *listing, const char *name,
			      struct str *text)
{
	char mark[17];
	int r;

	snprintf(mark, sizeof(mark), "%016" PRIx64,
		 xxh3_64(str_text(text), text->len));
	r = stage_listing_add_text(listing, name, text);
	return r ?: stage_listing_mark(listing, mark);
}

static int open_sources(const struct stage_repo *repo, const struct plan *plan,
			struct blob **blobs)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->source_count; i++)
		r = stage_repo_open_path(repo, plan->sources[i].path,
					 &blobs[i]);
	return r;
}

int stage_plan_content(const struct stage_repo *repo, struct plan *handed,
		       struct content **out)
{
	auto_plan struct plan *plan = handed;
	size_t count = plan->source_count;
	struct blob **blobs = mem_array(count + 1, sizeof(*blobs));
	int r;

	if (!blobs)
		return -ENOMEM;
	r = open_sources(repo, plan, blobs);
	if (r == 0)
		r = plan_content(take_ptr(plan), blobs, out);
	for (size_t i = 0; i < count; i++)
		if (blobs[i])
			blob_unref(blobs[i]);
	free(blobs);
	return r;
}

int stage_listing_add_plan(struct stage_listing *listing, const char *name,
			   const struct stage_repo *repo, struct plan *plan)
{
	char digest[sizeof(plan->digest)];
	struct content *content;
	int r;

	memcpy(digest, plan->digest, sizeof(digest));
	r = stage_plan_content(repo, plan, &content);
	return r < 0 ? r : stage_listing_add(listing, name, content, digest);
}

int stage_listing_add_deferred(struct stage_listing *listing, const char *dir,
			       const char *name, const struct stage_repo *repo,
			       uint64_t size)
{
	auto_free char *path = mem_printf("%s%s%s", dir, *dir ? "/" : "", name);
	struct content *content;
	int r = path ? deferred_new(repo, path, size, &content) : -ENOMEM;

	return r < 0 ? r : stage_listing_add(listing, name, content, NULL);
}

static int by_name(const void *a, const void *b)
{
	const struct stage_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void stage_listing_sort(struct stage_listing *listing)
{
	if (listing->count > 1)
		qsort(listing->entries, listing->count,
		      sizeof(*listing->entries), by_name);
}

const struct stage_entry *stage_listing_find(
	const struct stage_listing *listing, const char *name)
{
	for (size_t i = 0; i < listing->count; i++)
		if (strcmp(listing->entries[i].name, name) == 0)
			return &listing->entries[i];
	return NULL;
}
