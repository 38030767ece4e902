/* SPDX-License-Identifier: MIT */
#include "staging/archive/archive_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/archive/archive_name.h"

#define TABLE_VERSION 1

void table_init(struct archive_table *table)
{
	*table = (struct archive_table){ 0 };
	map_init(&table->by_path);
}

void table_release(struct archive_table *table)
{
	map_release(&table->by_path);
	for (size_t i = 0; i < table->count; i++)
		free(table->members[i].path);
	free(table->members);
	table_init(table);
}

/* A member whose .path is NULL is gone; table_close() drops it. */
static void drop_earlier(struct archive_table *table, const char *path,
			 size_t len)
{
	size_t slot = (size_t)map_remove_bytes(&table->by_path, path, len);

	if (!slot)
		return;
	free(take_ptr(table->members[slot - 1].path));
	table->left_out++;
}

static int make_room(struct archive_table *table)
{
	size_t cap = table->cap ? 2 * table->cap : 16;
	struct archive_member *members;

	if (table->count < table->cap)
		return 0;
	members = mem_resize(table->members, cap, sizeof(*members));
	if (!members)
		return -ENOMEM;
	table->members = members;
	table->cap = cap;
	return 0;
}

int table_add(struct archive_table *table, const char *path, size_t len,
	      struct archive_member **out)
{
	struct archive_member *member;
	int r;

	if (table->count >= ARCHIVE_MEMBERS_MAX ||
	    len + 12 > ARCHIVE_TABLE_BYTES_MAX - table->table_bytes)
		return -EFBIG;
	r = make_room(table);
	if (r < 0)
		return r;
	drop_earlier(table, path, len);
	member = &table->members[table->count];
	*member = (struct archive_member){ .path = mem_strndup(path, len) };
	if (!member->path)
		return -ENOMEM;
	table->count++;
	table->table_bytes += len + 12;
	*out = member;
	return map_add_bytes(&table->by_path, path, len, (void *)table->count);
}

int table_leave(struct archive_table *table, const char *path, size_t len)
{
	if (table->left_out >= ARCHIVE_LEFT_MAX)
		return -EFBIG;
	if (path)
		drop_earlier(table, path, len);
	table->left_out++;
	return 0;
}

/* A member that has others below it is left out. */
static void drop_shadowed(struct archive_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *path = table->members[i].path;
		const char *slash = path ? strchr(path, '/') : NULL;

		for (; slash; slash = strchr(slash + 1, '/'))
			drop_earlier(table, path, (size_t)(slash - path));
	}
}

static int by_path(const void *a, const void *b)
{
	const struct archive_member *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void table_close(struct archive_table *table)
{
	size_t kept = 0;

	drop_shadowed(table);
	for (size_t i = 0; i < table->count; i++)
		if (table->members[i].path)
			table->members[kept++] = table->members[i];
	table->count = kept;
	map_release(&table->by_path);
	if (kept > 0)
		qsort(table->members, kept, sizeof(*table->members), by_path);
}

struct archive_member *table_find(const struct archive_table *table,
				  const char *path)
{
	struct archive_member key = { .path = (char *)path };

	return table->count ? bsearch(&key, table->members, table->count,
				      sizeof(key), by_path)
			    : NULL;
}

static int put_number(struct str *out, uint64_t value, size_t bytes)
{
	uint8_t le[8];

	put_le64(le, value);
	return str_append(out, le, bytes);
}

int table_encode(const struct archive_table *table, struct str *out)
{
	int r = put_number(out, TABLE_VERSION, 4);

	r = r ?: put_number(out, table->count, 4);
	r = r ?: put_number(out, table->left_out, 8);
	for (size_t i = 0; r == 0 && i < table->count; i++) {
		const struct archive_member *member = &table->members[i];
		size_t len = strlen(member->path);

		r = put_number(out, member->size, 8);
		r = r ?: put_number(out, len, 4);
		r = r ?: str_append(out, member->path, len);
	}
	return r;
}

static int decode_member(struct cursor *c, struct archive_table *out)
{
	uint64_t size = cursor_le64(c);
	uint32_t len = cursor_le32(c);
	const char *path = (const char *)cursor_take(c, len);
	struct archive_member *member;
	size_t clean_len;
	int r;

	if (c->bad || size > ARCHIVE_MEMBER_BYTES_MAX ||
	    archive_name_clean(path, len, &clean_len) != path)
		return -EBADMSG;
	r = table_add(out, path, len, &member);
	if (r == 0)
		member->size = size;
	return r == -EFBIG ? -EBADMSG : r;
}

int table_decode(const void *bytes, size_t len, struct archive_table *out)
{
	struct cursor c = cursor_of(bytes, len);
	uint32_t version = cursor_le32(&c);
	uint32_t count = cursor_le32(&c);
	uint64_t left_out = cursor_le64(&c);
	int r = c.bad || version != TABLE_VERSION ? -EBADMSG : 0;

	for (uint32_t i = 0; r == 0 && i < count; i++)
		r = decode_member(&c, out);
	if (r == 0 && (cursor_left(&c) > 0 || out->left_out > 0))
		r = -EBADMSG;
	if (r == 0)
		table_close(out);
	if (r == 0 && (out->count != count || out->left_out > 0))
		r = -EBADMSG;
	out->left_out = left_out;
	return r;
}
