/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

/* Below this, comparing keys one by one is as fast as hashing. */
#define INDEX_MEMBERS_MIN 16

/*
 * A struct json is a cJSON.  cJSON leaves valuestring NULL in numbers and
 * objects, and valueint unused in arrays and objects; here
 *
 * J1  valuestring of a number is its struct json_number, in doc->numbers;
 * J2  valuestring of an object is its struct index, or NULL if it is small;
 * J3  valueint of an array or object is the count of its children.
 */
struct json_doc {
	cJSON *root;		     /* owned */
	struct json_number *numbers; /* owned */
	struct index *indexes;	     /* owned */
};

/* The members of a big object by key. */
struct index {
	struct map map;
	cJSON *object;
	struct index *next;
};

static const cJSON *node_of(const struct json *value)
{
	return (const cJSON *)value;
}

static const struct json *json_of(const cJSON *node)
{
	return (const struct json *)node;
}

static int index_members(struct json_doc *doc, cJSON *object)
{
	struct index *index = mem_alloc(sizeof(*index));

	if (!index)
		return -ENOMEM;
	map_init(&index->map);
	index->object = object;
	index->next = doc->indexes;
	doc->indexes = index;
	object->valuestring = (char *)index; /* J2 */
	for (cJSON *child = object->child; child; child = child->next) {
		int r = map_add(&index->map, child->string, child);

		if (r < 0)
			return r == -EEXIST ? -EBADMSG : r;
	}
	return 0;
}

static int compare_members(const cJSON *object)
{
	for (const cJSON *a = object->child; a; a = a->next)
		for (const cJSON *b = a->next; b; b = b->next)
			if (strcmp(a->string, b->string) == 0)
				return -EBADMSG;
	return 0;
}

static int dress_container(struct json_doc *doc, cJSON *node)
{
	node->valueint = cJSON_GetArraySize(node); /* J3 */
	if (!cJSON_IsObject(node))
		return 0;
	if (node->valueint >= INDEX_MEMBERS_MIN)
		return index_members(doc, node);
	return compare_members(node);
}

/* IsReference keeps cJSON from freeing what it does not own. */
static void dress_number(cJSON *node, struct json_number *number)
{
	node->type |= cJSON_IsReference;
	node->valuestring = (char *)number; /* J1 */
}

/* Walks the tree in the order of the text. */
static int dress(struct json_doc *doc)
{
	cJSON *parents[JSON_DEPTH_MAX];
	struct json_number *number = doc->numbers;
	size_t depth = 0;
	cJSON *node = doc->root;

	while (node) {
		int r = 0;

		if (cJSON_IsNumber(node))
			dress_number(node, number++);
		else if (cJSON_IsArray(node) || cJSON_IsObject(node))
			r = dress_container(doc, node);
		if (r < 0)
			return r;
		if (!cJSON_IsNumber(node) && node->child) {
			parents[depth++] = node;
			node = node->child;
			continue;
		}
		while (!node->next && depth > 0)
			node = parents[--depth];
		node = node->next;
	}
	return 0;
}

int json_parse(const void *bytes, size_t len, size_t len_max,
	       struct json_doc **out)
{
	auto_json struct json_doc *doc = NULL;
	int r;

	if (len > len_max)
		return -EFBIG;
	doc = mem_zalloc(sizeof(*doc));
	if (!doc)
		return -ENOMEM;
	r = json_scan(bytes, len, &doc->numbers);
	if (r < 0)
		return r;
	doc->root = cJSON_ParseWithLengthOpts(bytes, len, NULL, 0);
	if (!doc->root)
		return -ENOMEM; /* what was scanned has no other fault */
	r = dress(doc);
	if (r == 0)
		*out = take_ptr(doc);
	return r;
}

void json_free(struct json_doc *doc)
{
	if (!doc)
		return;
	while (doc->indexes) {
		struct index *index = doc->indexes;

		doc->indexes = index->next;
		index->object->valuestring = NULL;
		map_release(&index->map);
		free(index);
	}
	cJSON_Delete(doc->root);
	free(doc->numbers);
	free(doc);
}

const struct json *json_root(const struct json_doc *doc)
{
	return json_of(doc->root);
}

enum json_kind json_kind(const struct json *value)
{
	switch (value ? node_of(value)->type & 0xff : cJSON_Invalid) {
	case cJSON_NULL:
		return JSON_NULL;
	case cJSON_False:
	case cJSON_True:
		return JSON_BOOL;
	case cJSON_Number:
		return JSON_NUMBER;
	case cJSON_String:
		return JSON_STRING;
	case cJSON_Array:
		return JSON_ARRAY;
	case cJSON_Object:
		return JSON_OBJECT;
	default:
		return JSON_MISSING;
	}
}

static bool is_container(const struct json *value)
{
	enum json_kind kind = json_kind(value);

	return kind == JSON_ARRAY || kind == JSON_OBJECT;
}

const struct json *json_get(const struct json *object, const char *key)
{
	const struct index *index;

	if (json_kind(object) != JSON_OBJECT)
		return NULL;
	index = (const void *)node_of(object)->valuestring;
	if (index)
		return map_get(&index->map, key);
	for (const cJSON *child = node_of(object)->child; child;
	     child = child->next)
		if (strcmp(child->string, key) == 0)
			return json_of(child);
	return NULL;
}

size_t json_count(const struct json *value)
{
	return is_container(value) ? (size_t)node_of(value)->valueint : 0;
}

const struct json *json_first(const struct json *value)
{
	return is_container(value) ? json_of(node_of(value)->child) : NULL;
}

const struct json *json_next(const struct json *child)
{
	return child ? json_of(node_of(child)->next) : NULL;
}

const char *json_key(const struct json *child)
{
	return child ? node_of(child)->string : NULL;
}

const char *json_string(const struct json *value)
{
	return json_kind(value) == JSON_STRING ? node_of(value)->valuestring
					       : NULL;
}

bool json_bool(const struct json *value, bool otherwise)
{
	return json_kind(value) == JSON_BOOL ? cJSON_IsTrue(node_of(value))
					     : otherwise;
}

/* NULL: not an exact integer. */
static const struct json_number *integer_of(const struct json *value)
{
	const struct json_number *number;

	if (json_kind(value) != JSON_NUMBER)
		return NULL;
	number = (const void *)node_of(value)->valuestring;
	return number->exact ? number : NULL;
}

bool json_u64(const struct json *value, uint64_t *out)
{
	const struct json_number *number = integer_of(value);

	if (!number || number->negative)
		return false;
	*out = number->magnitude;
	return true;
}

bool json_i64(const struct json *value, int64_t *out)
{
	const struct json_number *number = integer_of(value);
	uint64_t max = INT64_MAX;

	if (!number || number->magnitude > max + number->negative)
		return false;
	*out = number->negative ? -(int64_t)(number->magnitude - 1) - 1
				: (int64_t)number->magnitude;
	return true;
}

bool json_double(const struct json *value, double *out)
{
	if (json_kind(value) != JSON_NUMBER ||
	    !isfinite(node_of(value)->valuedouble))
		return false;
	*out = node_of(value)->valuedouble;
	return true;
}
