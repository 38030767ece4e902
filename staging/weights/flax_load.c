/* SPDX-License-Identifier: MIT */
/*
 * A flax_model.msgpack by ranges: from head to head.  Heads are among the
 * data, so a large array costs a request.
 */
#include "staging/weights/weights_open.h"

#include <errno.h>

#include "base/blob.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/weights/flax_tree.h"

/* A piece of the file. */
struct piece {
	uint8_t *bytes; /* owned; room for PIECE_BYTES */
	uint64_t at;
	size_t len;
	unsigned int got; /* pieces so far */
};

#define PIECE_BYTES (HEAD_FETCH_BYTES + FLAX_HEAD_BYTES_MAX)

/* Up to the end of a block, and any head that begins at @at is whole. */
static int piece_get(struct weights_load *load, struct piece *piece,
		     uint64_t at)
{
	uint64_t end =
		u64_min(u64_ceil(at + FLAX_HEAD_BYTES_MAX, HEAD_FETCH_BYTES),
			load->blob->size);

	if (++piece->got > FLAX_PIECES_MAX)
		return -EFBIG;
	piece->at = at;
	piece->len = (size_t)(end - at);
	return blob_fetch(load->blob, at, piece->len, piece->bytes,
			  load->deadline_ns);
}

/* The bytes from @at on that are in the piece; *@len: how many, maybe none. */
static const uint8_t *bytes_at(const struct piece *piece, uint64_t at,
			       size_t *len)
{
	*len = 0;
	if (at < piece->at || at >= piece->at + piece->len)
		return piece->bytes;
	*len = piece->len - (size_t)(at - piece->at);
	return piece->bytes + (at - piece->at);
}

/* With what is there; then with all that a head may need. */
static int step(struct weights_load *load, struct flax_tree *tree,
		struct piece *piece)
{
	size_t len;
	const uint8_t *bytes = bytes_at(piece, tree->at, &len);
	int r = flax_tree_step(tree, bytes, len);

	if (r != -ENODATA)
		return r;
	if (tree->at >= load->blob->size)
		return -EBADMSG;
	r = piece_get(load, piece, tree->at);
	if (r == 0)
		r = flax_tree_step(tree, piece->bytes, piece->len);
	return r == -ENODATA ? -EBADMSG : r;
}

int flax_load(struct weights_load *load)
{
	auto_free uint8_t *bytes = mem_alloc(PIECE_BYTES);
	auto_flax_tree struct flax_tree tree;
	struct piece piece = { .bytes = bytes };
	int r = bytes ? 1 : -ENOMEM;

	flax_tree_init(&tree, load->weights, load->file, load->why);
	while (r == 1)
		r = step(load, &tree, &piece);
	if (r == -EBADMSG)
		return refuse(load->why, "flax",
			      load->weights->files[load->file].path,
			      "the file of Flax's parameters is cut short or "
			      "damaged");
	return r;
}
