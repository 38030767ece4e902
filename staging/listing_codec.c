/* SPDX-License-Identifier: MIT */
/*
 * A listing as bytes, all numbers little-endian:
 *
 *	u32 magic "OHLS", u32 version, u32 entries,
 *	each entry: u32 what, u32 length of name, u64 length of body,
 *		    name, body,
 *	u64 XXH3 of all before.
 *
 * The body of a generated file is its bytes, that of a plan its encoding,
 * that of a deferred file u64 size and its path.
 */
#include "staging/stage_listing.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/deferred.h"

#define LISTING_MAGIC 0x534c484f
#define LISTING_VERSION 2
#define LISTING_HEADER_BYTES 12
#define LISTING_ENTRY_BYTES 16
#define LISTING_SUM_BYTES 8

enum listing_what {
	LISTING_DIR,
	LISTING_BYTES,
	LISTING_PLAN,
	LISTING_DEFERRED
};

static int put_bytes(const struct stage_entry *entry, struct str *out)
{
	size_t len = entry->content->size;
	auto_free void *bytes = mem_alloc(len + 1);
	int r;

	if (!bytes)
		return -ENOMEM;
	r = content_copy(entry->content, 0, len, bytes);
	return r < 0 ? r : str_append(out, bytes, len);
}

static int put_deferred(const struct stage_entry *entry, struct str *out)
{
	uint8_t size[8];
	int r;

	put_le64(size, entry->content->size);
	r = str_append(out, size, sizeof(size));
	return r < 0 ? r : str_append_text(out, deferred_path(entry->content));
}

static int put_body(const struct stage_entry *entry, enum listing_what *what,
		    struct str *out)
{
	if (entry->kind == STAGE_DIR) {
		*what = LISTING_DIR;
		return 0;
	}
	if (deferred_path(entry->content)) {
		*what = LISTING_DEFERRED;
		return put_deferred(entry, out);
	}
	if (content_plan(entry->content)) {
		*what = LISTING_PLAN;
		return plan_encode(content_plan(entry->content), out);
	}
	*what = LISTING_BYTES;
	return content_blob(entry->content) ? -ENOTSUP : put_bytes(entry, out);
}

static int put_entry(const struct stage_entry *entry, struct str *out)
{
	uint8_t head[LISTING_ENTRY_BYTES];
	auto_str struct str body;
	enum listing_what what;
	int r;

	str_init(&body, out->len_max);
	r = put_body(entry, &what, &body);
	if (r < 0)
		return r;
	put_le32(head, what);
	put_le32(head + 4, (uint32_t)strlen(entry->name));
	put_le64(head + 8, body.len);
	r = str_append(out, head, sizeof(head));
	if (r == 0)
		r = str_append_text(out, entry->name);
	return r < 0 ? r : str_append(out, str_text(&body), body.len);
}

int listing_encode(const struct stage_listing *listing, struct str *out)
{
	uint8_t head[LISTING_HEADER_BYTES], sum[LISTING_SUM_BYTES];
	size_t start = out->len;
	int r;

	put_le32(head, LISTING_MAGIC);
	put_le32(head + 4, LISTING_VERSION);
	put_le32(head + 8, (uint32_t)listing->count);
	r = str_append(out, head, sizeof(head));
	for (size_t i = 0; r == 0 && i < listing->count; i++)
		r = put_entry(&listing->entries[i], out);
	if (r < 0)
		return r;
	put_le64(sum, xxh3_64(out->bytes + start, out->len - start));
	return str_append(out, sum, sizeof(sum));
}

static int take_bytes(const char *name, const uint8_t *body, size_t len,
		      struct stage_listing *out)
{
	auto_str struct str text;
	int r;

	str_init(&text, len + 1);
	r = str_append(&text, body, len);
	return r < 0 ? r : stage_listing_add_text(out, name, &text);
}

static int take_plan(const struct stage_repo *repo, const char *name,
		     const uint8_t *body, size_t len, struct stage_listing *out)
{
	struct plan *plan;
	int r = plan_decode(body, len, &plan);

	return r < 0 ? r : stage_listing_add_plan(out, name, repo, plan);
}

static int take_deferred(const struct stage_repo *repo, const char *name,
			 const uint8_t *body, size_t len,
			 struct stage_listing *out)
{
	auto_free char *path = NULL;
	struct content *content;
	int r;

	if (len <= 8 || memchr(body + 8, 0, len - 8))
		return -EBADMSG;
	path = mem_strndup((const char *)body + 8, len - 8);
	if (!path)
		return -ENOMEM;
	r = deferred_new(repo, path, le64(body), &content);
	return r < 0 ? r : stage_listing_add(out, name, content, NULL);
}

static int take_entry(const struct stage_repo *repo, struct cursor *c,
		      struct stage_listing *out)
{
	uint32_t what = cursor_le32(c), name_len = cursor_le32(c);
	uint64_t body_len = cursor_le64(c);
	const uint8_t *text = cursor_take(c, name_len);
	const uint8_t *body = cursor_take(c, body_len);
	auto_free char *name = NULL;

	if (c->bad || name_len == 0 || name_len > NAME_BYTES_MAX ||
	    memchr(text, 0, name_len))
		return -EBADMSG;
	name = mem_strndup((const char *)text, name_len);
	if (!name)
		return -ENOMEM;
	switch (what) {
	case LISTING_DIR:
		return stage_listing_add_dir(out, name);
	case LISTING_BYTES:
		return take_bytes(name, body, body_len, out);
	case LISTING_PLAN:
		return take_plan(repo, name, body, body_len, out);
	case LISTING_DEFERRED:
		return take_deferred(repo, name, body, body_len, out);
	default:
		return -EBADMSG;
	}
}

int listing_decode(const struct stage_repo *repo, const void *bytes, size_t len,
		   struct stage_listing *out)
{
	auto_stage_listing struct stage_listing listing = { 0 };
	struct cursor c;
	uint32_t count;
	int r = 0;

	if (len < LISTING_HEADER_BYTES + LISTING_SUM_BYTES)
		return -EBADMSG;
	len -= LISTING_SUM_BYTES;
	if (le64((const uint8_t *)bytes + len) != xxh3_64(bytes, len))
		return -EBADMSG;
	c = cursor_of(bytes, len);
	if (cursor_le32(&c) != LISTING_MAGIC ||
	    cursor_le32(&c) != LISTING_VERSION)
		return -EBADMSG;
	count = cursor_le32(&c);
	for (uint32_t i = 0; r == 0 && i < count; i++)
		r = take_entry(repo, &c, &listing);
	if (r < 0)
		return r;
	if (cursor_left(&c) > 0)
		return -EBADMSG;
	*out = listing;
	listing = (struct stage_listing){ 0 };
	return 0;
}
