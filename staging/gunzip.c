/* SPDX-License-Identifier: MIT */
#include "staging/gunzip.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <zlib.h>

#include "base/mem.h"

#define PIECE_BYTES ((size_t)64 << 10)
#define GZIP_ONLY 16 /* added to the window's bits: no other header */

static int errno_of_zlib(int code)
{
	switch (code) {
	case Z_OK:
	case Z_STREAM_END:
		return 0;
	case Z_MEM_ERROR:
		return -ENOMEM;
	default:
		return -EBADMSG;
	}
}

static int inflate_all(z_stream *stream, uint8_t *piece, struct str *out)
{
	int code, r;

	do {
		stream->next_out = piece;
		stream->avail_out = PIECE_BYTES;
		code = inflate(stream, Z_NO_FLUSH);
		r = errno_of_zlib(code);
		if (r == 0)
			r = str_append(out, piece,
				       PIECE_BYTES - stream->avail_out);
	} while (r == 0 && code != Z_STREAM_END);
	return r == 0 && stream->avail_in > 0 ? -EBADMSG : r;
}

int gunzip(const void *bytes, size_t len, struct str *out)
{
	auto_free uint8_t *piece = mem_alloc(PIECE_BYTES);
	z_stream stream = { 0 };
	int r;

	if (!piece)
		return -ENOMEM;
	if (len > UINT_MAX)
		return -EFBIG;
	r = errno_of_zlib(inflateInit2(&stream, MAX_WBITS + GZIP_ONLY));
	if (r < 0)
		return r;
	stream.next_in = (uint8_t *)bytes;
	stream.avail_in = (unsigned int)len;
	r = inflate_all(&stream, piece, out);
	inflateEnd(&stream);
	return r;
}
