/* SPDX-License-Identifier: MIT */
/*
 * The entries of a tar, by libarchive.  Only regular files are members: a
 * link is never followed, a device never made.  What follows the end mark
 * must be zeros, as tar pads with them, up to the end of the stream: so
 * every byte and checksum of it was seen.
 */
#include "staging/archive/worker/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "staging/archive/archive_name.h"
#include "staging/archive/worker/unpack_stream.h"

/* Two blocks of zeros end a tar (POSIX.1, pax interchange format). */
#define END_BYTES 1024

struct tar {
	const struct unpack_io *io;
	struct unpack_stream *stream; /* owned */
	struct archive *archive;      /* owned */
	int error;		      /* of the stream */
	uint64_t bytes_max;
	uint64_t declared; /* by all members so far */
	uint64_t zeros;	   /* how many end what was read */
	size_t entries;
	uint8_t frame[FRAME_HEAD_BYTES + FRAME_BYTES_MAX];
};

static void tar_release(struct tar *tar)
{
	archive_read_free(tar->archive);
	unpack_stream_free(tar->stream);
}

static void count_zeros(struct tar *tar, const uint8_t *bytes, size_t len)
{
	size_t zeros = 0;

	if (len > 0 && bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0)
		zeros = len;
	while (zeros < len && bytes[len - 1 - zeros] == 0)
		zeros++;
	tar->zeros = zeros == len ? tar->zeros + len : zeros;
}

static la_ssize_t tar_read(struct archive *archive, void *arg,
			   const void **bytes)
{
	struct tar *tar = arg;
	ssize_t n = unpack_stream_read(tar->stream, bytes);

	if (n < 0) {
		tar->error = (int)n;
		archive_set_error(archive, (int)-n, "the stream failed");
		return -1;
	}
	count_zeros(tar, *bytes, (size_t)n);
	return n;
}

/* libarchive's ways of failing, as errno. */
static int tar_error(const struct tar *tar)
{
	if (tar->error < 0)
		return tar->error;
	return archive_errno(tar->archive) == ENOMEM ? -ENOMEM : -EBADMSG;
}

static int tar_open(struct tar *tar)
{
	int r = unpack_stream_new(tar->io, tar->bytes_max, &tar->stream);

	if (r < 0)
		return r;
	tar->archive = archive_read_new();
	if (!tar->archive ||
	    archive_read_support_format_tar(tar->archive) != ARCHIVE_OK)
		return -ENOMEM;
	if (archive_read_open(tar->archive, tar, NULL, tar_read, NULL) !=
	    ARCHIVE_OK)
		return tar_error(tar);
	return 0;
}

/* NULL: none that can be shown. */
static const char *clean_name(struct archive_entry *entry, size_t *len)
{
	const char *name = archive_entry_pathname(entry);

	if (!name)
		name = archive_entry_pathname_utf8(entry);
	return name ? archive_name_clean(name, strlen(name), len) : NULL;
}

static bool is_member(struct archive_entry *entry)
{
	return archive_entry_filetype(entry) == AE_IFREG &&
	       !archive_entry_hardlink(entry) &&
	       !archive_entry_hardlink_utf8(entry);
}

static int give_data(struct tar *tar, uint64_t left)
{
	while (left > 0) {
		size_t want = (size_t)u64_min(left, FRAME_BYTES_MAX);
		la_ssize_t n = archive_read_data(
			tar->archive, tar->frame + FRAME_HEAD_BYTES, want);
		int r;

		if (n < 0)
			return tar_error(tar);
		if (n == 0)
			return -EBADMSG; /* less than it says */
		r = put_data(tar->io, tar->frame, (size_t)n);
		if (r < 0)
			return r;
		left -= (uint64_t)n;
	}
	return 0;
}

static int give_member(struct tar *tar, struct archive_entry *entry,
		       const char *name, size_t len)
{
	int64_t size = archive_entry_size(entry);
	int r;

	if (!archive_entry_size_is_set(entry) || size < 0)
		return -EBADMSG;
	/* Before a byte of it: a sparse member costs its maker nothing. */
	if ((uint64_t)size > tar->bytes_max - tar->declared)
		return -EFBIG;
	tar->declared += (uint64_t)size;
	r = put_member(tar->io, name, len, (uint64_t)size);
	return r < 0 ? r : give_data(tar, (uint64_t)size);
}

static int give_entry(struct tar *tar, struct archive_entry *entry)
{
	size_t len = 0;
	const char *name = clean_name(entry, &len);

	if (tar->entries++ >= ARCHIVE_MEMBERS_MAX + ARCHIVE_LEFT_MAX)
		return -EFBIG;
	if (archive_entry_filetype(entry) == AE_IFDIR)
		return 0;
	if (name && is_member(entry))
		return give_member(tar, entry, name, len);
	return put_left(tar->io, name, len);
}

static int give_entries(struct tar *tar)
{
	for (;;) {
		struct archive_entry *entry;
		int a = archive_read_next_header(tar->archive, &entry);
		int r;

		if (a == ARCHIVE_EOF)
			return 0;
		if (a != ARCHIVE_OK && a != ARCHIVE_WARN)
			return tar_error(tar);
		r = give_entry(tar, entry);
		if (r < 0)
			return r;
	}
}

/* Reads what is behind the end mark. */
static int check_rest(struct tar *tar)
{
	uint64_t rest = 0;
	const void *bytes;
	ssize_t n;

	while ((n = unpack_stream_read(tar->stream, &bytes)) > 0) {
		count_zeros(tar, bytes, (size_t)n);
		rest += (uint64_t)n;
		if (tar->zeros < (uint64_t)n)
			return -EBADMSG;
		if (rest > TAR_PADDING_MAX)
			return -EFBIG;
	}
	if (n < 0)
		return (int)n;
	if (tar->zeros < END_BYTES && !unpack_stream_proves_end(tar->stream))
		return -EBADMSG; /* cut between two members */
	return 0;
}

static const char *words_of(const struct tar *tar, int error)
{
	if (error == -EBADMSG && tar->error == 0 && tar->archive)
		return archive_error_string(tar->archive);
	return NULL;
}

int unpack_tar(const struct unpack_io *io, uint64_t bytes_max)
{
	auto_free struct tar *tar = mem_zalloc(sizeof(*tar));
	int r;

	if (!tar)
		return put_refused(io, UNPACK_FAILED, NULL);
	tar->io = io;
	tar->bytes_max = bytes_max;
	r = tar_open(tar);
	r = r ?: give_entries(tar);
	r = r ?: check_rest(tar);
	if (r == 0)
		r = put_end(io);
	else
		r = put_refused(io, unpack_reason_of(r), words_of(tar, r));
	tar_release(tar);
	return r;
}
