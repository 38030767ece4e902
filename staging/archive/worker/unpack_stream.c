/* SPDX-License-Identifier: MIT */
#include "staging/archive/worker/unpack_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/mem.h"

#define BUFFER_BYTES ((size_t)64 << 10)

enum packing { PACKED_NOT, PACKED_GZIP, PACKED_OTHER };

struct unpack_stream {
	const struct unpack_io *io;
	enum packing packing;
	uint64_t bytes_max;
	uint64_t bytes;	     /* unpacked so far */
	int error;	     /* of io->read(), seen by libarchive's callback */
	struct archive *raw; /* PACKED_OTHER; owned */
	uint64_t given;	     /* to .raw */
	z_stream zip;	     /* PACKED_GZIP */
	bool zip_inited;
	bool in_member; /* of gzip */
	unsigned int members;
	bool at_end; /* of the input */
	size_t have; /* of .in, from .at on */
	size_t at;
	uint8_t in[BUFFER_BYTES];
	uint8_t out[BUFFER_BYTES];
};

/* Reads until there are @want bytes of input, or its end. */
static int fill(struct unpack_stream *stream, size_t want)
{
	if (stream->at > 0)
		memmove(stream->in, stream->in + stream->at, stream->have);
	stream->at = 0;
	while (stream->have < want && !stream->at_end) {
		ssize_t n = stream->io->read(stream->io->arg,
					     stream->in + stream->have,
					     BUFFER_BYTES - stream->have);

		if (n < 0)
			return (int)n;
		stream->at_end = n == 0;
		stream->have += (size_t)n;
	}
	return 0;
}

static bool starts_with(const struct unpack_stream *stream, const char *magic,
			size_t len)
{
	return stream->have >= len &&
	       memcmp(stream->in + stream->at, magic, len) == 0;
}

/* RFC 1952, 2.3.1: two bytes of magic, and the one method there is. */
static bool at_gzip(const struct unpack_stream *stream)
{
	return starts_with(stream, "\x1f\x8b\x08", 3);
}

static bool at_other(const struct unpack_stream *stream)
{
	return starts_with(stream, "BZh", 3) ||
	       starts_with(stream, "\xfd\x37zXZ\0", 6) ||
	       starts_with(stream, "\x28\xb5\x2f\xfd", 4);
}

static la_ssize_t raw_read(struct archive *raw, void *arg, const void **bytes)
{
	struct unpack_stream *stream = arg;
	size_t have;
	int r = stream->have ? 0 : fill(stream, 1);

	if (r < 0) {
		stream->error = r;
		archive_set_error(raw, -r, "the input failed");
		return -1;
	}
	*bytes = stream->in + stream->at;
	have = stream->have;
	stream->at = stream->have = 0;
	stream->given += have;
	return (la_ssize_t)have;
}

/* libarchive's ways of failing, as errno. */
static int raw_error(const struct unpack_stream *stream)
{
	if (stream->error < 0)
		return stream->error;
	return archive_errno(stream->raw) == ENOMEM ? -ENOMEM : -EBADMSG;
}

static int raw_open(struct unpack_stream *stream)
{
	struct archive_entry *entry;
	struct archive *raw = archive_read_new();

	if (!raw)
		return -ENOMEM;
	stream->raw = raw;
	if (archive_read_support_filter_bzip2(raw) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(raw) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(raw) != ARCHIVE_OK)
		return -EOPNOTSUPP; /* by another program, which we have not */
	if (archive_read_support_format_raw(raw) != ARCHIVE_OK)
		return -ENOMEM;
	if (archive_read_open(raw, stream, NULL, raw_read, NULL) !=
		    ARCHIVE_OK ||
	    archive_read_next_header(raw, &entry) != ARCHIVE_OK)
		return raw_error(stream);
	/* One, and libarchive's own beginning of the chain. */
	return archive_filter_count(raw) == 2 ? 0 : -EOPNOTSUPP;
}

static int gzip_open(struct unpack_stream *stream)
{
	stream->in_member = true;
	stream->members = 1;
	/* 16: a gzip header and trailer, both checked. */
	if (inflateInit2(&stream->zip, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	stream->zip_inited = true;
	return 0;
}

int unpack_stream_new(const struct unpack_io *io, uint64_t bytes_max,
		      struct unpack_stream **out)
{
	auto_unpack_stream struct unpack_stream *stream = NULL;
	int r;

	stream = mem_zalloc(sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->io = io;
	stream->bytes_max = bytes_max;
	r = fill(stream, 6);
	if (r == 0 && at_gzip(stream)) {
		stream->packing = PACKED_GZIP;
		r = gzip_open(stream);
	} else if (r == 0 && at_other(stream)) {
		stream->packing = PACKED_OTHER;
		r = raw_open(stream);
	}
	if (r == 0)
		*out = take_ptr(stream);
	return r;
}

void unpack_stream_free(struct unpack_stream *stream)
{
	if (!stream)
		return;
	if (stream->zip_inited)
		inflateEnd(&stream->zip);
	archive_read_free(stream->raw);
	free(stream);
}

static ssize_t plain_read(struct unpack_stream *stream, const void **bytes)
{
	size_t have;
	int r = stream->have ? 0 : fill(stream, 1);

	if (r < 0)
		return r;
	*bytes = stream->in + stream->at;
	have = stream->have;
	stream->at = stream->have = 0;
	return (ssize_t)have;
}

/* The end of what is packed is that of the input too? */
static int raw_end(struct unpack_stream *stream)
{
	int r = fill(stream, 1);

	if (r < 0)
		return r;
	/* -1: the last filter, which reads the input. */
	if (stream->have > 0 ||
	    archive_filter_bytes(stream->raw, -1) != (la_int64_t)stream->given)
		return -EBADMSG;
	return 0;
}

static ssize_t raw_data(struct unpack_stream *stream, const void **bytes)
{
	la_ssize_t n = archive_read_data(stream->raw, stream->out,
					 BUFFER_BYTES);

	*bytes = stream->out;
	if (n < 0)
		return raw_error(stream);
	return n == 0 ? raw_end(stream) : (ssize_t)n;
}

/* Between two members: 1: another one; 0: the end. */
static int gzip_next(struct unpack_stream *stream)
{
	int r = fill(stream, 3);

	if (r < 0)
		return r;
	if (stream->have == 0)
		return 0;
	if (!at_gzip(stream))
		return -EBADMSG;
	if (stream->members++ >= GZIP_MEMBERS_MAX)
		return -EFBIG;
	stream->in_member = true;
	return inflateReset(&stream->zip) == Z_OK ? 1 : -EBADMSG;
}

/* One call of inflate(): how many bytes came, which may be none. */
static ssize_t gzip_step(struct unpack_stream *stream)
{
	z_stream *zip = &stream->zip;
	int r = stream->have ? 0 : fill(stream, 1);

	if (r < 0)
		return r;
	if (stream->have == 0)
		return -EBADMSG; /* cut */
	zip->next_in = stream->in + stream->at;
	zip->avail_in = (uInt)stream->have;
	zip->next_out = stream->out;
	zip->avail_out = (uInt)BUFFER_BYTES;
	r = inflate(zip, Z_NO_FLUSH);
	if (r == Z_MEM_ERROR)
		return -ENOMEM;
	if (r != Z_OK && r != Z_STREAM_END)
		return -EBADMSG;
	stream->at += stream->have - zip->avail_in;
	stream->have = zip->avail_in;
	stream->in_member = r != Z_STREAM_END;
	return (ssize_t)(BUFFER_BYTES - zip->avail_out);
}

static ssize_t gzip_read(struct unpack_stream *stream, const void **bytes)
{
	ssize_t n = 0;

	*bytes = stream->out;
	while (n == 0) {
		int r = stream->in_member ? 1 : gzip_next(stream);

		if (r <= 0)
			return r;
		n = gzip_step(stream);
	}
	return n;
}

ssize_t unpack_stream_read(struct unpack_stream *stream, const void **bytes)
{
	ssize_t n;

	if (stream->packing == PACKED_GZIP)
		n = gzip_read(stream, bytes);
	else if (stream->packing == PACKED_OTHER)
		n = raw_data(stream, bytes);
	else
		n = plain_read(stream, bytes);
	if (n > 0)
		stream->bytes += (uint64_t)n;
	return stream->bytes > stream->bytes_max ? -EFBIG : n;
}

bool unpack_stream_proves_end(const struct unpack_stream *stream)
{
	return stream->packing != PACKED_NOT;
}

enum unpack_reason unpack_reason_of(int error)
{
	switch (error) {
	case -EBADMSG:
		return UNPACK_DAMAGED;
	case -EFBIG:
		return UNPACK_TOO_BIG;
	case -EOPNOTSUPP:
		return UNPACK_UNKNOWN;
	default:
		return UNPACK_FAILED;
	}
}
