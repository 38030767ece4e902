/* SPDX-License-Identifier: MIT */
/* providers/github_repo.h - the sources of a repository of github.com. */
#ifndef PROVIDERS_GITHUB_REPO_H
#define PROVIDERS_GITHUB_REPO_H

#include "base/annot.h"
#include "providers/github.h"

/*
 * Repository @id ("owner/repo") at commit @sha, with the files of @tree
 * (moved, of repo_init()).  One reference; @github outlives it.  -ENOMEM.
 */
int github_repo_new(struct github *github, const char *id, const char *sha,
		    struct repo *tree, struct repo **out) MUST_CHECK;

#endif
