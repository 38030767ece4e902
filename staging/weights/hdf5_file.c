/* SPDX-License-Identifier: MIT */
#include "staging/weights/hdf5_file.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

int hdf5_bad(struct hdf5_file *file, const char *what)
{
	return refuse(file->why, "hdf5", what,
		      "the HDF5 file is damaged or not complete");
}

int hdf5_unsupported(struct hdf5_file *file, const char *what)
{
	return refuse(file->why, "hdf5-unsupported", what,
		      "the HDF5 file uses a part of the format that is not "
		      "read");
}

static struct hdf5_piece *piece_find(struct hdf5_file *file, uint64_t number)
{
	for (size_t i = 0; i < HDF5_PIECES_KEPT; i++)
		if (file->pieces[i].bytes && file->pieces[i].number == number)
			return &file->pieces[i];
	return NULL;
}

static struct hdf5_piece *piece_oldest(struct hdf5_file *file)
{
	struct hdf5_piece *oldest = &file->pieces[0];

	for (size_t i = 0; i < HDF5_PIECES_KEPT; i++) {
		if (!file->pieces[i].bytes)
			return &file->pieces[i];
		if (file->pieces[i].used < oldest->used)
			oldest = &file->pieces[i];
	}
	return oldest;
}

static int piece_fetch(struct hdf5_file *file, uint64_t number,
		       struct hdf5_piece **out)
{
	uint64_t at = number * HEAD_FETCH_BYTES;
	size_t len = u64_min(HEAD_FETCH_BYTES, file->from.size - at);
	struct hdf5_piece *piece = piece_oldest(file);
	auto_free uint8_t *bytes = take_ptr(piece->bytes);
	int r;

	if (++file->got > HDF5_PIECES_MAX)
		return -EFBIG;
	if (!bytes)
		bytes = mem_alloc(u64_min(HEAD_FETCH_BYTES, file->from.size));
	if (!bytes)
		return -ENOMEM;
	r = file->from.read(file->from.arg, at, len, bytes);
	if (r < 0)
		return r;
	piece->number = number;
	piece->bytes = take_ptr(bytes);
	*out = piece;
	return 0;
}

static int piece_get(struct hdf5_file *file, uint64_t number,
		     struct hdf5_piece **out)
{
	struct hdf5_piece *piece = piece_find(file, number);
	int r = 0;

	if (!piece)
		r = piece_fetch(file, number, &piece);
	if (r < 0)
		return r;
	piece->used = file->reads;
	*out = piece;
	return 0;
}

int hdf5_read(struct hdf5_file *file, uint64_t at, size_t len, void *to)
{
	struct hdf5_piece *piece;
	uint8_t *out = to;
	uint64_t end;

	if (!u64_add(at, len, &end) || end > file->end)
		return hdf5_bad(file, "an address past the end of the file");
	file->work += HDF5_READ_WORK + len;
	file->reads++;
	if (file->work > HDF5_WORK_MAX)
		return -EFBIG;
	while (at < end) {
		size_t skip = at % HEAD_FETCH_BYTES;
		size_t step = u64_min(end - at, HEAD_FETCH_BYTES - skip);
		int r = piece_get(file, at / HEAD_FETCH_BYTES, &piece);

		if (r < 0)
			return r;
		memcpy(out, piece->bytes + skip, step);
		out += step;
		at += step;
	}
	return 0;
}

/*
 * Version 1 has 4 bytes more before the addresses.  Byte 13 and 14 are the
 * widths of addresses and lengths.
 */
static int check_head(struct hdf5_file *file, const uint8_t *head)
{
	if (memcmp(head, HDF5_SIGNATURE, HDF5_SIGNATURE_BYTES) != 0)
		return refuse(file->why, "hdf5", NULL,
			      "the file is not an HDF5 file");
	file->version = head[8];
	if (file->version > 1)
		return hdf5_unsupported(file, "superblock 2 or later");
	if (head[9] != 0 || head[10] != 0 || head[12] != 0)
		return hdf5_unsupported(file, "version of a part");
	if (head[13] != 8 || head[14] != 8)
		return hdf5_unsupported(file, "width of addresses");
	file->leaf_k = le16(head + 16);
	file->node_k = le16(head + 18);
	if (file->leaf_k == 0 || file->node_k == 0)
		return hdf5_bad(file, "nodes of no entry");
	return 0;
}

static int read_addresses(struct hdf5_file *file)
{
	uint64_t at = file->version == 0 ? 24 : 28;
	uint8_t bytes[32 + 16]; /* four addresses; name, header of the root */
	int r = hdf5_read(file, at, sizeof(bytes), bytes);

	if (r < 0)
		return r;
	file->base = le64(bytes);
	if (file->base != 0)
		return hdf5_unsupported(file, "a base address");
	if (le64(bytes + 24) != HDF5_NOWHERE)
		return hdf5_unsupported(file, "a driver (split files)");
	if (le64(bytes + 16) > file->from.size)
		return hdf5_bad(file, "the file is shorter than it says");
	file->end = le64(bytes + 16);
	file->root = le64(bytes + 40);
	return 0;
}

int hdf5_open(struct hdf5_file *file, const struct hdf5_source *from,
	      struct refusal *why)
{
	uint8_t head[24];
	int r;

	*file = (struct hdf5_file){
		.from = *from,
		.why = why,
		.end = from->size,
	};
	if (from->size < HDF5_SUPERBLOCK_BYTES)
		return refuse(why, "hdf5", NULL,
			      "the file is too short for an HDF5 file");
	r = hdf5_read(file, 0, sizeof(head), head);
	if (r == 0)
		r = check_head(file, head);
	return r < 0 ? r : read_addresses(file);
}

void hdf5_close(struct hdf5_file *file)
{
	for (size_t i = 0; i < HDF5_PIECES_KEPT; i++)
		free(file->pieces[i].bytes);
	*file = (struct hdf5_file){ 0 };
}
