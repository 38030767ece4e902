/* SPDX-License-Identifier: MIT */
/*
 * staging/external/kept_file.h - a converted file as a source for the cache.
 *
 * While it is being kept there is a file that the bytes come from; later
 * there is none: what the cache has lost then is lost (-EIO).
 */
#ifndef STAGING_EXTERNAL_KEPT_FILE_H
#define STAGING_EXTERNAL_KEPT_FILE_H

#include <stdint.h>

#include "base/annot.h"
#include "base/hash.h"
#include "base/source.h"

struct jobs;

struct kept_file {
	const char *label; /* for logs */
	const char *pin;   /* names these bytes for ever */
	uint64_t size;
	struct digest digest;
};

/*
 * One reference.  @fd -1: there is no file; else it is taken, also on
 * failure, and a thread of @jobs, which lives longer, reads it.
 */
int kept_file_source(const struct kept_file *file, struct jobs *jobs, int fd,
		     struct source **out) MUST_CHECK;

/* The file may go; what is fetched from now on gives -EIO. */
void kept_file_close(struct source *source);

#endif
