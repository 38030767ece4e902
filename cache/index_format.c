/* SPDX-License-Identifier: MIT */
#include "cache/index_format.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

/* u32 version, u32 0, u64 checksum, then the body. */
#define HEAD_BYTES 16

#define BLOB_BODY_BYTES 24
#define FLAG_VERIFIED 1u
#define FLAG_PINNED 2u

static uint64_t seal_sum(const void *key, size_t key_len, const void *body,
			 size_t body_len)
{
	return xxh3_64_seed(body, body_len,
			    xxh3_64_seed(key, key_len, INDEX_VERSION));
}

int record_seal(const void *key, size_t key_len, const void *body,
		size_t body_len, struct str *out)
{
	uint8_t head[HEAD_BYTES] = { 0 };
	int r;

	put_le32(head, INDEX_VERSION);
	put_le64(head + 8, seal_sum(key, key_len, body, body_len));
	r = str_append(out, head, sizeof(head));
	return r < 0 ? r : str_append(out, body, body_len);
}

int record_open(const void *key, size_t key_len, const void *value, size_t len,
		const uint8_t **body, size_t *body_len)
{
	const uint8_t *bytes = value;

	if (len < HEAD_BYTES || le32(bytes) != INDEX_VERSION ||
	    le32(bytes + 4) != 0)
		return -EBADMSG;
	*body = bytes + HEAD_BYTES;
	*body_len = len - HEAD_BYTES;
	if (le64(bytes + 8) != seal_sum(key, key_len, *body, *body_len))
		return -EBADMSG;
	return 0;
}

int blob_record_encode(const struct content_key *key,
		       const struct blob_record *record, struct str *out)
{
	uint8_t body[BLOB_BODY_BYTES] = { 0 };

	put_le64(body, record->size);
	put_le64(body + 8, (uint64_t)record->used_wall_s);
	put_le32(body + 16, (record->verified ? FLAG_VERIFIED : 0) |
				    (record->pinned ? FLAG_PINNED : 0));
	return record_seal(key->bytes, sizeof(key->bytes), body, sizeof(body),
			   out);
}

int blob_record_decode(const struct content_key *key, const void *value,
		       size_t len, struct blob_record *out)
{
	const uint8_t *body;
	size_t body_len;
	int r = record_open(key->bytes, sizeof(key->bytes), value, len, &body,
			    &body_len);

	if (r < 0 || body_len != BLOB_BODY_BYTES)
		return -EBADMSG;
	*out = (struct blob_record){
		.size = le64(body),
		.used_wall_s = (int64_t)le64(body + 8),
		.verified = le32(body + 16) & FLAG_VERIFIED,
		.pinned = le32(body + 16) & FLAG_PINNED,
	};
	return 0;
}

void group_key(const struct content_key *key, uint32_t group,
	       uint8_t out[GROUP_KEY_BYTES])
{
	memcpy(out, key->bytes, SHA256_BYTES);
	for (int i = 0; i < 4; i++)
		out[SHA256_BYTES + i] = (uint8_t)(group >> (24 - 8 * i));
}

int group_record_encode(const struct content_key *key, uint32_t group,
			const struct group_record *record, struct str *out)
{
	uint8_t name[GROUP_KEY_BYTES];
	uint8_t body[GROUP_BLOCKS / 8 + 8 * GROUP_BLOCKS];

	group_key(key, group, name);
	memcpy(body, record->present, sizeof(record->present));
	for (size_t i = 0; i < GROUP_BLOCKS; i++)
		put_le64(body + GROUP_BLOCKS / 8 + 8 * i, record->sums[i]);
	return record_seal(name, sizeof(name), body, sizeof(body), out);
}

int group_record_decode(const struct content_key *key, uint32_t group,
			const void *value, size_t len, struct group_record *out)
{
	uint8_t name[GROUP_KEY_BYTES];
	const uint8_t *body;
	size_t body_len;
	int r;

	group_key(key, group, name);
	r = record_open(name, sizeof(name), value, len, &body, &body_len);
	if (r < 0 || body_len != sizeof(out->present) + sizeof(out->sums))
		return -EBADMSG;
	memcpy(out->present, body, sizeof(out->present));
	for (size_t i = 0; i < GROUP_BLOCKS; i++)
		out->sums[i] = le64(body + GROUP_BLOCKS / 8 + 8 * i);
	return 0;
}
