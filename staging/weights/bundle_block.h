/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/bundle_block.h - one block of TensorFlow's sorted table.
 * Pure.
 *
 * Facts: tensorflow/core/lib/io/format.cc, block_builder.cc, block.cc.  A
 * block is its contents, a byte for how they are packed (0 not, 1 Snappy)
 * and the masked CRC-32C of both.  The contents are entries: three varints
 * (bytes of the key shared with the one before, bytes of it that follow,
 * bytes of the value), those bytes, the value; then the places of some
 * entries that share nothing, u32 each, and their number.
 *
 * The entries are taken in order, none is sought: so it is checked that the
 * places are those of entries and that keys rise, and one who seeks would
 * find what we do.
 */
#ifndef STAGING_WEIGHTS_BUNDLE_BLOCK_H
#define STAGING_WEIGHTS_BUNDLE_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "staging/wire_read.h"

#define BUNDLE_TRAILER_BYTES 5 /* behind the contents */

/* .key and .value are for the user, the rest for bundle_block.c. */
struct bundle_block {
	struct str key; /* of the entry taken last */
	const uint8_t *value;
	size_t value_len;
	uint8_t *unpacked;	 /* owned; NULL: the contents are borrowed */
	const uint8_t *contents; /* begin with the first entry */
	struct wire entries;	 /* those not taken yet */
	const uint8_t *restarts; /* places of entries that share nothing */
	size_t restart_count, restart_next;
};

/*
 * @bytes are the contents and the trailer; they are borrowed for as long as
 * @block is used.  Release it also after a failure.  -EBADMSG; -ENOMEM.
 */
int bundle_block_open(struct bundle_block *block, const void *bytes,
		      size_t len) MUST_CHECK;

/* 1: .key and .value are the next entry's; 0: the end; -EBADMSG; -ENOMEM. */
int bundle_block_next(struct bundle_block *block) MUST_CHECK;

/* Of a zeroed one too; it may be opened again after. */
void bundle_block_release(struct bundle_block *block);
DEFINE_AUTO(bundle_block, struct bundle_block, bundle_block_release)
#define auto_bundle_block auto_of(bundle_block)

#endif
