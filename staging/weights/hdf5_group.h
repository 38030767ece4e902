/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/hdf5_group.h - finding objects by their paths.
 *
 * HDF5 File Format Specification 3.0, III.A.1 (B-trees of version 1),
 * III.B (symbol nodes), III.C (symbol entries), III.D (local heaps).  A
 * group's entries are sorted by name (strcmp) in a B-tree of symbol nodes:
 * it is searched, not listed.  The level falls by one at each step, so a
 * tree that leads into itself ends.
 */
#ifndef STAGING_WEIGHTS_HDF5_GROUP_H
#define STAGING_WEIGHTS_HDF5_GROUP_H

#include <stdint.h>

#include "base/annot.h"
#include "staging/weights/hdf5_object.h"

/* Bytes of a symbol table entry. */
#define HDF5_ENTRY_BYTES 40

/*
 * The object that @path leads to from @from, a group.  -ENOENT: a part of
 * it is not there, or is not in a group.  -EBADMSG: the path has an empty
 * part or "." as one, or passes a link.
 */
int hdf5_find(struct hdf5_file *file, const struct hdf5_object *from,
	      const char *path, struct hdf5_object *out) MUST_CHECK;

/* As hdf5_find(), but only where its object header is. */
int hdf5_find_header(struct hdf5_file *file, const struct hdf5_object *from,
		     const char *path, uint64_t *header) MUST_CHECK;

#endif
