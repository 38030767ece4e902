/* SPDX-License-Identifier: MIT */
/* The table of a zip, out of its directory: the end of the file, no job. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/archive/archive_name.h"
#include "staging/archive/job.h"
#include "staging/weights/zip_directory.h"

/* Parses the directory, of which @tail may have all. */
static int read_directory(struct blob *blob, const uint8_t *tail, size_t len,
			  uint64_t deadline_ns, struct zip_directory **out)
{
	auto_free uint8_t *more = NULL;
	uint64_t tail_at = blob->size - len;
	const uint8_t *bytes;
	struct zip_end end;
	int r = zip_find_end(tail, len, blob->size, &end);

	if (r < 0)
		return -ENODATA;
	if (end.dir_len > ZIP_DIRECTORY_MAX || end.count > ARCHIVE_MEMBERS_MAX)
		return -EFBIG;
	if (end.dir_off >= tail_at) {
		bytes = tail + (end.dir_off - tail_at);
	} else {
		more = mem_alloc(end.dir_len + 1);
		if (!more)
			return -ENOMEM;
		r = blob_fetch(blob, end.dir_off, end.dir_len, more,
			       deadline_ns);
		if (r < 0)
			return r;
		bytes = more;
	}
	return zip_directory_parse_packed(bytes, &end, out);
}

static int fetch_directory(struct blob *blob, uint64_t deadline_ns,
			   struct zip_directory **out)
{
	size_t len = (size_t)u64_min(blob->size, ZIP_TAIL_BYTES);
	auto_free uint8_t *tail = mem_alloc(len + 1);
	int r;

	if (!tail)
		return -ENOMEM;
	r = blob_fetch(blob, blob->size - len, len, tail, deadline_ns);
	return r ?: read_directory(blob, tail, len, deadline_ns, out);
}

/*
 * Where a stored member's bytes are.  @reads counts the headers that had to
 * be read for it; past some, members stay unproven: only a job is sure.
 */
static int find_stored(struct blob *blob, struct zip_entry *entry,
		       uint64_t deadline_ns, size_t *reads)
{
	size_t len = ZIP_LOCAL_BYTES + (size_t)entry->name_len;
	auto_free uint8_t *header = NULL;
	int r;

	if (zip_derive(entry) || *reads >= ARCHIVE_LOCALS_MAX)
		return 0;
	++*reads;
	header = mem_alloc(len);
	if (!header)
		return -ENOMEM;
	r = blob_fetch(blob, entry->local, len, header, deadline_ns);
	return r ?: zip_local_check(entry, header, len);
}

static bool is_folder(const struct zip_entry *entry)
{
	return entry->name[entry->name_len - 1] == '/' && entry->size == 0;
}

/* Written on Unix as something else than a file? */
static bool is_special(const struct zip_entry *entry)
{
	unsigned int type = entry->mode & S_IFMT;

	return type != 0 && type != S_IFREG;
}

/* A name that occurs twice is no member: readers differ about which. */
static int add_entry(struct archive_table *table,
		     const struct zip_directory *zip, size_t index,
		     struct map *seen)
{
	const struct zip_entry *entry = &zip->entries[index];
	struct archive_member *member;
	size_t len = 0;
	const char *name = archive_name_clean(entry->name, entry->name_len,
					      &len);
	int r;

	if (is_folder(entry))
		return 0;
	if (!name || is_special(entry))
		return table_leave(table, NULL, 0);
	r = map_add_bytes(seen, name, len, seen);
	if (r == -EEXIST)
		return table_leave(table, name, len);
	r = r ?: table_add(table, name, len, &member);
	if (r < 0)
		return r;
	member->size = entry->size;
	member->stored = entry->method == ZIP_STORED && entry->proven;
	member->off = member->stored ? entry->payload : 0;
	member->entry = index;
	return 0;
}

static int fill_table(struct blob *blob, struct zip_directory *zip,
		      uint64_t deadline_ns, struct archive_table *table)
{
	auto_map struct map seen = { 0 };
	size_t reads = 0;
	int r = 0;

	map_init(&seen);
	for (size_t i = 0; r == 0 && i < zip->count; i++) {
		struct zip_entry *entry = &zip->entries[i];

		if (entry->size > ARCHIVE_MEMBER_BYTES_MAX)
			return -EFBIG;
		if (entry->method == ZIP_STORED)
			r = find_stored(blob, entry, deadline_ns, &reads);
		r = r ?: add_entry(table, zip, i, &seen);
	}
	if (r == 0)
		table_close(table);
	return r;
}

static int explain(int error, const char *label, struct refusal *why)
{
	switch (error) {
	case -EBADMSG:
		return refuse(why, "archive-damaged", label,
			      "the directory of the zip is damaged, or says "
			      "what its files do not");
	case -EOPNOTSUPP:
		return refuse(why, "archive-unsupported", label,
			      "a file of the zip is encrypted, or packed in a "
			      "way that is not read");
	case -EFBIG:
		return refuse(why, "archive-too-big", label,
			      "the zip holds more files or bytes than are "
			      "read");
	default:
		return error;
	}
}

int archive_read_zip(const struct archive *bare, uint64_t deadline_ns,
		     struct archive **out, struct refusal *why)
{
	auto_zip_directory struct zip_directory *zip = NULL;
	auto_table struct archive_table table = { 0 };
	int r = fetch_directory(bare->blob, deadline_ns, &zip);

	table_init(&table);
	r = r ?: fill_table(bare->blob, zip, deadline_ns, &table);
	if (r < 0)
		return explain(r, bare->label, why);
	return archive_new_like(bare, &table, take_ptr(zip), out);
}
