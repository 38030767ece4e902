/* SPDX-License-Identifier: MIT */
/*
 * providers/github.h - repositories of github.com at a commit.
 *
 * The API tells which commit a branch or tag is, and what files it has;
 * the bytes come from raw.githubusercontent.com.  $GITHUB_TOKEN goes to
 * https://api.github.com alone: it allows more questions than 60 an hour.
 *
 * Keys of the memo are "github/<kind>/<who>/<API>/<name>", <who> as of
 * auth_who():
 *
 *	ref	owner/repo@ref    -> the commit, or "-": there is none
 *	tree	owner/repo@commit -> a repository with files (repo_memo.h)
 *
 * A commit never changes and its tree is asked for once.
 */
#ifndef PROVIDERS_GITHUB_H
#define PROVIDERS_GITHUB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/annot.h"
#include "providers/auth.h"
#include "providers/provider.h"
#include "providers/repo_name.h"

/* All fixed. */
struct github {
	const struct provider_env *env; /* outlives it */
	char *api; /* what is asked instead of https://api.github.com; owned */
	struct auth auth; /* owned */
	char who[AUTH_WHO_BYTES];
};

/* On failure @github is to be released too. */
int github_init(struct github *github,
		const struct provider_env *env) MUST_CHECK;
void github_release(struct github *github);

/*
 * The repository of @name, of two parts; one reference, no facts.  @ask and
 * *@until_wall_s as in struct repo_opener, whose errors these are.
 * @github outlives it.
 */
int github_open(struct github *github, const struct repo_name *name, bool ask,
		uint64_t deadline_ns, struct repo **out,
		int64_t *until_wall_s) MUST_CHECK;

#endif
