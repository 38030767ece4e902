/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

struct hasher {
	EVP_MD_CTX *ctx; /* owned */
	enum digest_kind kind;
};

/* "blob <length>" and its NUL. */
static int add_git_header(struct hasher *hasher, uint64_t content_len)
{
	char header[32];
	int len = snprintf(header, sizeof(header), "blob %" PRIu64,
			   content_len);

	return hasher_add(hasher, header, (size_t)len + 1);
}

static const EVP_MD *algorithm_of(enum digest_kind kind)
{
	switch (kind) {
	case DIGEST_GIT_SHA1:
		return EVP_sha1();
	case DIGEST_MD5:
		return EVP_md5();
	default:
		return EVP_sha256();
	}
}

static bool hasher_begin(struct hasher *hasher, uint64_t content_len)
{
	bool git = hasher->kind == DIGEST_GIT_SHA1;

	hasher->ctx = EVP_MD_CTX_new();
	if (!hasher->ctx)
		return false;
	if (EVP_DigestInit_ex(hasher->ctx, algorithm_of(hasher->kind), NULL) !=
	    1)
		return false;
	return !git || add_git_header(hasher, content_len) == 0;
}

struct hasher *hasher_new(enum digest_kind kind, uint64_t content_len)
{
	struct hasher *hasher = mem_zalloc(sizeof(*hasher));

	assert(kind != DIGEST_NONE);
	if (!hasher)
		return NULL;
	hasher->kind = kind == DIGEST_SHA256_PREFIX ? DIGEST_SHA256 : kind;
	if (!hasher_begin(hasher, content_len)) {
		hasher_free(hasher);
		return NULL;
	}
	return hasher;
}

int hasher_add(struct hasher *hasher, const void *bytes, size_t len)
{
	return EVP_DigestUpdate(hasher->ctx, bytes, len) == 1 ? 0 : -ENOMEM;
}

int hasher_finish(struct hasher *hasher, struct digest *out)
{
	struct digest digest = { .kind = hasher->kind };
	int ok = EVP_DigestFinal_ex(hasher->ctx, digest.bytes, NULL);

	hasher_free(hasher);
	if (ok != 1)
		return -ENOMEM;
	*out = digest;
	return 0;
}

void hasher_free(struct hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MD_CTX_free(hasher->ctx);
	free(hasher);
}

int sha256(const void *bytes, size_t len, uint8_t out[SHA256_BYTES])
{
	return EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL) == 1
		       ? 0
		       : -ENOMEM;
}

static size_t digest_bytes(const struct digest *digest)
{
	switch (digest->kind) {
	case DIGEST_SHA256:
		return SHA256_BYTES;
	case DIGEST_GIT_SHA1:
		return SHA1_BYTES;
	case DIGEST_MD5:
		return MD5_BYTES;
	case DIGEST_SHA256_PREFIX:
		return digest->prefix_len;
	case DIGEST_NONE:
		break;
	}
	return 0;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	size_t len = digest_bytes(a);

	return a->kind == b->kind && len == digest_bytes(b) &&
	       memcmp(a->bytes, b->bytes, len) == 0;
}

bool digest_proves(const struct digest *found, const struct digest *promised)
{
	size_t len = digest_bytes(promised);

	if (promised->kind == DIGEST_SHA256_PREFIX)
		return found->kind == DIGEST_SHA256 && len > 0 &&
		       memcmp(found->bytes, promised->bytes, len) == 0;
	return len > 0 && digest_equal(found, promised);
}

static const char *const prefixes[] = {
	[DIGEST_NONE] = "",
	[DIGEST_SHA256] = "sha256:",
	[DIGEST_GIT_SHA1] = "sha1:",
	[DIGEST_MD5] = "md5:",
	[DIGEST_SHA256_PREFIX] = "sha256-prefix:",
};

void digest_text(const struct digest *digest, char *text)
{
	const char *prefix = prefixes[digest->kind];
	size_t len = strlen(prefix);

	memcpy(text, prefix, len);
	hex_encode(digest->bytes, digest_bytes(digest), text + len);
}

int digest_of_text(const char *text, struct digest *out)
{
	if (!*text) {
		*out = (struct digest){ .kind = DIGEST_NONE };
		return 0;
	}
	for (size_t i = DIGEST_SHA256; i < ARRAY_LEN(prefixes); i++) {
		size_t len = strlen(prefixes[i]);

		if (!strncmp(text, prefixes[i], len))
			return digest_parse_as((enum digest_kind)i, text + len,
					       strlen(text + len), out);
	}
	return -EINVAL;
}

int digest_parse(const char *hex, size_t len, struct digest *out)
{
	return digest_parse_as(len == 2 * SHA1_BYTES ? DIGEST_GIT_SHA1
						     : DIGEST_SHA256,
			       hex, len, out);
}

int digest_parse_as(enum digest_kind kind, const char *hex, size_t len,
		    struct digest *out)
{
	struct digest digest = { .kind = kind };
	int r;

	if (kind == DIGEST_SHA256_PREFIX) {
		if (len < 2 * DIGEST_PREFIX_MIN || len >= 2 * SHA256_BYTES)
			return -EINVAL;
		digest.prefix_len = (uint8_t)(len / 2);
	}
	if (len != 2 * digest_bytes(&digest))
		return -EINVAL;
	r = hex_decode(hex, len / 2, digest.bytes);
	if (r == 0)
		*out = digest;
	return r;
}

/*
 * Pins go through SHA-512/256: no content has a SHA-256 equal to the key
 * of a pin, even if it holds the pin's own text.
 */
int content_key_make(const struct digest *digest, const char *pin,
		     struct content_key *out)
{
	int ok;

	if (digest->kind == DIGEST_SHA256) {
		memcpy(out->bytes, digest->bytes, SHA256_BYTES);
		return 0;
	}
	assert(pin);
	ok = EVP_Digest(pin, strlen(pin), out->bytes, NULL, EVP_sha512_256(),
			NULL);
	return ok == 1 ? 0 : -ENOMEM;
}

void content_key_hex(const struct content_key *key, char hex[CONTENT_KEY_HEX])
{
	hex_encode(key->bytes, SHA256_BYTES, hex);
}

bool content_key_equal(const struct content_key *a, const struct content_key *b)
{
	return memcmp(a->bytes, b->bytes, SHA256_BYTES) == 0;
}

uint64_t xxh3_64(const void *bytes, size_t len)
{
	return XXH3_64bits(bytes, len);
}

uint64_t xxh3_64_seed(const void *bytes, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes, len, seed);
}

void hex_encode(const void *bytes, size_t len, char *hex)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++) {
		*hex++ = digits[b[i] >> 4];
		*hex++ = digits[b[i] & 15];
	}
	*hex = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

int hex_decode(const char *hex, size_t len, void *bytes)
{
	uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++) {
		int high = hex_value(hex[2 * i]);
		int low = high < 0 ? high : hex_value(hex[2 * i + 1]);

		if (low < 0)
			return -EINVAL;
		b[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}
