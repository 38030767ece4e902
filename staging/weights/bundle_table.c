/* SPDX-License-Identifier: MIT */
#include "staging/weights/bundle_table.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"

#define MAGIC_AT 40 /* in the footer */

struct handle {
	size_t off;
	size_t len; /* with the trailer */
};

/* The block lies before the footer. */
static int take_handle(const struct bundle_table *table, struct wire *from,
		       struct handle *out)
{
	uint64_t off, len;

	if (!wire_varint(from, &off) || !wire_varint(from, &len) ||
	    !u64_add(len, BUNDLE_TRAILER_BYTES, &len) || off > table->len ||
	    len > table->len - off)
		return -EBADMSG;
	*out = (struct handle){ (size_t)off, (size_t)len };
	return 0;
}

static int check_metadata(const struct bundle_table *table,
			  const struct handle *handle)
{
	auto_bundle_block struct bundle_block block = { 0 };
	int r = bundle_block_open(&block, table->bytes + handle->off,
				  handle->len);

	if (r == 0)
		r = bundle_block_next(&block);
	return r > 0 ? -EBADMSG : r;
}

int bundle_table_open(struct bundle_table *table, const void *bytes, size_t len)
{
	struct handle metadata, index;
	const uint8_t *footer;
	struct wire handles;
	int r;

	*table = (struct bundle_table){ .bytes = bytes };
	str_init(&table->bound, BUNDLE_KEY_BYTES_MAX);
	if (len < BUNDLE_FOOTER_BYTES)
		return -EBADMSG;
	table->len = len - BUNDLE_FOOTER_BYTES;
	footer = table->bytes + table->len;
	wire_init(&handles, footer, MAGIC_AT);
	if (le64(footer + MAGIC_AT) != BUNDLE_TABLE_MAGIC ||
	    take_handle(table, &handles, &metadata) < 0 ||
	    take_handle(table, &handles, &index) < 0)
		return -EBADMSG;
	for (; handles.at < handles.end; handles.at++)
		if (*handles.at != 0)
			return -EBADMSG;
	r = check_metadata(table, &metadata);
	if (r < 0)
		return r;
	return bundle_block_open(&table->index, table->bytes + index.off,
				 index.len);
}

static bool is_above(const struct str *a, const struct str *b)
{
	int order = memcmp(str_text(a), str_text(b), u64_min(a->len, b->len));

	return order != 0 ? order > 0 : a->len > b->len;
}

/* Opens the next block.  Its first key is above those the last one may have. */
static int open_data(struct bundle_table *table, const struct handle *handle)
{
	int r;

	bundle_block_release(&table->data);
	r = bundle_block_open(&table->data, table->bytes + handle->off,
			      handle->len);
	if (r == 0)
		r = bundle_block_next(&table->data);
	if (r < 0)
		return r;
	if (r == 0 ||
	    (table->started && !is_above(&table->data.key, &table->bound)))
		return -EBADMSG;
	table->started = true;
	return r;
}

static int next_block(struct bundle_table *table)
{
	struct handle handle;
	struct wire value;
	int r;

	if (table->started && is_above(&table->data.key, &table->index.key))
		return -EBADMSG;
	str_clear(&table->bound);
	r = str_append(&table->bound, str_text(&table->index.key),
		       table->index.key.len);
	if (r == 0)
		r = bundle_block_next(&table->index);
	if (r <= 0)
		return r;
	wire_init(&value, table->index.value, table->index.value_len);
	if (take_handle(table, &value, &handle) < 0 || value.at != value.end ||
	    handle.off < table->data_end)
		return -EBADMSG;
	table->data_end = handle.off + handle.len;
	return open_data(table, &handle);
}

int bundle_table_next(struct bundle_table *table)
{
	int r;

	if (!table->started)
		return next_block(table);
	r = bundle_block_next(&table->data);
	return r == 0 ? next_block(table) : r;
}

void bundle_table_release(struct bundle_table *table)
{
	bundle_block_release(&table->index);
	bundle_block_release(&table->data);
	str_release(&table->bound);
}
