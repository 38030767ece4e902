/* SPDX-License-Identifier: MIT */
/*
 * base/json.h - strict JSON (RFC 8259), read only.  Sole user of cJSON.
 *
 * Stricter than cJSON: nothing after the value, no duplicate keys, no
 * invalid UTF-8, no "\u0000", no raw control bytes, numbers in RFC form
 * only, bounded depth, size and count of values.  Keys are looked up by
 * case, and by hash in big objects.
 *
 * Values are borrowed from their document and live as long as it does.
 * Every accessor takes NULL and answers as for a missing value, so that
 *	json_u64(json_get(json_get(root, "lfs"), "size"), &size)
 * needs one check.
 *
 * Threads: a parsed document is immutable.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"

struct json_doc;
struct json;

enum json_kind {
	JSON_MISSING,
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

/*
 * Parses @len bytes, which are not kept.  @len_max bounds the input (a
 * limit of base/limits.h).  On success the caller frees *@out.
 * -EFBIG: longer than @len_max, too deep or too many values; -EBADMSG:
 * not strict JSON; -ENOMEM.
 */
int json_parse(const void *bytes, size_t len, size_t len_max,
	       struct json_doc **out) MUST_CHECK;
void json_free(struct json_doc *doc);
const struct json *json_root(const struct json_doc *doc);

DEFINE_AUTO_PTR(json, struct json_doc, json_free)
#define auto_json auto_of(json)

enum json_kind json_kind(const struct json *value);

/* NULL: no such key, or @object is none. */
const struct json *json_get(const struct json *object, const char *key);

/* Elements of an array, members of an object; else 0. */
size_t json_count(const struct json *value);

/* Walking: the first child, then the next; NULL at the end. */
const struct json *json_first(const struct json *value);
const struct json *json_next(const struct json *child);

/* The key of a member of an object. */
const char *json_key(const struct json *child);

/* NULL: not a string. */
const char *json_string(const struct json *value);

/* @otherwise: not of that kind. */
bool json_bool(const struct json *value, bool otherwise);

/* Exact integers only, read from the text.  False: anything else. */
bool json_u64(const struct json *value, uint64_t *out);
bool json_i64(const struct json *value, int64_t *out);

/* A finite number.  False: anything else. */
bool json_double(const struct json *value, double *out);

#endif
