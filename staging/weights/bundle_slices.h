/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/bundle_slices.h - the parts of partitioned variables, put
 * together while a TensorBundle is read.  Pure.
 *
 * The keys of parts sort before all names, and among themselves by the name
 * of the whole and then by the slice: so parts come first, those of one
 * tensor together, and the wholes follow in the same order.
 */
#ifndef STAGING_WEIGHTS_BUNDLE_SLICES_H
#define STAGING_WEIGHTS_BUNDLE_SLICES_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/weights/tensor_bundle.h"

/* The parts of one name. */
struct bundle_group {
	char *key;	     /* owned */
	size_t first, count; /* of the bundle's slices */
};

/* Zeroed before use; private to bundle_slices.c. */
struct bundle_parts {
	struct bundle_tensor *entries; /* of each slice: its own type, shape */
	struct bundle_group *groups;
	size_t group_count;
	size_t group_next; /* the whole of it is yet to come */
};
void bundle_parts_release(struct bundle_parts *parts);
DEFINE_AUTO(bundle_parts, struct bundle_parts, bundle_parts_release)
#define auto_bundle_parts auto_of(bundle_parts)

/*
 * Adds the slice named by @key, which begins with a zero byte, to @bundle;
 * @entry is what the table says of it.  -EBADMSG; -EFBIG: too many.
 */
int bundle_parts_add(struct bundle_parts *parts, struct tensor_bundle *bundle,
		     const void *key, size_t len,
		     const struct bundle_tensor *entry) MUST_CHECK;

/*
 * Gives @whole its parts: those its entry (the @len bytes of the message)
 * lists, which tile it.  -EBADMSG: not so.
 */
int bundle_parts_attach(struct bundle_parts *parts,
			const struct tensor_bundle *bundle,
			struct bundle_tensor *whole, const void *bytes,
			size_t len) MUST_CHECK;

/* Every part has its whole. */
bool bundle_parts_done(const struct bundle_parts *parts);

#endif
