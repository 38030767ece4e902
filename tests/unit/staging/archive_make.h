/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/staging/archive_make.h - archives of any kind of badness.
 */
#ifndef TESTS_UNIT_STAGING_ARCHIVE_MAKE_H
#define TESTS_UNIT_STAGING_ARCHIVE_MAKE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/str.h"
#include "tests/unit/unit.h"

#define MADE_BYTES_MAX ((size_t)1 << 30)

static inline void add(struct str *out, const void *bytes, size_t len)
{
	assert_int_equal(str_append(out, bytes, len), 0);
}

static inline void add_zeros(struct str *out, size_t len)
{
	void *zeros = calloc(1, len + 1);

	add(out, zeros, len);
	free(zeros);
}

/* A field of 100 bytes, that need not end with a NUL. */
static inline void put_text(char *field, const char *text)
{
	for (size_t i = 0; i < 100 && text[i]; i++)
		field[i] = text[i];
}

/* One header of ustar; @size may be a lie. */
static inline void tar_header(struct str *out, const char *name, char type,
			      const char *link, uint64_t size)
{
	char header[512] = { 0 };
	unsigned int sum = 0;

	put_text(header, name);
	snprintf(header + 100, 8, "0000644");
	snprintf(header + 108, 8, "0000000");
	snprintf(header + 116, 8, "0000000");
	if (size < (uint64_t)1 << 33)
		snprintf(header + 124, 12, "%011llo", (unsigned long long)size);
	else
		for (int i = 0; i < 12; i++)
			header[124 + i] =
				(char)(i ? (i < 4 ? 0 : size >> 8 * (11 - i))
					 : 0x80);
	snprintf(header + 136, 12, "00000000000");
	memset(header + 148, ' ', 8);
	header[156] = type;
	put_text(header + 157, link ? link : "");
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);
	add(out, header, sizeof(header));
}

/* Of any length of name, by GNU's long names. */
static inline void tar_entry(struct str *out, const char *name, char type,
			     const char *link, const void *bytes, size_t len)
{
	size_t name_len = strlen(name);

	if (name_len > 100) {
		tar_header(out, "././@LongLink", 'L', NULL, name_len + 1);
		add(out, name, name_len + 1);
		add_zeros(out, (512 - (name_len + 1) % 512) % 512);
	}
	tar_header(out, name, type, link, len);
	add(out, bytes, len);
	add_zeros(out, (512 - len % 512) % 512);
}

static inline void tar_file(struct str *out, const char *name, const char *text)
{
	tar_entry(out, name, '0', NULL, text, strlen(text));
}

static inline void tar_end(struct str *out)
{
	add_zeros(out, 1024);
}

/* @window 31: a gzip member; -15: bare deflate.  Appended. */
static inline void pack(struct str *out, const void *bytes, size_t len,
			int window, int level)
{
	z_stream zip = { 0 };
	size_t bound = len + len / 1000 + 1024;
	uint8_t *room = malloc(bound);

	assert_int_equal(deflateInit2(&zip, level, Z_DEFLATED, window, 8,
				      Z_DEFAULT_STRATEGY),
			 Z_OK);
	zip.next_in = (Bytef *)(uintptr_t)bytes;
	zip.avail_in = (uInt)len;
	zip.next_out = room;
	zip.avail_out = (uInt)bound;
	assert_int_equal(deflate(&zip, Z_FINISH), Z_STREAM_END);
	add(out, room, zip.total_out);
	deflateEnd(&zip);
	free(room);
}

/* In place. */
static inline void gzip(struct str *tar)
{
	struct str packed;

	str_init(&packed, MADE_BYTES_MAX);
	pack(&packed, tar->bytes, tar->len, 31, 1);
	str_release(tar);
	*tar = packed;
}

struct zip_file {
	const char *name;
	const char *bytes;
	size_t len;
	uint16_t method; /* 0 or 8 */
	uint16_t flags;
	uint16_t extra;	  /* bytes of the local extra field */
	uint16_t mode;	  /* of Unix */
	uint32_t crc_xor; /* what is wrong about the CRC */
	uint16_t local_method_xor;
};

static inline void le(struct str *out, uint64_t value, size_t bytes)
{
	uint8_t raw[8];

	put_le64(raw, value);
	add(out, raw, bytes);
}

/* What both headers have in common, from the flags to the sizes. */
static inline void zip_common(struct str *out, const struct zip_file *file,
			      size_t packed, uint16_t method)
{
	le(out, file->flags, 2);
	le(out, method, 2);
	le(out, 0, 4); /* time */
	le(out,
	   (uint32_t)crc32(0, (const Bytef *)file->bytes, (uInt)file->len) ^
		   file->crc_xor,
	   4);
	le(out, packed, 4);
	le(out, file->len, 4);
	le(out, strlen(file->name), 2);
}

static inline size_t zip_local(struct str *out, const struct zip_file *file)
{
	struct str packed;
	size_t len;

	str_init(&packed, MADE_BYTES_MAX);
	if (file->method == 8)
		pack(&packed, file->bytes, file->len, -15, 6);
	else
		add(&packed, file->bytes, file->len);
	len = packed.len;
	le(out, 0x04034b50, 4);
	le(out, 20, 2);
	zip_common(out, file, len, file->method ^ file->local_method_xor);
	le(out, file->extra, 2);
	add(out, file->name, strlen(file->name));
	add_zeros(out, file->extra);
	add(out, packed.bytes ? packed.bytes : "", len);
	str_release(&packed);
	return len;
}

static inline void zip_central(struct str *out, const struct zip_file *file,
			       size_t packed, size_t local)
{
	le(out, 0x02014b50, 4);
	le(out, 20 | 3 << 8, 2);
	le(out, 20, 2);
	zip_common(out, file, packed, file->method);
	le(out, 0, 2 + 2 + 2 + 2); /* extra, comment, disk, internal */
	le(out, (uint32_t)file->mode << 16, 4);
	le(out, local, 4);
	add(out, file->name, strlen(file->name));
}

/* At most 16 files. */
static inline void make_zip(struct str *out, const struct zip_file *files,
			    size_t count)
{
	size_t packed[16], at[16], dir;

	for (size_t i = 0; i < count; i++) {
		at[i] = out->len;
		packed[i] = zip_local(out, &files[i]);
	}
	dir = out->len;
	for (size_t i = 0; i < count; i++)
		zip_central(out, &files[i], packed[i], at[i]);
	le(out, 0x06054b50, 4);
	le(out, 0, 4);
	le(out, count, 2);
	le(out, count, 2);
	le(out, out->len - 12 - dir, 4);
	le(out, dir, 4);
	le(out, 0, 2);
}

#endif
