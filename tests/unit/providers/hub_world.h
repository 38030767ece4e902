/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/providers/hub_world.h - what a hub of files is tested in: one
 * server in place of every host, a memo, and a share folder of the test's.
 */
#ifndef TESTS_UNIT_PROVIDERS_HUB_WORLD_H
#define TESTS_UNIT_PROVIDERS_HUB_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "providers/hubs.h"
#include "tests/fake/fake_files.h"
#include "tests/fake/fake_memo.h"
#include "tests/unit/unit.h"

#define WALL 1800000000
#define SOON clock_after_ns(3 * NS_PER_S)

struct hub_world {
	struct fake_files server;
	struct fake_memo memo;
	struct fetcher *fetcher;
	struct provider *provider;
	const char *name;   /* of a hub with an endpoint of its own, or NULL */
	const char *folder; /* which it is */
	bool offline, unverified;
};

static inline const char *world_endpoint(void *arg, const char *name)
{
	struct hub_world *world = arg;

	if (world->name && !strcmp(name, world->name))
		return world->folder;
	return strchr(name, '.') || !strcmp(name, "huggingface")
		       ? world->server.base
		       : NULL;
}

/* The hub anew, with what is remembered. */
static inline int world_mount(struct hub_world *world,
			      int (*make)(const struct provider_env *env,
					  const char *endpoint,
					  struct provider **out))
{
	struct provider_env env = {
		.fetcher = world->fetcher,
		.memo = &world->memo.memo,
		.offline = world->offline,
		.unverified = world->unverified,
		.endpoint = world_endpoint,
		.endpoint_arg = world,
	};

	provider_free(world->provider);
	world->provider = NULL;
	return make(&env, NULL, &world->provider);
}

static inline int world_start(struct hub_world *world,
			      const struct fake_file *table)
{
	*world = (struct hub_world){ 0 };
	clock_set(1000 * NS_PER_S, WALL);
	fake_memo_init(&world->memo);
	if (!fake_files_start(&world->server, table))
		return -EIO;
	return fetcher_new(5, &world->fetcher);
}

static inline void world_stop(struct hub_world *world)
{
	provider_free(world->provider);
	fetcher_free(world->fetcher);
	fake_stop(&world->server.http);
	fake_memo_release(&world->memo);
	clock_set(0, 0);
}

static inline unsigned int world_requests(struct hub_world *world)
{
	return fake_files_requests(&world->server);
}

static inline int world_open(struct hub_world *world, const char *path,
			     struct repo **out)
{
	return world->provider->ops->open(world->provider, path, SOON, out);
}

static inline int world_list(struct hub_world *world, const char *path,
			     struct hub_listing *out)
{
	return world->provider->ops->list(world->provider, path, SOON, out);
}

static inline int world_lookup(struct hub_world *world, const char *path,
			       struct hub_entry *out)
{
	return world->provider->ops->lookup(world->provider, path, SOON, out);
}

/* The entry of that name in a listing, or NULL. */
static inline const struct hub_entry *world_entry(
	const struct hub_listing *listing, const char *name)
{
	for (size_t i = 0; i < listing->count; i++)
		if (!strcmp(listing->entries[i].name, name))
			return &listing->entries[i];
	return NULL;
}

/* All of file @path of @repo is @want. */
static inline int world_read(struct repo *repo, const char *path,
			     const char *want)
{
	auto_source struct source *source = NULL;
	auto_free char *bytes = mem_zalloc(strlen(want) + 1);
	size_t index;
	int r;

	assert_non_null(repo_find(repo, path, &index));
	assert_int_equal(repo->files[index].size, strlen(want));
	r = repo_source(repo, index, &source);
	if (r == 0)
		r = fake_read_range(source, 0, strlen(want), bytes);
	if (r == 0)
		assert_string_equal(bytes, want);
	return r;
}

/* Writes @text to @name in the folder @dir. */
static inline void world_write(const char *dir, const char *name,
			       const char *text)
{
	auto_free char *path = mem_printf("%s/%s", dir, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

#endif
