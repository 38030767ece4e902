/* SPDX-License-Identifier: MIT */
#include "base/gunzip.h"

#include <errno.h>
#include <limits.h>
#include <zlib.h>

#define GZIP_ONLY (16 + MAX_WBITS) /* see inflateInit2() in zlib.h */

static int error_of(int status)
{
	return status == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

/* Until the member's end.  No progress is an end too early. */
static int inflate_all(z_stream *stream, struct str *out)
{
	unsigned char piece[16384];
	int status;

	do {
		int r;

		stream->next_out = piece;
		stream->avail_out = sizeof(piece);
		status = inflate(stream, Z_NO_FLUSH);
		if (status != Z_OK && status != Z_STREAM_END)
			return error_of(status);
		r = str_append(out, piece, sizeof(piece) - stream->avail_out);
		if (r < 0)
			return r;
	} while (status != Z_STREAM_END);
	return stream->avail_in == 0 ? 0 : -EBADMSG;
}

int gunzip(const void *bytes, size_t len, struct str *out)
{
	z_stream stream = { 0 };
	size_t before = out->len;
	int r;

	if (len > UINT_MAX)
		return -EFBIG;
	r = inflateInit2(&stream, GZIP_ONLY);
	if (r != Z_OK)
		return error_of(r);
	stream.next_in = (unsigned char *)bytes;
	stream.avail_in = (unsigned int)len;
	r = inflate_all(&stream, out);
	inflateEnd(&stream);
	if (r < 0)
		str_truncate(out, before);
	return r;
}
