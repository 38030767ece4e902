/* SPDX-License-Identifier: MIT */
/* One deflated member of a zip; its place in the zip is the parent's affair. */
#include "staging/archive/worker/unpack.h"

#include <errno.h>
#include <stdbool.h>
#include <zlib.h>

#include "base/mem.h"
#include "staging/archive/worker/unpack_stream.h"

#define INPUT_BYTES ((size_t)64 << 10)

/* A member without a name: there is one. */
#define NO_NAME "-"

struct deflated {
	const struct unpack_io *io;
	z_stream zip;
	uint64_t left; /* of the size that was promised */
	uint8_t in[INPUT_BYTES];
	uint8_t frame[FRAME_HEAD_BYTES + FRAME_BYTES_MAX];
};

/* All that one inflate() gives.  1: that was the end of the data. */
static int inflate_some(struct deflated *member)
{
	z_stream *zip = &member->zip;
	size_t n;
	int z, r;

	zip->next_out = member->frame + FRAME_HEAD_BYTES;
	zip->avail_out = (uInt)FRAME_BYTES_MAX;
	z = inflate(zip, Z_NO_FLUSH);
	if (z == Z_MEM_ERROR)
		return -ENOMEM;
	if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
		return -EBADMSG;
	n = FRAME_BYTES_MAX - zip->avail_out;
	if (n > member->left)
		return -EBADMSG; /* more than the directory says */
	member->left -= n;
	r = n ? put_data(member->io, member->frame, n) : 0;
	return r < 0 ? r : z == Z_STREAM_END;
}

static int inflate_all(struct deflated *member)
{
	z_stream *zip = &member->zip;
	int r = 0;

	while (r == 0) {
		if (zip->avail_in == 0) {
			ssize_t n = member->io->read(member->io->arg,
						     member->in, INPUT_BYTES);

			if (n < 0)
				return (int)n;
			if (n == 0)
				return -EBADMSG; /* cut */
			zip->next_in = member->in;
			zip->avail_in = (uInt)n;
		}
		r = inflate_some(member);
	}
	return r < 0 ? r : 0;
}

/* Behind the end nothing may follow; all that was promised has come. */
static int check_end(struct deflated *member)
{
	ssize_t n = member->zip.avail_in;

	if (n == 0)
		n = member->io->read(member->io->arg, member->in, 1);
	if (n < 0)
		return (int)n;
	return n > 0 || member->left > 0 ? -EBADMSG : 0;
}

int unpack_deflated(const struct unpack_io *io, uint64_t size)
{
	auto_free struct deflated *member = mem_zalloc(sizeof(*member));
	int r = -ENOMEM;

	/* Negative: deflate without a header around it (zlib.h). */
	if (member && inflateInit2(&member->zip, -MAX_WBITS) == Z_OK) {
		member->io = io;
		member->left = size;
		r = put_member(io, NO_NAME, sizeof(NO_NAME) - 1, size);
		r = r ?: inflate_all(member);
		r = r ?: check_end(member);
		inflateEnd(&member->zip);
	}
	if (r == 0)
		return put_end(io);
	return put_refused(io, unpack_reason_of(r), NULL);
}
