/* SPDX-License-Identifier: MIT */
/*
 * providers/repo_files.h - the files of a repository, as a list in making.
 *
 * Pure.  Hubs are not trusted with names: what cannot be a file of a tree
 * is left out and counted, so that a listing neither lies nor fails as a
 * whole.  Left out are paths with a NUL, an empty, "." or ".." component,
 * a component over NAME_BYTES_MAX, or more than PATH_BYTES_MAX bytes or
 * PATH_DEPTH_MAX components; sizes over FILE_BYTES_MAX; the second of two
 * files with one path; a file where there is also a directory.
 */
#ifndef PROVIDERS_REPO_FILES_H
#define PROVIDERS_REPO_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "providers/provider.h"

struct repo_files {
	struct repo_file *list; /* owned, with its paths */
	size_t count;
	size_t cap;
	size_t hidden; /* left out */
};

void repo_files_init(struct repo_files *files);
void repo_files_release(struct repo_files *files);

/* True: a path of safe components, of @len bytes. */
bool repo_path_ok(const char *path, size_t len);

/*
 * Copies the arguments, or counts the file as hidden (0 as well).
 * -EFBIG: over REPO_FILES_MAX; -ENOMEM.
 */
int repo_files_add(struct repo_files *files, const char *path, size_t path_len,
		   uint64_t size, const struct digest *digest) MUST_CHECK;

/*
 * Sorts, hides twins (the first added stays) and files shadowed by a
 * directory, and moves the list to @repo, which has none; @files is empty
 * afterwards but for .hidden.  -ENOMEM: nothing has changed.
 */
int repo_files_finish(struct repo_files *files, struct repo *repo) MUST_CHECK;

DEFINE_AUTO(repo_files, struct repo_files, repo_files_release)
#define auto_repo_files auto_of(repo_files)

#endif
