/* SPDX-License-Identifier: MIT */
/*
 * staging/archive/spool.h - one file without a name for what a job unpacks.
 *
 * Threads: writes by one, reads by any of what was written before.
 */
#ifndef STAGING_ARCHIVE_SPOOL_H
#define STAGING_ARCHIVE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"

struct spool;

/* In the folder @dir.  -ENOSPC, -EIO (logged), -ENOMEM. */
int spool_new(const char *dir, struct spool **out) MUST_CHECK;
void spool_free(struct spool *spool);
DEFINE_AUTO_PTR(spool, struct spool, spool_free)
#define auto_spool auto_of(spool)

/* Bytes written so far: where the next ones go. */
uint64_t spool_end(const struct spool *spool);

/* -ENOSPC: the disk is full, or would be but for SPOOL_FREE_MIN. */
int spool_append(struct spool *spool, const void *bytes, size_t len) MUST_CHECK;

int spool_read(const struct spool *spool, uint64_t off, size_t len,
	       void *to) MUST_CHECK;

#endif
