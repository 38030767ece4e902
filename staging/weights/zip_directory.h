/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/zip_directory.h - where the payloads of a zip lie.  Pure.
 *
 * Facts: .ZIP File Format Specification (APPNOTE.TXT) 4.3, 4.4, 4.5.3; what
 * torch writes: caffe2/serialize/inline_container.cc (getPadding) and the
 * writer of miniz under it: members stored, bit 3 set, a data descriptor
 * with signature (16 bytes, 24 where the entry has a zip64 extra), payload
 * aligned to 64 by an extra field "FB" in the local header.
 *
 * Stricter than most readers, so that no two can differ about the bytes:
 * records tile the file from byte 0 to the directory, the directory ends
 * where its end record begins, nothing is encrypted; for a checkpoint all
 * is stored too.
 *
 * The payload's offset depends on the length of the *local* extra field.
 * It is derived where that is certain (zip_derive()), else the local header
 * has to be read (zip_local_check()): these lie scattered over the file.
 */
#ifndef STAGING_WEIGHTS_ZIP_DIRECTORY_H
#define STAGING_WEIGHTS_ZIP_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/map.h"

#define ZIP_LOCAL_BYTES 30 /* of a local header before name and extra */
#define ZIP_STORED 0
#define ZIP_DEFLATED 8

struct zip_entry {
	char *name;	  /* owned */
	uint64_t local;	  /* offset of its local header */
	uint64_t next;	  /* of the record after it */
	uint64_t size;	  /* of the payload, unpacked */
	uint64_t packed;  /* as it is in the file; stored: the same */
	uint64_t payload; /* its offset, once .proven */
	uint32_t crc;
	uint16_t flags;
	uint16_t name_len;
	uint16_t method; /* ZIP_STORED or ZIP_DEFLATED */
	uint16_t mode;	 /* of Unix, where one wrote it; else 0 */
	bool proven;
};

struct zip_directory {
	struct zip_entry *entries; /* sorted by .local */
	size_t count;
	size_t duplicates;  /* names seen again; the first one counts */
	struct map by_name; /* -> struct zip_entry * */
};

/* What the end of the file says. */
struct zip_end {
	uint64_t dir_off;
	uint64_t dir_len;
	uint64_t count;
};

/*
 * @tail is the end of a file of @file_size bytes, all of it or at least
 * ZIP_TAIL_BYTES.  -EBADMSG: not a zip, or one that is ambiguous.
 */
int zip_find_end(const void *tail, size_t len, uint64_t file_size,
		 struct zip_end *out) MUST_CHECK;

/*
 * @bytes are the directory, all @end->dir_len of them.  On success the
 * caller frees *@out with zip_directory_free().  -EBADMSG; -EFBIG.
 */
int zip_directory_parse(const void *bytes, const struct zip_end *end,
			struct zip_directory **out) MUST_CHECK;

/*
 * As above; members may be deflated, and names bytes that are not UTF-8.
 * -EOPNOTSUPP: a member is encrypted, or packed in another way.
 */
int zip_directory_parse_packed(const void *bytes, const struct zip_end *end,
			       struct zip_directory **out) MUST_CHECK;
void zip_directory_free(struct zip_directory *directory);
DEFINE_AUTO_PTR(zip_directory, struct zip_directory, zip_directory_free)
#define auto_zip_directory auto_of(zip_directory)

/* NULL: no such entry. */
struct zip_entry *zip_find(const struct zip_directory *directory,
			   const char *name);

/*
 * Proves the payload's offset without the local header.  The record's
 * length is known, so what lies behind the payload tells where it begins;
 * and torch's alignment rule says the same from the front.  Only where both
 * agree, or there is no room for an extra field at all, is it proven.
 */
bool zip_derive(struct zip_entry *entry);

/*
 * Checks the local header against the directory and sets .payload.  @bytes
 * are the file's from .local on, ZIP_LOCAL_BYTES and the name at least.
 * -EBADMSG: they differ, or what zip_derive() found is not so.
 */
int zip_local_check(struct zip_entry *entry, const void *bytes,
		    size_t len) MUST_CHECK;

/* CRC-32 of the zip format (ISO 3309). */
uint32_t zip_crc32(const void *bytes, size_t len);

#endif
