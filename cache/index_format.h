/* SPDX-License-Identifier: MIT */
/*
 * cache/index_format.h - records of the index, as bytes.  Pure.
 *
 * LMDB has no checksums of its own pages, so every value carries its
 * version, its key and a checksum.  What does not decode is absent.
 * The bytes are described in cache/README.md.
 */
#ifndef CACHE_INDEX_FORMAT_H
#define CACHE_INDEX_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/hash.h"
#include "base/str.h"

#define INDEX_VERSION 1

/* Blocks of one group record: 16 MiB. */
#define GROUP_BLOCKS 256

struct blob_record {
	uint64_t size;
	int64_t used_wall_s;
	bool verified;
	bool pinned;
};

struct group_record {
	uint8_t present[GROUP_BLOCKS / 8];
	uint64_t sums[GROUP_BLOCKS];
};

/* Wraps @body for @key.  The key is part of what is checked. */
int record_seal(const void *key, size_t key_len, const void *body,
		size_t body_len, struct str *out) MUST_CHECK;

/*
 * The body within @value, borrowed.  -EBADMSG: damaged, of another key or
 * of another version.
 */
int record_open(const void *key, size_t key_len, const void *value, size_t len,
		const uint8_t **body, size_t *body_len) MUST_CHECK;

int blob_record_encode(const struct content_key *key,
		       const struct blob_record *record,
		       struct str *out) MUST_CHECK;
int blob_record_decode(const struct content_key *key, const void *value,
		       size_t len, struct blob_record *out) MUST_CHECK;

/* 32 bytes of the content's key and the number of the group, big-endian. */
#define GROUP_KEY_BYTES (SHA256_BYTES + 4)
void group_key(const struct content_key *key, uint32_t group,
	       uint8_t out[GROUP_KEY_BYTES]);
int group_record_encode(const struct content_key *key, uint32_t group,
			const struct group_record *record,
			struct str *out) MUST_CHECK;
int group_record_decode(const struct content_key *key, uint32_t group,
			const void *value, size_t len,
			struct group_record *out) MUST_CHECK;

#endif
