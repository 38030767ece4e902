/* SPDX-License-Identifier: MIT */
/*
 * providers/local_repo.h - a repository made of files in a folder.
 *
 * Files are added, by hand or by walking a folder, then sealed: from then
 * on it is an ordinary struct repo whose sources are read in place.
 */
#ifndef PROVIDERS_LOCAL_REPO_H
#define PROVIDERS_LOCAL_REPO_H

#include <stdbool.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "providers/local_file.h"
#include "providers/provider.h"
#include "providers/repo_files.h"

struct local_place {
	char *where; /* below the root; owned */
	struct local_stamp stamp;
};

struct local_repo {
	struct repo repo;
	char *root;
	struct repo_files files;     /* until sealed */
	struct map by_path;	     /* path -> struct local_place, owned */
	struct local_place **places; /* of file i; borrowed from by_path */
};

/* @root is of local_root_open(); copied, as is @id.  -ENOMEM. */
int local_repo_new(const char *root, const char *id,
		   struct local_repo **out) MUST_CHECK;
void local_repo_free(struct local_repo *local);

/*
 * Adds the file at @where below the root as @path.  What is no regular
 * file, leads out, or has a path that was added before is passed over.
 * @digest NULL: none, or, with @names_digest, what the name of the file
 * that the symlink @where points to says (a blob of Hugging Face's cache).
 */
int local_repo_add(struct local_repo *local, const char *path,
		   const char *where, const struct digest *digest,
		   bool names_digest) MUST_CHECK;

/*
 * Adds all files below @folder, as @above ("" or "folder/") and their path;
 * links to folders are passed over.
 */
int local_repo_walk(struct local_repo *local, const char *folder,
		    const char *above, bool names_digest) MUST_CHECK;

/*
 * @revision NULL: made of all names, sizes and times.  On success *@out
 * has the one reference and @local is its own; on failure it is freed.
 */
int local_repo_seal(struct local_repo *local, const char *revision,
		    struct repo **out) MUST_CHECK;

DEFINE_AUTO_PTR(local_repo, struct local_repo, local_repo_free)
#define auto_local_repo auto_of(local_repo)

#endif
