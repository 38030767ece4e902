/* SPDX-License-Identifier: MIT */
#include "staging/weights/zip_directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"

#define LOCAL_MAGIC 0x04034b50
#define ENTRY_MAGIC 0x02014b50
#define END_MAGIC 0x06054b50
#define END64_MAGIC 0x06064b50
#define LOCATOR_MAGIC 0x07064b50
#define ENTRY_BYTES 46
#define END_BYTES 22
#define END64_BYTES 56
#define LOCATOR_BYTES 20
#define EXTRA_ZIP64 1
#define ZIP64_32 0xffffffffu /* the value is in the zip64 extra */
#define ZIP64_16 0xffffu

/* Encrypted, patch data, strong encryption, masked header. */
#define FLAGS_REFUSED (1u << 0 | 1u << 5 | 1u << 6 | 1u << 13)
#define FLAG_DESCRIPTOR (1u << 3)
#define TORCH_ALIGN 64
#define MADE_BY_UNIX 3

struct end_record {
	uint64_t at; /* in the file */
	uint64_t dir_end;
	struct zip_end end;
};

static int check_end64(const uint8_t *record, uint64_t at, uint64_t locator_at,
		       struct end_record *out)
{
	struct cursor c = cursor_of(record, END64_BYTES);
	struct zip_end end;
	uint32_t disks;

	if (cursor_le32(&c) != END64_MAGIC ||
	    cursor_le64(&c) != locator_at - at - 12)
		return -EBADMSG;
	cursor_take(&c, 4); /* versions */
	disks = cursor_le32(&c);
	disks |= cursor_le32(&c);
	end.count = cursor_le64(&c);
	if (disks != 0 || cursor_le64(&c) != end.count)
		return -EBADMSG;
	end.dir_len = cursor_le64(&c);
	end.dir_off = cursor_le64(&c);
	if ((out->end.count != end.count && out->end.count != ZIP64_16) ||
	    (out->end.dir_len != end.dir_len && out->end.dir_len != ZIP64_32) ||
	    (out->end.dir_off != end.dir_off && out->end.dir_off != ZIP64_32))
		return -EBADMSG;
	out->end = end;
	out->dir_end = at;
	return 0;
}

/* The zip64 record and its locator, where there is one before @out. */
static int take_end64(const uint8_t *tail, uint64_t tail_at,
		      struct end_record *out)
{
	uint64_t locator_at = out->at - LOCATOR_BYTES, at;
	const uint8_t *locator;

	if (out->at - tail_at < LOCATOR_BYTES)
		return 0;
	locator = tail + (locator_at - tail_at);
	if (le32(locator) != LOCATOR_MAGIC)
		return 0;
	at = le64(locator + 8);
	if (le32(locator + 4) != 0 || le32(locator + 16) != 1 || at < tail_at ||
	    at > locator_at || locator_at - at < END64_BYTES)
		return -EBADMSG;
	return check_end64(tail + (at - tail_at), at, locator_at, out);
}

/* @at is that of an end record's magic in @tail. */
static int take_end(const uint8_t *tail, size_t len, size_t at,
		    uint64_t file_size, struct end_record *out)
{
	const uint8_t *record = tail + at;

	if (at + END_BYTES + le16(record + 20) != len)
		return -EBADMSG;
	if (le32(record + 4) != 0 || le16(record + 8) != le16(record + 10))
		return -EBADMSG;
	out->at = file_size - len + at;
	out->dir_end = out->at;
	out->end.count = le16(record + 10);
	out->end.dir_len = le32(record + 12);
	out->end.dir_off = le32(record + 16);
	return take_end64(tail, file_size - len, out);
}

int zip_find_end(const void *tail, size_t len, uint64_t file_size,
		 struct zip_end *out)
{
	struct end_record record;
	uint64_t dir_end;

	if (len < END_BYTES || len > file_size)
		return -EBADMSG;
	for (size_t at = len - END_BYTES + 1; at-- > 0;) {
		if (le32((const uint8_t *)tail + at) != END_MAGIC)
			continue;
		if (take_end(tail, len, at, file_size, &record) < 0)
			continue;
		if (!u64_add(record.end.dir_off, record.end.dir_len,
			     &dir_end) ||
		    dir_end != record.dir_end)
			continue;
		*out = record.end;
		return 0;
	}
	return -EBADMSG;
}

/* The 64-bit values that the 32-bit fields point to. */
static int take_zip64(struct cursor extra, struct zip_entry *entry)
{
	uint64_t *wide[3] = { &entry->size, &entry->packed, &entry->local };

	while (cursor_left(&extra) > 0) {
		uint16_t kind = cursor_le16(&extra);
		uint16_t len = cursor_le16(&extra);
		const uint8_t *bytes = cursor_take(&extra, len);
		struct cursor values;

		if (!bytes)
			return -EBADMSG;
		if (kind != EXTRA_ZIP64)
			continue;
		values = cursor_of(bytes, len);
		for (size_t i = 0; i < ARRAY_LEN(wide); i++)
			if (*wide[i] == ZIP64_32)
				*wide[i] = cursor_le64(&values);
		return values.bad ? -EBADMSG : 0;
	}
	return entry->size == ZIP64_32 || entry->packed == ZIP64_32 ||
			       entry->local == ZIP64_32
		       ? -EBADMSG
		       : 0;
}

static int take_name(struct zip_entry *entry, const uint8_t *name,
		     bool packed_too)
{
	if (!name || entry->name_len == 0 || entry->name_len > PATH_BYTES_MAX ||
	    memchr(name, 0, entry->name_len))
		return -EBADMSG;
	if (!packed_too && !utf8_valid(name, entry->name_len))
		return -EBADMSG;
	entry->name = mem_strndup((const char *)name, entry->name_len);
	return entry->name ? 0 : -ENOMEM;
}

static int check_packing(const struct zip_entry *entry, bool packed_too)
{
	bool known = entry->method == ZIP_STORED ||
		     entry->method == ZIP_DEFLATED;

	if ((entry->flags & FLAGS_REFUSED) || !known)
		return packed_too ? -EOPNOTSUPP : -EBADMSG;
	if (entry->method == ZIP_STORED)
		return entry->packed == entry->size ? 0 : -EBADMSG;
	if (!packed_too)
		return -EBADMSG;
	return entry->size / DEFLATE_RATIO_MAX <= entry->packed ? 0 : -EBADMSG;
}

static void take_fixed(const uint8_t *fixed, struct zip_entry *entry)
{
	entry->flags = le16(fixed + 8);
	entry->method = le16(fixed + 10);
	entry->crc = le32(fixed + 16);
	entry->packed = le32(fixed + 20);
	entry->size = le32(fixed + 24);
	entry->name_len = le16(fixed + 28);
	if (fixed[5] == MADE_BY_UNIX)
		entry->mode = le16(fixed + 40);
	entry->local = le32(fixed + 42);
}

static int take_entry(struct cursor *c, struct zip_entry *entry,
		      bool packed_too)
{
	const uint8_t *fixed = cursor_take(c, ENTRY_BYTES);
	const uint8_t *name, *extra;
	uint16_t extra_len;
	int r;

	if (!fixed || le32(fixed) != ENTRY_MAGIC)
		return -EBADMSG;
	take_fixed(fixed, entry);
	extra_len = le16(fixed + 30);
	name = cursor_take(c, entry->name_len);
	extra = cursor_take(c, extra_len);
	cursor_take(c, le16(fixed + 32)); /* the comment */
	if (c->bad || le16(fixed + 34) != 0)
		return -EBADMSG;
	r = take_zip64(cursor_of(extra, extra_len), entry);
	if (r == 0)
		r = check_packing(entry, packed_too);
	return r < 0 ? r : take_name(entry, name, packed_too);
}

static int by_local(const void *a, const void *b)
{
	const struct zip_entry *x = a, *y = b;

	return (x->local > y->local) - (x->local < y->local);
}

/* Records tile [0, dir_off); each has room for its header and payload. */
static int check_layout(struct zip_directory *directory, uint64_t dir_off)
{
	struct zip_entry *entries = directory->entries;

	qsort(entries, directory->count, sizeof(*entries), by_local);
	if (directory->count == 0 || entries[0].local != 0)
		return -EBADMSG;
	for (size_t i = 0; i < directory->count; i++) {
		struct zip_entry *entry = &entries[i];
		uint64_t least = ZIP_LOCAL_BYTES + entry->name_len;

		entry->next = i + 1 < directory->count ? entries[i + 1].local
						       : dir_off;
		if (entry->next <= entry->local ||
		    entry->next - entry->local < least ||
		    entry->next - entry->local - least < entry->packed)
			return -EBADMSG;
	}
	return 0;
}

static int index_names(struct zip_directory *directory)
{
	for (size_t i = 0; i < directory->count; i++) {
		int r = map_add(&directory->by_name, directory->entries[i].name,
				&directory->entries[i]);

		if (r == -EEXIST)
			directory->duplicates++;
		else if (r < 0)
			return r;
	}
	return 0;
}

static int parse(const void *bytes, const struct zip_end *end, bool packed_too,
		 struct zip_directory **out)
{
	auto_zip_directory struct zip_directory *directory = NULL;
	struct cursor c = cursor_of(bytes, end->dir_len);
	int r;

	if (end->count > ZIP_ENTRIES_MAX)
		return -EFBIG;
	if (end->count > end->dir_len / ENTRY_BYTES)
		return -EBADMSG;
	directory = mem_zalloc(sizeof(*directory));
	if (!directory)
		return -ENOMEM;
	map_init(&directory->by_name);
	directory->entries = mem_array(end->count + 1,
				       sizeof(*directory->entries));
	if (!directory->entries)
		return -ENOMEM;
	while (directory->count < end->count) {
		r = take_entry(&c, &directory->entries[directory->count++],
			       packed_too);
		if (r < 0)
			return r;
	}
	if (cursor_left(&c) > 0)
		return -EBADMSG;
	r = check_layout(directory, end->dir_off);
	if (r == 0)
		r = index_names(directory);
	if (r == 0)
		*out = take_ptr(directory);
	return r;
}

int zip_directory_parse(const void *bytes, const struct zip_end *end,
			struct zip_directory **out)
{
	return parse(bytes, end, false, out);
}

int zip_directory_parse_packed(const void *bytes, const struct zip_end *end,
			       struct zip_directory **out)
{
	return parse(bytes, end, true, out);
}

void zip_directory_free(struct zip_directory *directory)
{
	if (!directory)
		return;
	map_release(&directory->by_name);
	for (size_t i = 0; i < directory->count; i++)
		free(directory->entries[i].name);
	free(directory->entries);
	free(directory);
}

struct zip_entry *zip_find(const struct zip_directory *directory,
			   const char *name)
{
	return map_get(&directory->by_name, name);
}

/* Where torch's writer puts the payload of a record at .local. */
static uint64_t torch_payload(const struct zip_entry *entry)
{
	bool big = entry->size >= ZIP64_32, far = entry->local >= ZIP64_32;
	uint64_t at = entry->local + ZIP_LOCAL_BYTES + entry->name_len + 4;

	if (big || far)
		at += 4 + (big ? 16 : 0) + (far ? 8 : 0);
	return u64_ceil(at, TORCH_ALIGN);
}

bool zip_derive(struct zip_entry *entry)
{
	bool wide = entry->size >= ZIP64_32 || entry->local >= ZIP64_32;
	uint64_t least = entry->local + ZIP_LOCAL_BYTES + entry->name_len;
	uint64_t behind = 0, payload;

	if (entry->proven)
		return true;
	if (entry->flags & FLAG_DESCRIPTOR)
		behind = wide ? 24 : 16;
	if (entry->next - least < behind ||
	    entry->next - least - behind < entry->packed)
		return false;
	payload = entry->next - behind - entry->packed;
	if (payload != torch_payload(entry) && (behind > 0 || payload != least))
		return false;
	entry->payload = payload;
	entry->proven = true;
	return true;
}

/* A size in a local header: the true one, or left to the descriptor. */
static bool local_size_fits(const struct zip_entry *entry, uint64_t size,
			    uint32_t local)
{
	if (local == 0 && (entry->flags & FLAG_DESCRIPTOR))
		return true;
	return local == u64_min(size, ZIP64_32);
}

int zip_local_check(struct zip_entry *entry, const void *bytes, size_t len)
{
	const uint8_t *fixed = bytes;
	uint64_t payload;

	if (len < (size_t)ZIP_LOCAL_BYTES + entry->name_len)
		return -EBADMSG;
	if (le32(fixed) != LOCAL_MAGIC || le16(fixed + 6) != entry->flags ||
	    le16(fixed + 8) != entry->method ||
	    le16(fixed + 26) != entry->name_len ||
	    memcmp(fixed + ZIP_LOCAL_BYTES, entry->name, entry->name_len) != 0)
		return -EBADMSG;
	if (!local_size_fits(entry, entry->packed, le32(fixed + 18)) ||
	    !local_size_fits(entry, entry->size, le32(fixed + 22)))
		return -EBADMSG;
	payload = entry->local + ZIP_LOCAL_BYTES + entry->name_len +
		  le16(fixed + 28);
	if (payload > entry->next || entry->next - payload < entry->packed)
		return -EBADMSG;
	if (entry->proven && entry->payload != payload)
		return -EBADMSG;
	entry->payload = payload;
	entry->proven = true;
	return 0;
}

uint32_t zip_crc32(const void *bytes, size_t len)
{
	static const uint32_t nibbles[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	const uint8_t *at = bytes;
	uint32_t crc = 0xffffffff;

	for (; len > 0; len--, at++) {
		crc = crc >> 4 ^ nibbles[(crc ^ *at) & 15];
		crc = crc >> 4 ^ nibbles[(crc ^ *at >> 4) & 15];
	}
	return ~crc;
}
