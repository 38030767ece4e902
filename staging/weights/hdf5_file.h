/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/hdf5_file.h - ranges of an HDF5 file, and its superblock.
 *
 * The format is the HDF Group's "HDF5 File Format Specification", version
 * 3.0; of it what libraries write by default (libver "earliest"): superblock
 * 0 or 1 at the file's first byte, addresses and lengths of 8 bytes, all
 * numbers little-endian.
 *
 * Bytes come through a callback, in aligned pieces of HEAD_FETCH_BYTES of
 * which the last used are kept: hundreds of reads of some bytes are few
 * requests.  All that is read counts against HDF5_WORK_MAX, so a file whose
 * parts lead in circles comes to an end.
 *
 * Errors of all hdf5_*() calls: -EBADMSG (refused; file->why says so),
 * -EFBIG (past a limit), -ENOMEM, or what the callback gives.
 *
 * Threads: one at a time for each struct hdf5_file.
 */
#ifndef STAGING_WEIGHTS_HDF5_FILE_H
#define STAGING_WEIGHTS_HDF5_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "staging/refusal.h"

#define HDF5_SIGNATURE "\x89HDF\r\n\x1a\n"
#define HDF5_SIGNATURE_BYTES 8

/* Of version 0, with the root's entry at its end. */
#define HDF5_SUPERBLOCK_BYTES 96

/* An address that says: not there. */
#define HDF5_NOWHERE UINT64_MAX

struct hdf5_source {
	/* Copies [off, off + len), which lies within the file.  -errno. */
	int (*read)(void *arg, uint64_t off, size_t len, void *to);
	void *arg;
	uint64_t size; /* of the file */
};

struct hdf5_piece {
	uint64_t number;
	uint64_t used;	/* when, in reads of the file */
	uint8_t *bytes; /* owned; NULL: free */
};

struct hdf5_file {
	struct hdf5_source from;
	struct refusal *why; /* borrowed; may be NULL */

	/* From the superblock; the rest is private to hdf5_file.c. */
	unsigned int version;
	unsigned int leaf_k; /* a node of symbols has twice so many at most */
	unsigned int node_k; /* an inner node has twice so many children */
	uint64_t base;	     /* 0 */
	uint64_t end;	     /* of the file, as it says itself; <= size */
	uint64_t root;	     /* object header of the root group */

	struct hdf5_piece pieces[HDF5_PIECES_KEPT];
	uint64_t reads;
	uint64_t work;
	uint64_t got; /* pieces */
};

/*
 * Reads the superblock.  @file is for hdf5_close() on failure too.  @why
 * and what @from has must outlive it.
 */
int hdf5_open(struct hdf5_file *file, const struct hdf5_source *from,
	      struct refusal *why) MUST_CHECK;
void hdf5_close(struct hdf5_file *file);
DEFINE_AUTO(hdf5_file, struct hdf5_file, hdf5_close)
#define auto_hdf5_file auto_of(hdf5_file)

/* Copies @len bytes from the address @at. */
int hdf5_read(struct hdf5_file *file, uint64_t at, size_t len,
	      void *to) MUST_CHECK;

/* Says that the file is damaged; always -EBADMSG. */
int hdf5_bad(struct hdf5_file *file, const char *what);

/* Says that the file uses what is not read here; always -EBADMSG. */
int hdf5_unsupported(struct hdf5_file *file, const char *what);

#endif
