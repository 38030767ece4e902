/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/flax_tree.h - the arrays of a flax_model.msgpack.  Pure.
 *
 * What flax/serialization.py (0.8) writes: maps in maps, whose keys are texts;
 * a leaf is an extension of type 1 (an array) or 3 (a number of numpy), which
 * holds an array of three: the shape, numpy's name of the type, the bytes row
 * by row.  An array of more than 1 GiB is a map with the key
 * "__msgpack_chunked_array__" and pieces: it is refused.
 *
 * The file is walked from head to head, and no payload is looked at.  Names
 * are the keys on the way with "/" between, as in the index of shards.
 */
#ifndef STAGING_WEIGHTS_FLAX_TREE_H
#define STAGING_WEIGHTS_FLAX_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/str.h"
#include "staging/refusal.h"
#include "staging/weights/weights.h"

/* A map that is not at its end. */
struct flax_map {
	uint64_t left;	 /* pairs */
	size_t path_len; /* of the name that leads to it */
};

struct flax_tree {
	uint64_t at; /* in the file: where the next step is to begin */

	/* The rest is private. */
	struct weights *weights;
	unsigned int file;
	struct refusal *why;
	struct str path;
	struct flax_map maps[FLAX_DEPTH_MAX];
	size_t depth;
	bool begun;
	uint64_t steps;
};

/* Tensors go to @weights as those of @file; both, and @why, are borrowed. */
void flax_tree_init(struct flax_tree *tree, struct weights *weights,
		    unsigned int file, struct refusal *why);
void flax_tree_release(struct flax_tree *tree);
DEFINE_AUTO(flax_tree, struct flax_tree, flax_tree_release)
#define auto_flax_tree auto_of(flax_tree)

/*
 * One step, of the bytes from tree->at on.  1: on it goes; 0: that was all.
 * -ENODATA: more bytes are needed, at most FLAX_HEAD_BYTES_MAX; nothing was
 * changed.  -EBADMSG: refused, or the file is no such file; -EFBIG; -ENOMEM.
 */
int flax_tree_step(struct flax_tree *tree, const uint8_t *bytes,
		   size_t len) MUST_CHECK;

#endif
