/* SPDX-License-Identifier: MIT */
/*
 * providers/sub_repo.h - a folder of a repository as one of its own.
 *
 * Its files are those directly in the folder, not those of folders below.
 */
#ifndef PROVIDERS_SUB_REPO_H
#define PROVIDERS_SUB_REPO_H

#include "base/annot.h"
#include "providers/hub_listing.h"
#include "providers/provider.h"

/*
 * The files of @folder ("a/b"; "": the top) of @whole, of which it takes a
 * reference of its own.  @id and @facts (may be NULL) are copied; @kind is
 * static.  The revision, and what else is known, is that of @whole.
 * -ENOENT: there are no files; -ENOMEM.
 */
int sub_repo_new(struct repo *whole, const char *folder, const char *id,
		 const char *kind, const char *facts,
		 struct repo **out) MUST_CHECK;

/*
 * Adds the folders directly in @folder of @whole: HUB_REPO where a file
 * directly in one ends with one of @suffixes (ended by NULL), else HUB_DIR.
 * -ENOENT: @folder is none; -ENOMEM, -EFBIG.
 */
int sub_repo_list(const struct repo *whole, const char *folder,
		  const char *const *suffixes,
		  struct hub_listing *out) MUST_CHECK;

/* What @folder itself is, by the same rule.  -ENOENT. */
int sub_repo_kind(const struct repo *whole, const char *folder,
		  const char *const *suffixes,
		  enum hub_entry_kind *out) MUST_CHECK;

#endif
