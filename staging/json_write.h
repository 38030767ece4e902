/* SPDX-License-Identifier: MIT */
/*
 * staging/json_write.h - JSON, member by member.
 *
 * The first failure sticks; json_write_end() tells of it.  @key is NULL in
 * an array and for the outermost value.
 */
#ifndef STAGING_JSON_WRITE_H
#define STAGING_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/str.h"

struct json_write {
	struct str *out; /* borrowed */
	int result;
	bool comma; /* before the next member */
};

void json_write_init(struct json_write *json, struct str *out);

/* @bracket: '{' or '['. */
void json_write_open(struct json_write *json, const char *key, char bracket);
void json_write_close(struct json_write *json, char bracket);

/* @text NULL: null. */
void json_write_text(struct json_write *json, const char *key,
		     const char *text);
void json_write_u64(struct json_write *json, const char *key, uint64_t value);

/* As few digits as give the same double again. */
void json_write_double(struct json_write *json, const char *key, double value);

/* The members of @object, which is the text of a JSON object. */
void json_write_members(struct json_write *json, const char *object);

/* @value is JSON already. */
void json_write_raw(struct json_write *json, const char *key,
		    const char *value);

/* After the outermost value, for people's terminals. */
void json_write_newline(struct json_write *json);

/* 0, or the first failure. */
int json_write_end(struct json_write *json) MUST_CHECK;

#endif
