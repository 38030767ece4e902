/* SPDX-License-Identifier: MIT */
/*
 * The table of a tar across mounts, or that it was refused: under
 * "archive/1/<hex of its key>", as archive_table.h says, or u32 2, the word,
 * NUL, the sentence, NUL.  The 1 of the key is raised when what is read, or
 * refused, of the same bytes changes.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/memo.h"
#include "base/mem.h"
#include "staging/archive/job.h"

#define REFUSED_VERSION 2

static char *memo_key(const struct archive *archive)
{
	char hex[CONTENT_KEY_HEX];

	content_key_hex(&archive->blob->key, hex);
	return mem_printf("archive/1/%s", hex);
}

/* -EBADMSG and @why; -ENOENT: it says nothing of that kind. */
static int recall_refusal(const struct str *value, struct refusal *why)
{
	const char *code = value->bytes + 4;
	const char *end = value->bytes + value->len, *reason;

	if (value->len < 6 || le32(value->bytes) != REFUSED_VERSION ||
	    end[-1] != '\0')
		return -ENOENT;
	reason = code + strlen(code) + 1;
	if (reason >= end)
		return -ENOENT;
	return refuse(why, code, NULL, "%s", reason);
}

int archive_recall(struct archive *bare, struct archive **out,
		   struct refusal *why)
{
	auto_free char *key = memo_key(bare);
	auto_table struct archive_table table = { 0 };
	auto_str struct str value = { 0 };
	int r;

	str_init(&value, ARCHIVE_TABLE_BYTES_MAX + 64);
	table_init(&table);
	if (!key)
		return -ENOMEM;
	r = memo_get(bare->memo, key, &value, NULL);
	if (r < 0)
		return -ENOENT;
	r = recall_refusal(&value, why);
	if (r != -ENOENT)
		return r;
	r = table_decode(str_text(&value), value.len, &table);
	if (r == 0)
		return archive_new_like(bare, &table, NULL, out);
	return r == -EBADMSG ? -ENOENT : r;
}

void archive_remember(const struct archive *archive)
{
	auto_free char *key = memo_key(archive);
	auto_str struct str value = { 0 };

	str_init(&value, ARCHIVE_TABLE_BYTES_MAX + 64);
	if (key && table_encode(&archive->table, &value) == 0)
		memo_put(archive->memo, key, str_text(&value), value.len);
}

void archive_remember_refusal(const struct archive *bare,
			      const struct refusal *why)
{
	auto_free char *key = memo_key(bare);
	auto_str struct str value = { 0 };
	uint8_t version[4];
	int r;

	if (!key || !why->code || !why->reason)
		return;
	put_le32(version, REFUSED_VERSION);
	str_init(&value, ARCHIVE_TABLE_BYTES_MAX);
	r = str_append(&value, version, sizeof(version));
	r = r ?: str_append(&value, why->code, strlen(why->code) + 1);
	r = r ?: str_append(&value, why->reason, strlen(why->reason) + 1);
	if (r == 0)
		memo_put(bare->memo, key, str_text(&value), value.len);
}
