/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "cache/index_format.h"

#define VALUE_MAX ((size_t)1 << 20)
#define GROUP 3

static const struct content_key key = { { 1, 2, 3 } };

/* What was taken says the same once more. */
static void try_blob(const void *value, size_t len)
{
	auto_str struct str again;
	struct blob_record record, other;

	str_init(&again, VALUE_MAX);
	if (blob_record_decode(&key, value, len, &record) < 0)
		return;
	assert(blob_record_encode(&key, &record, &again) == 0);
	assert(again.len == len);
	assert(blob_record_decode(&key, again.bytes, len, &other) == 0);
	assert(record.size == other.size);
	assert(record.used_wall_s == other.used_wall_s);
	assert(record.verified == other.verified);
	assert(record.pinned == other.pinned);
}

static void try_group(const void *value, size_t len)
{
	auto_str struct str again;
	struct group_record record;

	str_init(&again, VALUE_MAX);
	if (group_record_decode(&key, GROUP, value, len, &record) < 0)
		return;
	assert(group_record_encode(&key, GROUP, &record, &again) == 0);
	assert(again.len == len && memcmp(again.bytes, value, len) == 0);
}

/* As it is, and as a body sealed well, or few inputs would get past that. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_str struct str blob, group;
	uint8_t name[GROUP_KEY_BYTES];

	str_init(&blob, VALUE_MAX);
	str_init(&group, VALUE_MAX);
	try_blob(data, len);
	try_group(data, len);
	group_key(&key, GROUP, name);
	if (record_seal(key.bytes, sizeof(key.bytes), data, len, &blob) < 0 ||
	    record_seal(name, sizeof(name), data, len, &group) < 0)
		return 0;
	try_blob(blob.bytes, blob.len);
	try_group(group.bytes, group.len);
	return 0;
}
