/* SPDX-License-Identifier: MIT */
/*
 * providers/repo_cache.h - repositories open in this process.
 *
 * Who asks for one that another thread is just opening waits for it: a
 * hub is asked once.  Of more than REPOS_OPEN_MAX the least recently used
 * is let go.
 *
 * Threads: any.
 */
#ifndef PROVIDERS_REPO_CACHE_H
#define PROVIDERS_REPO_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "providers/provider.h"

struct repo_cache;

struct repo_opener {
	/*
	 * Opens @path, waiting for the network with no lock held; one
	 * reference.  @ask: what is remembered may only serve where the hub
	 * cannot be reached.  *@until_wall_s: how long it may be believed.
	 */
	int (*open)(void *arg, const char *path, bool ask, uint64_t deadline_ns,
		    struct repo **out, int64_t *until_wall_s);
	void *arg;
};

int repo_cache_new(const struct repo_opener *opener,
		   struct repo_cache **out) MUST_CHECK;

/* Nobody is within repo_cache_open(). */
void repo_cache_free(struct repo_cache *cache);

/*
 * One reference.  -ETIMEDOUT: another thread is still opening it.
 * -EINPROGRESS: the same, or the opener's, with DEADLINE_NOW.
 */
int repo_cache_open(struct repo_cache *cache, const char *path,
		    uint64_t deadline_ns, struct repo **out) MUST_CHECK;

/* The next open() of @path asks. */
void repo_cache_refresh(struct repo_cache *cache, const char *path);

DEFINE_AUTO_PTR(repo_cache, struct repo_cache, repo_cache_free)
#define auto_repo_cache auto_of(repo_cache)

#endif
