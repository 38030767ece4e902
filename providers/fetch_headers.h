/* SPDX-License-Identifier: MIT */
/*
 * providers/fetch_headers.h - header fields, read strictly.
 *
 * Pure.  The values are hostile; NULL is no value, and malformed.
 */
#ifndef PROVIDERS_FETCH_HEADERS_H
#define PROVIDERS_FETCH_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/hash.h"

/* "bytes 0-99/1000" is { 0, 99, 1000 } (RFC 9110, 14.4). */
struct content_range {
	uint64_t first;
	uint64_t last;
	uint64_t total;
};

/* -EINVAL also where the total is unknown, or not past @last. */
int content_range_parse(const char *text, struct content_range *out) MUST_CHECK;

/* 1000 of "bytes * / 1000" (no spaces), which goes with 416.  -EINVAL. */
int content_range_total(const char *text, uint64_t *out) MUST_CHECK;

/*
 * Retry-After, seconds or a date, as seconds from @now_wall_s; more than
 * RETRY_AFTER_S_MAX becomes that, a date gone by 0.  -EINVAL.
 */
int retry_after_parse(const char *text, int64_t now_wall_s,
		      uint64_t *wait_s) MUST_CHECK;

/*
 * RateLimit, "\"resolvers\";r=2998;t=172": what remains, and seconds to
 * the reset (draft-ietf-httpapi-ratelimit-headers).  -EINVAL.
 */
int rate_limit_parse(const char *text, uint64_t *remaining,
		     uint64_t *reset_s) MUST_CHECK;

/*
 * The MD5 of x-goog-hash, "crc32c=<base64>,md5=<base64>"
 * (https://cloud.google.com/storage/docs/xml-api/reference-headers).
 * -EINVAL: it has none, or it is malformed.
 */
int goog_hash_parse(const char *text, struct digest *out) MUST_CHECK;

/* Without W/ and quotes; caller frees.  -EINVAL, -ENOMEM. */
int etag_parse(const char *text, char **out) MUST_CHECK;

/*
 * When a signed URL ends, in wall time: Expires=<seconds since 1970>, or
 * X-Amz-Date=<date> and X-Amz-Expires=<seconds>.  -ENOENT: it does not say.
 */
int signed_url_expiry(const char *url, int64_t *wall_s) MUST_CHECK;

#endif
