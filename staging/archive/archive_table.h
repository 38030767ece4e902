/* SPDX-License-Identifier: MIT */
/*
 * staging/archive/archive_table.h - the members of an archive.  Pure.
 *
 * Built entry by entry in the order of the archive, then closed: sorted by
 * path, each path once, no file that is also a directory (then what is
 * below it stays, the file is left out).
 *
 * Of entries of one path in a tar the last one counts, as for everyone who
 * unpacks it: that is how tar replaces a file.  In a zip none does, as
 * readers differ there.
 */
#ifndef STAGING_ARCHIVE_ARCHIVE_TABLE_H
#define STAGING_ARCHIVE_ARCHIVE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/str.h"

struct archive_member {
	char *path; /* clean: archive_name.h; owned by the table */
	uint64_t size;
	bool stored;  /* as it is in the archive, at .off, and that is proven */
	uint64_t off; /* .stored: in the archive; else private: in a spool */
	size_t entry; /* private: of a zip's directory */
};

struct archive_table {
	struct archive_member *members; /* owned; sorted once closed */
	size_t count;
	size_t cap;
	uint64_t left_out;  /* entries that are no members */
	size_t table_bytes; /* of the paths */
	struct map by_path; /* while it is built: slot of .members + 1 */
};

void table_init(struct archive_table *table);
void table_release(struct archive_table *table);
DEFINE_AUTO(table, struct archive_table, table_release)
#define auto_table auto_of(table)

/*
 * Adds a member of a clean path; *@out is valid until the next call.  An
 * earlier one of that path goes.  -EFBIG: too many.
 */
int table_add(struct archive_table *table, const char *path, size_t len,
	      struct archive_member **out) MUST_CHECK;

/* An entry that is no member, of a clean path or NULL; as above. */
int table_leave(struct archive_table *table, const char *path,
		size_t len) MUST_CHECK;

/* No more comes. */
void table_close(struct archive_table *table);

/* Of a closed one; NULL: none. */
struct archive_member *table_find(const struct archive_table *table,
				  const char *path);

/*
 * The memo's bytes, of a closed one: u32 1, u32 count, u64 left out, then
 * for each member u64 size, u32 length, path.
 */
int table_encode(const struct archive_table *table, struct str *out) MUST_CHECK;

/* @out is initialized and empty; closed on success.  -EBADMSG. */
int table_decode(const void *bytes, size_t len,
		 struct archive_table *out) MUST_CHECK;

#endif
