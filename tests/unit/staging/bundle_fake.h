/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/staging/bundle_fake.h - TensorFlow's sorted tables, made.
 *
 * Good ones, and bad ones whose checksums are right.
 */
#ifndef TESTS_UNIT_STAGING_BUNDLE_FAKE_H
#define TESTS_UNIT_STAGING_BUNDLE_FAKE_H

#include <snappy-c.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"
#include "staging/weights/bundle_table.h"
#include "staging/weights/crc32c.h"
#include "tests/unit/unit.h"

#define FAKE_BYTES_MAX ((size_t)32 << 20)

struct fake_entry {
	const char *key;
	size_t key_len;
	const char *value;
	size_t value_len;
};

/* Of string literals, zero bytes and all. */
#define FAKE_ENTRY(key, value)                                 \
	{                                                      \
		key, sizeof(key) - 1, value, sizeof(value) - 1 \
	}

static inline void fake_add(struct str *out, const void *bytes, size_t len)
{
	assert_int_equal(str_append(out, bytes, len), 0);
}

static inline void fake_u32(struct str *out, uint32_t value)
{
	uint8_t bytes[4];

	put_le32(bytes, value);
	fake_add(out, bytes, sizeof(bytes));
}

static inline void fake_varint(struct str *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		assert_int_equal(str_append_char(out, (char)(value | 0x80)), 0);
	assert_int_equal(str_append_char(out, (char)value), 0);
}

/* Contents and trailer; the varints of its handle to @handle. */
static inline void fake_block(struct str *file, const struct str *contents,
			      char packing, struct str *handle)
{
	size_t at = file->len;

	fake_varint(handle, at);
	fake_varint(handle, contents->len);
	fake_add(file, str_text(contents), contents->len);
	fake_add(file, &packing, 1);
	fake_u32(file, crc32c_mask(crc32c(file->bytes + at, file->len - at)));
}

static inline void fake_pack(struct str *contents)
{
	size_t len = snappy_max_compressed_length(contents->len);
	auto_free char *packed = mem_alloc(len);

	assert_int_equal(snappy_compress(str_text(contents), contents->len,
					 packed, &len),
			 SNAPPY_OK);
	str_clear(contents);
	fake_add(contents, packed, len);
}

/* Keys share what they can, but for the first. */
static inline void fake_contents(struct str *out,
				 const struct fake_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct fake_entry *e = &entries[i];
		size_t shared = 0;

		while (i > 0 && shared < e->key_len && shared < e[-1].key_len &&
		       e->key[shared] == e[-1].key[shared])
			shared++;
		fake_varint(out, shared);
		fake_varint(out, e->key_len - shared);
		fake_varint(out, e->value_len);
		fake_add(out, e->key + shared, e->key_len - shared);
		fake_add(out, e->value, e->value_len);
	}
	fake_u32(out, 0);
	fake_u32(out, 1);
}

/* A block of metadata without any, the index block, the footer. */
static inline void fake_end(struct str *file, const struct str *index)
{
	static const char zeros[BUNDLE_FOOTER_BYTES];
	struct str nothing = { .len_max = FAKE_BYTES_MAX };
	struct str handles = { .len_max = BUNDLE_FOOTER_BYTES };

	fake_contents(&nothing, NULL, 0);
	fake_block(file, &nothing, 0, &handles);
	fake_block(file, index, 0, &handles);
	fake_add(&handles, zeros, 40 - handles.len);
	fake_u32(&handles, (uint32_t)BUNDLE_TABLE_MAGIC);
	fake_u32(&handles, (uint32_t)(BUNDLE_TABLE_MAGIC >> 32));
	fake_add(file, handles.bytes, handles.len);
	str_release(&handles);
	str_release(&nothing);
}

/* Blocks of @per_block entries; an index key is its block's last key. */
static inline void fake_table(struct str *file,
			      const struct fake_entry *entries, size_t count,
			      size_t per_block, bool packed)
{
	struct str index = { .len_max = FAKE_BYTES_MAX };

	for (size_t i = 0; i < count; i += per_block) {
		size_t here = u64_min(per_block, count - i);
		const struct fake_entry *last = &entries[i + here - 1];
		struct str block = { .len_max = FAKE_BYTES_MAX };
		struct str handle = { .len_max = FAKE_BYTES_MAX };

		fake_contents(&block, entries + i, here);
		if (packed)
			fake_pack(&block);
		fake_block(file, &block, packed ? 1 : 0, &handle);
		fake_varint(&index, 0);
		fake_varint(&index, last->key_len);
		fake_varint(&index, handle.len);
		fake_add(&index, last->key, last->key_len);
		fake_add(&index, handle.bytes, handle.len);
		str_release(&handle);
		str_release(&block);
	}
	fake_u32(&index, 0);
	fake_u32(&index, 1);
	fake_end(file, &index);
	str_release(&index);
}

#endif
