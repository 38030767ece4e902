/* SPDX-License-Identifier: MIT */
/*
 * base/hash.h - digests and checksums.
 *
 * SHA-256, SHA-1 (git's object ids) and MD5 come from libcrypto, XXH3 from
 * libxxhash.  SHA-256 names and proves content.  MD5, and the start of a
 * SHA-256, prove it against accidents only, and never name it.  XXH3 finds
 * damage.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"

#define SHA256_BYTES 32
#define SHA1_BYTES 20
#define MD5_BYTES 16

enum digest_kind {
	DIGEST_NONE,	 /* the hub gives none */
	DIGEST_SHA256,	 /* of the content */
	DIGEST_GIT_SHA1, /* of "blob <decimal length>\0" and the content */
	DIGEST_MD5,	 /* of the content: keras.applications, GCS */

	/* the start of the content's SHA-256: torchvision's file names */
	DIGEST_SHA256_PREFIX
};

struct digest {
	enum digest_kind kind;
	uint8_t bytes[SHA256_BYTES]; /* SHA-1: the first 20; MD5: 16 */
	uint8_t prefix_len;	     /* bytes of a DIGEST_SHA256_PREFIX */
};

/* Names content for all time and on every machine. */
struct content_key {
	uint8_t bytes[SHA256_BYTES];
};

/* Room for the lower-case hex of a content_key and a NUL. */
#define CONTENT_KEY_HEX (2 * SHA256_BYTES + 1)

/*
 * A running digest of what proves a digest of @kind: the whole SHA-256 for
 * a prefix.  hasher_new() NULL: no memory.
 */
struct hasher;
struct hasher *hasher_new(enum digest_kind kind, uint64_t content_len);
int hasher_add(struct hasher *hasher, const void *bytes, size_t len) MUST_CHECK;

/* Frees @hasher, also on failure. */
int hasher_finish(struct hasher *hasher, struct digest *out) MUST_CHECK;
void hasher_free(struct hasher *hasher);

/* Of @len bytes at once. */
int sha256(const void *bytes, size_t len, uint8_t out[SHA256_BYTES]) MUST_CHECK;

bool digest_equal(const struct digest *a, const struct digest *b);

/* @found, of hasher_finish(), is what @promised says; never of NONE. */
bool digest_proves(const struct digest *found, const struct digest *promised);

/*
 * "sha256:<64 hex>", "sha1:<40 hex>", "md5:<32 hex>",
 * "sha256-prefix:<hex>" or "".  @text has DIGEST_TEXT bytes.
 */
#define DIGEST_TEXT 80
void digest_text(const struct digest *digest, char *text);

/* The digest of such a text, and of no other.  -EINVAL. */
int digest_of_text(const char *text, struct digest *out) MUST_CHECK;

/* 40 hex: a git SHA-1; 64 hex: SHA-256.  -EINVAL. */
int digest_parse(const char *hex, size_t len, struct digest *out) MUST_CHECK;

/*
 * @hex as a digest of @kind, not NONE, which says how long it must be; a
 * prefix has DIGEST_PREFIX_MIN to 31 bytes.  -EINVAL.
 */
#define DIGEST_PREFIX_MIN 4 /* torchvision's are of 4 or 5 */
int digest_parse_as(enum digest_kind kind, const char *hex, size_t len,
		    struct digest *out) MUST_CHECK;

/*
 * The key of content: its whole SHA-256 where the hub gives one, else a
 * hash of @pin, which must name these bytes for ever (url with commit, ETag,
 * size).
 */
int content_key_make(const struct digest *digest, const char *pin,
		     struct content_key *out) MUST_CHECK;
void content_key_hex(const struct content_key *key, char hex[CONTENT_KEY_HEX]);
bool content_key_equal(const struct content_key *a,
		       const struct content_key *b);

uint64_t xxh3_64(const void *bytes, size_t len);
uint64_t xxh3_64_seed(const void *bytes, size_t len, uint64_t seed);

/* @hex has 2 * @len + 1 bytes. */
void hex_encode(const void *bytes, size_t len, char *hex);

/* Exactly 2 * @len digits of either case.  -EINVAL. */
int hex_decode(const char *hex, size_t len, void *bytes) MUST_CHECK;

#endif
