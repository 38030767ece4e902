/* SPDX-License-Identifier: MIT */
/*
 * providers/local_file.h - files below a folder, and never outside it.
 *
 * Symlinks are followed, and what they end at is judged: a file is opened
 * without touching it (O_PATH), its true place is asked of the kernel, and
 * only then it is opened for reading.  So no race and no link leads out.
 */
#ifndef PROVIDERS_LOCAL_FILE_H
#define PROVIDERS_LOCAL_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/hash.h"
#include "base/source.h"

/* Which file it was, and that it has not changed since. */
struct local_stamp {
	uint64_t dev;
	uint64_t ino;
	uint64_t size;
	int64_t mtime_ns;
};

/* The folder's true path; caller frees.  -ENOTDIR, or of realpath(). */
int local_root_open(const char *folder, char **out) MUST_CHECK;

/*
 * Opens the regular file @path below @root (of local_root_open()) for
 * reading: a file descriptor.  @stamp is filled in.  -EACCES: it leads out;
 * -EISDIR: a folder; -EINVAL: neither.
 */
int local_open(const char *root, const char *path,
	       struct local_stamp *stamp) MUST_CHECK;

/* As local_open(), without opening: 0. */
int local_stat(const char *root, const char *path,
	       struct local_stamp *stamp) MUST_CHECK;

/*
 * The file as a source that is read in place; -ESTALE from open_local()
 * once the file is not that of @stamp.  Copies all arguments.  The key is
 * @digest's, else that of place and stamp.
 */
int local_source_new(const char *root, const char *path,
		     const struct local_stamp *stamp,
		     const struct digest *digest, const char *label,
		     struct source **out) MUST_CHECK;

bool local_stamp_equal(const struct local_stamp *a,
		       const struct local_stamp *b);

#endif
