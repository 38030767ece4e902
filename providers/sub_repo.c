/* SPDX-License-Identifier: MIT */
#include "providers/sub_repo.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

struct sub_repo {
	struct repo repo;
	struct repo *whole; /* one reference */
	size_t *indexes;    /* there, of each file here; owned */
};

static struct sub_repo *sub_of(struct repo *repo)
{
	return container_of(repo, struct sub_repo, repo);
}

static int sub_source(struct repo *repo, size_t index, struct source **out)
{
	struct sub_repo *sub = sub_of(repo);

	return repo_source(sub->whole, sub->indexes[index], out);
}

static void sub_free(struct repo *repo)
{
	struct sub_repo *sub = sub_of(repo);

	repo_unref(sub->whole);
	repo_fini(repo);
	free(sub->indexes);
	free(sub);
}

static const struct repo_ops sub_ops = {
	.source = sub_source,
	.free = sub_free,
};

/* What follows "folder/" in @path, or NULL: it is not below. */
static const char *below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	if (len == 0)
		return path;
	return !strncmp(path, folder, len) && path[len] == '/' ? path + len + 1
							       : NULL;
}

/* The name of a file directly in @folder, or NULL. */
static const char *name_in(const char *path, const char *folder)
{
	const char *name = below(path, folder);

	return name && !strchr(name, '/') ? name : NULL;
}

static size_t count_in(const struct repo *whole, const char *folder)
{
	size_t count = 0;

	for (size_t i = 0; i < whole->file_count; i++)
		count += name_in(whole->files[i].path, folder) != NULL;
	return count;
}

/* The order stays: all have the prefix that is left out. */
static int take_files(struct sub_repo *sub, const char *folder, size_t count)
{
	const struct repo *whole = sub->whole;
	struct repo *repo = &sub->repo;

	repo->files = mem_array(count, sizeof(struct repo_file));
	sub->indexes = mem_array(count, sizeof(size_t));
	if (!repo->files || !sub->indexes)
		return -ENOMEM;
	for (size_t i = 0; i < whole->file_count; i++) {
		const char *name = name_in(whole->files[i].path, folder);
		struct repo_file file = whole->files[i];

		if (!name)
			continue;
		file.path = mem_strdup(name);
		if (!file.path)
			return -ENOMEM;
		sub->indexes[repo->file_count] = i;
		repo->files[repo->file_count++] = file;
	}
	return 0;
}

static int copy_text(const char *from, char **to)
{
	if (!from)
		return 0;
	*to = mem_strdup(from);
	return *to ? 0 : -ENOMEM;
}

static int copy_fields(struct repo *repo, const struct repo *whole,
		       const char *id, const char *facts)
{
	if (copy_text(id, &repo->id) < 0 ||
	    copy_text(facts, &repo->facts) < 0 ||
	    copy_text(whole->revision, &repo->revision) < 0 ||
	    copy_text(whole->url, &repo->url) < 0 ||
	    copy_text(whole->licence, &repo->licence) < 0)
		return -ENOMEM;
	repo->modified_wall_s = whole->modified_wall_s;
	repo->gated = whole->gated;
	return 0;
}

int sub_repo_new(struct repo *whole, const char *folder, const char *id,
		 const char *kind, const char *facts, struct repo **out)
{
	size_t count = count_in(whole, folder);
	auto_repo struct repo *repo = NULL;
	struct sub_repo *sub;
	int r;

	if (!count)
		return -ENOENT;
	sub = mem_zalloc(sizeof(*sub));
	if (!sub)
		return -ENOMEM;
	repo = &sub->repo;
	repo_init(repo, &sub_ops);
	repo->kind = kind;
	sub->whole = repo_ref(whole);
	r = copy_fields(repo, whole, id, facts);
	if (r == 0)
		r = take_files(sub, folder, count);
	if (r == 0)
		*out = take_ptr(repo);
	return r;
}

static bool ends_with_one(const char *name, const char *const *suffixes)
{
	size_t len = strlen(name);

	for (size_t i = 0; suffixes[i]; i++) {
		size_t suffix_len = strlen(suffixes[i]);

		if (len > suffix_len &&
		    !strcmp(name + len - suffix_len, suffixes[i]))
			return true;
	}
	return false;
}

int sub_repo_kind(const struct repo *whole, const char *folder,
		  const char *const *suffixes, enum hub_entry_kind *out)
{
	bool any = false;

	*out = HUB_DIR;
	for (size_t i = 0; i < whole->file_count; i++) {
		const char *name = below(whole->files[i].path, folder);

		any = any || name;
		if (name && !strchr(name, '/') && ends_with_one(name, suffixes))
			*out = HUB_REPO;
	}
	return any ? 0 : -ENOENT;
}

/* Files are sorted: those of one folder stand together. */
int sub_repo_list(const struct repo *whole, const char *folder,
		  const char *const *suffixes, struct hub_listing *out)
{
	auto_free char *last = NULL;
	struct hub_entry *entry = NULL;
	bool any = false;

	for (size_t i = 0; i < whole->file_count; i++) {
		const char *path = below(whole->files[i].path, folder);
		const char *rest = path ? strchr(path, '/') : NULL;
		size_t len = rest ? (size_t)(rest - path) : 0;

		any = any || path;
		if (!rest)
			continue;
		if (!last || strlen(last) != len || memcmp(last, path, len)) {
			int r;

			free(last);
			last = mem_strndup(path, len);
			r = last ? hub_listing_add(out, last, HUB_DIR, NULL)
				 : -ENOMEM;
			if (r < 0)
				return r;
			entry = &out->entries[out->count - 1];
		}
		if (!strchr(rest + 1, '/') && ends_with_one(rest + 1, suffixes))
			entry->kind = HUB_REPO;
	}
	return any ? 0 : -ENOENT;
}
