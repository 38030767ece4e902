/* SPDX-License-Identifier: MIT */
/*
 * providers/web_place.h - where a file of a web repository is, and what it
 * is: see web_repo.h.
 */
#ifndef PROVIDERS_WEB_PLACE_H
#define PROVIDERS_WEB_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/source.h"
#include "providers/local_file.h"
#include "providers/provider.h"
#include "providers/web_repo.h"

/* Immutable once found; all owned. */
struct web_place {
	char **urls; /* of origin_url(); where it may be, best first */
	size_t url_count;
	uint64_t size;
	struct digest digest;
	struct content_key key;
	char *pin;  /* what .key and the repository's revision are made of */
	char *etag; /* of the one URL, or NULL */
	bool local; /* .urls has one, a file, and this is it: */
	char *download; /* or a file that is the same, or NULL: */
	struct local_stamp stamp;
};
void web_place_release(struct web_place *place);
DEFINE_AUTO(web_place, struct web_place, web_place_release)
#define auto_web_place auto_of(web_place)

/*
 * Finds @file into the zeroed @place; *@until_wall_s as in web_repo.h.  On
 * failure @place is to be released too.
 */
int web_place_find(const struct web_repo_spec *spec,
		   const struct web_file *file, bool ask, uint64_t deadline_ns,
		   struct web_place *place, int64_t *until_wall_s) MUST_CHECK;

/* Its bytes.  One reference; never blocks. */
int web_place_source(const struct provider_env *env,
		     const struct web_place *place, const char *label,
		     struct source **out) MUST_CHECK;

#endif
