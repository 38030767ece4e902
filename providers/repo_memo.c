/* SPDX-License-Identifier: MIT */
#include "providers/repo_memo.h"

#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "providers/repo_files.h"

#define MEMO_VERSION 1
#define MEMO_NULL UINT32_MAX
#define MEMO_GATED 1
#define MEMO_FILE_BYTES_MIN 17 /* a path of one byte, no digest */

static const char magic[4] = "OHRP";

static int put_u32(struct str *out, uint32_t value)
{
	uint8_t bytes[4];

	put_le32(bytes, value);
	return str_append(out, bytes, sizeof(bytes));
}

static int put_u64(struct str *out, uint64_t value)
{
	uint8_t bytes[8];

	put_le64(bytes, value);
	return str_append(out, bytes, sizeof(bytes));
}

static int put_text(struct str *out, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	int r;

	if (len >= MEMO_NULL)
		return -EFBIG;
	r = put_u32(out, text ? (uint32_t)len : MEMO_NULL);
	return r < 0 || !len ? r : str_append(out, text, len);
}

static size_t digest_len(uint32_t kind)
{
	switch (kind) {
	case DIGEST_SHA256:
		return SHA256_BYTES;
	case DIGEST_GIT_SHA1:
		return SHA1_BYTES;
	case DIGEST_MD5:
		return MD5_BYTES;
	default:
		return 0;
	}
}

static int put_file(struct str *out, const struct repo_file *file)
{
	uint32_t kind = file->digest.kind;
	int r = put_text(out, file->path);

	if (kind == DIGEST_SHA256_PREFIX)
		kind = DIGEST_NONE; /* the hub's catalogue has it again */

	if (r == 0)
		r = put_u64(out, file->size);
	if (r == 0)
		r = put_u32(out, kind);
	if (r == 0 && digest_len(kind))
		r = str_append(out, file->digest.bytes, digest_len(kind));
	return r;
}

static int put_fields(struct str *out, const struct repo *repo)
{
	const char *texts[] = { repo->id, repo->revision, repo->url,
				repo->licence, repo->pipeline_tag };
	int r = str_append(out, magic, sizeof(magic));

	if (r == 0)
		r = put_u32(out, MEMO_VERSION);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		r = put_text(out, texts[i]);
	if (r == 0)
		r = put_u64(out, (uint64_t)repo->modified_wall_s);
	if (r == 0)
		r = put_u32(out, repo->gated ? MEMO_GATED : 0);
	return r;
}

int repo_memo_encode(const struct repo *repo, struct str *out)
{
	size_t start = out->len;
	int r = put_fields(out, repo);

	if (r == 0)
		r = put_u32(out, (uint32_t)repo->file_count);
	for (size_t i = 0; r == 0 && i < repo->file_count; i++)
		r = put_file(out, &repo->files[i]);
	if (r == 0)
		r = put_u64(out, xxh3_64(out->bytes + start, out->len - start));
	return r;
}

static int take_text(struct cursor *c, char **out)
{
	uint32_t len = cursor_le32(c);
	const uint8_t *bytes;

	if (c->bad || len == MEMO_NULL)
		return 0;
	bytes = cursor_take(c, len);
	if (!bytes || memchr(bytes, 0, len)) {
		c->bad = true;
		return 0;
	}
	*out = mem_strndup((const char *)bytes, len);
	return *out ? 0 : -ENOMEM;
}

static int take_fields(struct cursor *c, struct repo *repo)
{
	char **texts[] = { &repo->id, &repo->revision, &repo->url,
			   &repo->licence, &repo->pipeline_tag };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		r = take_text(c, texts[i]);
	repo->modified_wall_s = (int64_t)cursor_le64(c);
	repo->gated = cursor_le32(c) & MEMO_GATED;
	return r;
}

static int take_file(struct cursor *c, struct repo_files *files)
{
	uint32_t path_len = cursor_le32(c);
	const uint8_t *path = cursor_take(c, path_len);
	uint64_t size = cursor_le64(c);
	uint32_t kind = cursor_le32(c);
	const uint8_t *bytes = cursor_take(c, digest_len(kind));
	struct digest digest = { .kind = DIGEST_NONE };

	if (c->bad || kind > DIGEST_MD5)
		return -EBADMSG;
	digest.kind = (enum digest_kind)kind;
	memcpy(digest.bytes, bytes, digest_len(kind));
	return repo_files_add(files, (const char *)path, path_len, size,
			      &digest);
}

static int take_files(struct cursor *c, struct repo *repo)
{
	auto_repo_files struct repo_files files = { 0 };
	uint32_t count = cursor_le32(c);
	int r = 0;

	if (c->bad || count > cursor_left(c) / MEMO_FILE_BYTES_MIN)
		return -EBADMSG;
	for (uint32_t i = 0; r == 0 && i < count; i++)
		r = take_file(c, &files);
	if (r == 0)
		r = repo_files_finish(&files, repo);
	if (r == 0 && files.hidden)
		r = -EBADMSG;
	return r;
}

/* The checksum at the end holds. */
static bool is_whole(const void *bytes, size_t len)
{
	return len > 8 && le64((const uint8_t *)bytes + len - 8) ==
				  xxh3_64(bytes, len - 8);
}

int repo_memo_decode(const void *bytes, size_t len, struct repo *repo)
{
	struct cursor c;
	const uint8_t *head;
	int r;

	if (!is_whole(bytes, len))
		return -EBADMSG;
	c = cursor_of(bytes, len - 8);
	head = cursor_take(&c, sizeof(magic));
	if (!head || memcmp(head, magic, sizeof(magic)) ||
	    cursor_le32(&c) != MEMO_VERSION)
		return -EBADMSG;
	r = take_fields(&c, repo);
	if (r == 0)
		r = take_files(&c, repo);
	if (r == 0 && (c.bad || cursor_left(&c)))
		r = -EBADMSG;
	return r;
}
