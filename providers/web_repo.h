/* SPDX-License-Identifier: MIT */
/*
 * providers/web_repo.h - a repository made of files behind URLs.
 *
 * For hubs that are a table of files: each file has candidates, URLs on
 * the real origins in order of preference (origin.h says what is asked
 * instead).
 *
 * A file whose size and digest the table knows is opened without a request;
 * its first range finds out which candidate has it (fallback_source.h).
 * Else the candidates are probed until one answers: with bytes, not with a
 * web page or an LFS pointer.  What was learnt is kept in the memo, so that
 * the next mount asks nothing.  It is pinned by the digest, else by ETag
 * (or the time of its last change) and size; what nothing pins is refused.
 *
 * With env->unverified the table's sizes and digests count for nothing: a
 * mirror may have other files under known names.
 */
#ifndef PROVIDERS_WEB_REPO_H
#define PROVIDERS_WEB_REPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/hash.h"
#include "providers/provider.h"

#define WEB_SIZE_UNKNOWN UINT64_MAX

/* All borrowed for the call. */
struct web_file {
	const char *path; /* in the repository: "weights.h5" */
	const char *const *urls;
	size_t url_count; /* 1 to WEB_CANDIDATES_MAX */
	uint64_t size;	  /* or WEB_SIZE_UNKNOWN */
	struct digest digest;

	/* An absolute path where a client may have put it, or NULL. */
	const char *download;
	bool optional; /* left out where no candidate has it */
};

/* Texts of struct repo are copied; the static ones are not. */
struct web_repo_spec {
	const struct provider_env *env; /* outlives the repository */
	const char *hub;		/* static; its name */
	const char *id;
	const char *url;       /* for people, or NULL */
	const char *licence;   /* or NULL */
	const char *facts;     /* or NULL */
	const char *kind;      /* static */
	const char *files_dir; /* static */
	const struct web_file *files;
	size_t file_count;
};

/*
 * One reference, and in *@until_wall_s how long it may be believed; see
 * struct repo_opener, whose arguments and errors these are.
 */
int web_repo_open(const struct web_repo_spec *spec, bool ask,
		  uint64_t deadline_ns, struct repo **out,
		  int64_t *until_wall_s) MUST_CHECK;

#endif
