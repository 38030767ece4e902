/* SPDX-License-Identifier: MIT */
/*
 * cache/readahead.h - what to fetch before it is asked for.  Pure.
 *
 * A function of the accesses of one open file: sequential reading grows
 * the window to FETCH_AHEAD_BYTES_MAX and keeps it ahead of the reader,
 * random reading fetches nothing more.  It stops when the reader does.
 */
#ifndef CACHE_READAHEAD_H
#define CACHE_READAHEAD_H

#include <stdint.h>

/* Zeroed at open.  The caller's lock guards it. */
struct readahead {
	uint64_t next;	     /* where a sequential reader reads next */
	uint64_t ahead;	     /* fetched up to here */
	uint64_t window;     /* bytes to be ahead */
	unsigned int streak; /* sequential reads in a row */
};

struct range {
	uint64_t off;
	uint64_t len; /* 0: none */
};

/*
 * Tells of a read of [off, off + len) of a file of @size bytes; the answer
 * is what to fetch besides.  Reads that arrive somewhat out of order (the
 * kernel sends several at a time) count as sequential.
 */
struct range readahead_next(struct readahead *ra, uint64_t off, uint64_t len,
			    uint64_t size);

#endif
