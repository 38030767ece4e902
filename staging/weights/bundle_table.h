/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/bundle_table.h - TensorFlow's sorted table, entry by entry.
 * Pure.
 *
 * Facts: tensorflow/core/lib/io/format.cc, table.cc, table_builder.cc.  The
 * last 48 bytes are two handles (varint offset, varint size) of a block of
 * metadata, which holds nothing, and of the index block, zeros up to byte
 * 40, and the magic number.  The index block leads from keys to handles of
 * data blocks: each key is not below the last one of its block and below the
 * first one of the next.
 *
 * Keys rise over the whole table, so none is there twice; the blocks rise in
 * the file and do not overlap, so none is read twice.
 */
#ifndef STAGING_WEIGHTS_BUNDLE_TABLE_H
#define STAGING_WEIGHTS_BUNDLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/weights/bundle_block.h"

#define BUNDLE_FOOTER_BYTES 48
#define BUNDLE_TABLE_MAGIC 0xdb4775248b80fb57u

/* .data's key and value are the entry taken last; the rest is private. */
struct bundle_table {
	const uint8_t *bytes; /* borrowed */
	size_t len;	      /* without the footer */
	size_t data_end;      /* of the data blocks so far */
	struct bundle_block index;
	struct bundle_block data;
	struct str bound; /* the index block's key of the block before */
	bool started;	  /* .data is open, .index.key is its key */
};

/*
 * @bytes are the whole file, borrowed for as long as @table is used.
 * Release it also after a failure.  -EBADMSG; -ENOMEM.
 */
int bundle_table_open(struct bundle_table *table, const void *bytes,
		      size_t len) MUST_CHECK;

/* 1: .data.key and .data.value are the next entry's; 0: the end; -errno. */
int bundle_table_next(struct bundle_table *table) MUST_CHECK;

/* Of a zeroed one too. */
void bundle_table_release(struct bundle_table *table);
DEFINE_AUTO(bundle_table, struct bundle_table, bundle_table_release)
#define auto_bundle_table auto_of(bundle_table)

#endif
