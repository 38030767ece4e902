/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/hdf5_object.h - object headers of version 1: their
 * messages, and what they say of a group or a dataset.
 *
 * HDF5 File Format Specification 3.0, IV.A.1.a (the header), IV.A.2.i (data
 * layout, version 3), IV.A.2.q (continuation), IV.A.2.r (symbol table).
 * A header has a count of messages, which lie in its own block and in the
 * blocks that continuation messages name.  Both are bounded, so blocks that
 * name each other end.
 */
#ifndef STAGING_WEIGHTS_HDF5_OBJECT_H
#define STAGING_WEIGHTS_HDF5_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "staging/weights/hdf5_file.h"
#include "staging/weights/hdf5_type.h"

enum {
	HDF5_SPACE = 0x01,
	HDF5_LINK_INFO = 0x02,
	HDF5_TYPE = 0x03,
	HDF5_LINK = 0x06,
	HDF5_EXTERNAL = 0x07,
	HDF5_LAYOUT = 0x08,
	HDF5_FILTERS = 0x0b,
	HDF5_ATTRIBUTE = 0x0c,
	HDF5_CONTINUATION = 0x10,
	HDF5_SYMBOL_TABLE = 0x11,
	HDF5_ATTRIBUTE_INFO = 0x15
};

struct hdf5_message {
	unsigned int type;
	unsigned int flags;
	uint64_t at; /* of its body */
	size_t len;  /* at most 65535 */
};

struct hdf5_block {
	uint64_t at, end;
};

/* A walk over the messages of one header.  Nothing to release. */
struct hdf5_walk {
	struct hdf5_file *file; /* borrowed */
	unsigned int left;	/* messages */
	struct hdf5_block blocks[HDF5_BLOCKS_MAX];
	size_t block_count;
	size_t block; /* the one being read */
};

int hdf5_walk_init(struct hdf5_walk *walk, struct hdf5_file *file,
		   uint64_t header) MUST_CHECK;

/* 1 and *@out; 0: there are no more.  Continuations are followed. */
int hdf5_walk_next(struct hdf5_walk *walk, struct hdf5_message *out) MUST_CHECK;

/* An object by what its header says of it. */
struct hdf5_object {
	uint64_t header;
	bool is_group;
	uint64_t tree, heap; /* of a group: its symbols, their names */
	bool is_dataset;
	struct hdf5_space space;
	struct hdf5_type type;
	uint64_t data, data_bytes; /* where it lies; data_bytes may be 0 */
};

/*
 * Reads the header at @header.  Refused: links and data in any form but the
 * symbol table, contiguous and compact data.
 */
int hdf5_object_read(struct hdf5_file *file, uint64_t header,
		     struct hdf5_object *out) MUST_CHECK;

#endif
