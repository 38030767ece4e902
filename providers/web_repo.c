/* SPDX-License-Identifier: MIT */
#include "providers/web_repo.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "providers/repo_files.h"
#include "providers/web_place.h"

struct web_repo {
	struct repo repo;
	const struct provider_env *env; /* outlives it */
	struct web_place *places;	/* of the files, in their order */
};

/* One opening. */
struct opening {
	const struct web_repo_spec *spec;
	struct web_repo *web;
	struct web_place *found; /* in the order of the spec; zeros: left out */
	struct repo_files files;
};

static struct web_repo *web_of(struct repo *repo)
{
	return container_of(repo, struct web_repo, repo);
}

static int web_source(struct repo *repo, size_t index, struct source **out)
{
	struct web_repo *web = web_of(repo);
	auto_free char *label = mem_printf("%s/%s", repo->id,
					   repo->files[index].path);

	return label ? web_place_source(web->env, &web->places[index], label,
					out)
		     : -ENOMEM;
}

static void web_free(struct repo *repo)
{
	struct web_repo *web = web_of(repo);

	for (size_t i = 0; web->places && i < repo->file_count; i++)
		web_place_release(&web->places[i]);
	free(web->places);
	repo_fini(repo);
	free(web);
}

static const struct repo_ops web_repo_ops = {
	.source = web_source,
	.free = web_free,
};

static void opening_release(struct opening *opening)
{
	for (size_t i = 0; opening->found && i < opening->spec->file_count; i++)
		web_place_release(&opening->found[i]);
	free(opening->found);
	repo_files_release(&opening->files);
	if (opening->web)
		repo_unref(&opening->web->repo);
}
DEFINE_AUTO(opening, struct opening, opening_release)
#define auto_opening auto_of(opening)

static int copy_text(const char *from, char **to)
{
	if (!from)
		return 0;
	*to = mem_strdup(from);
	return *to ? 0 : -ENOMEM;
}

static int repo_make(struct opening *opening)
{
	const struct web_repo_spec *spec = opening->spec;
	struct web_repo *web = mem_zalloc(sizeof(*web));
	struct repo *repo;

	if (!web)
		return -ENOMEM;
	opening->web = web;
	web->env = spec->env;
	repo = &web->repo;
	repo_init(repo, &web_repo_ops);
	repo->kind = spec->kind;
	repo->files_dir = spec->files_dir;
	if (copy_text(spec->id, &repo->id) < 0 ||
	    copy_text(spec->url, &repo->url) < 0 ||
	    copy_text(spec->licence, &repo->licence) < 0 ||
	    copy_text(spec->facts, &repo->facts) < 0)
		return -ENOMEM;
	opening->found = mem_array(spec->file_count, sizeof(struct web_place));
	return opening->found ? 0 : -ENOMEM;
}

static int find_file(struct opening *opening, size_t index, bool ask,
		     uint64_t deadline_ns, int64_t *until_wall_s)
{
	const struct web_file *file = &opening->spec->files[index];
	struct web_place *place = &opening->found[index];
	int r = web_place_find(opening->spec, file, ask, deadline_ns, place,
			       until_wall_s);

	if (file->optional && (r == -ENOENT || r == -EACCES)) {
		web_place_release(place);
		return 0;
	}
	return r < 0 ? r
		     : repo_files_add(&opening->files, file->path,
				      strlen(file->path), place->size,
				      &place->digest);
}

/* To the order of the repository's files; names of the table are unique. */
static int places_move(struct opening *opening)
{
	struct web_repo *web = opening->web;
	struct repo *repo = &web->repo;
	size_t index;

	web->places = mem_array(repo->file_count ? repo->file_count : 1,
				sizeof(struct web_place));
	if (!web->places)
		return -ENOMEM;
	for (size_t i = 0; i < opening->spec->file_count; i++) {
		const struct web_file *file = &opening->spec->files[i];

		if (!opening->found[i].pin)
			continue;
		if (!repo_find(repo, file->path, &index))
			return -EIO;
		web->places[index] = opening->found[i];
		opening->found[i] = (struct web_place){ 0 };
	}
	return 0;
}

/* "web-" and 32 hex: changes with any name or version of a file. */
static int revision_make(struct web_repo *web)
{
	struct hasher *hasher = hasher_new(DIGEST_SHA256, 0);
	struct repo *repo = &web->repo;
	char hex[2 * SHA256_BYTES + 1];
	struct digest digest;
	int r = hasher ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < repo->file_count; i++) {
		const char *path = repo->files[i].path;
		const char *pin = web->places[i].pin;

		r = hasher_add(hasher, path, strlen(path) + 1);
		if (r == 0)
			r = hasher_add(hasher, pin, strlen(pin) + 1);
	}
	if (r < 0) {
		hasher_free(hasher);
		return r;
	}
	r = hasher_finish(hasher, &digest);
	if (r < 0)
		return r;
	hex_encode(digest.bytes, SHA256_BYTES, hex);
	repo->revision = mem_printf("web-%.32s", hex);
	return repo->revision ? 0 : -ENOMEM;
}

int web_repo_open(const struct web_repo_spec *spec, bool ask,
		  uint64_t deadline_ns, struct repo **out,
		  int64_t *until_wall_s)
{
	auto_opening struct opening opening = { .spec = spec };
	int r = repo_make(&opening);

	*until_wall_s = INT64_MAX;
	for (size_t i = 0; r == 0 && i < spec->file_count; i++) {
		int64_t until = INT64_MAX;

		r = find_file(&opening, i, ask, deadline_ns, &until);
		if (until < *until_wall_s)
			*until_wall_s = until;
	}
	if (r == 0)
		r = repo_files_finish(&opening.files, &opening.web->repo);
	if (r == 0)
		r = places_move(&opening);
	if (r == 0)
		r = revision_make(opening.web);
	if (r < 0)
		return r;
	*out = &take_ptr(opening.web)->repo;
	return 0;
}
