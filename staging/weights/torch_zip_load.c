/* SPDX-License-Identifier: MIT */
/*
 * A checkpoint of torch.save() by ranges: the end of the file with its
 * directory, then the pickle, which stands first.  Storages' places are
 * derived; every local header that came along is held against that.
 */
#include "staging/weights/weights_open.h"

#include <errno.h>
#include <string.h>

#include "base/blob.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/weights/torch_legacy.h"
#include "staging/weights/torch_zip.h"
#include "staging/weights/zip_directory.h"

/* A piece of the file in memory. */
struct window {
	uint64_t at;
	size_t len;
	uint8_t *bytes; /* owned */
};

static void window_release(struct window *window)
{
	free(window->bytes);
}

DEFINE_AUTO(window, struct window, window_release)
#define auto_window auto_of(window)

static int window_fetch(struct weights_load *load, uint64_t at, uint64_t len,
			struct window *out)
{
	out->bytes = mem_alloc(len + 1);
	if (!out->bytes)
		return -ENOMEM;
	out->at = at;
	out->len = len;
	return blob_fetch(load->blob, at, len, out->bytes, load->deadline_ns);
}

/* No zip: the stream of before 1.6, or nothing that is known. */
static int load_other(struct weights_load *load)
{
	uint8_t head[TORCH_LEGACY_MAGIC_BYTES];
	int r;

	if (load->blob->size < sizeof(head))
		return -EBADMSG;
	r = blob_fetch(load->blob, 0, sizeof(head), head, load->deadline_ns);
	if (r < 0)
		return r;
	if (torch_legacy_is(head, sizeof(head)))
		return torch_legacy_load(load);
	return -EBADMSG;
}

/* The directory, out of @tail where that holds it. */
static int read_directory(struct weights_load *load, const struct window *tail,
			  struct zip_directory **out)
{
	auto_window struct window more = { 0 };
	struct zip_end end;
	const void *bytes;
	int r = zip_find_end(tail->bytes, tail->len, load->blob->size, &end);

	if (r < 0)
		return r;
	if (end.dir_len > ZIP_DIRECTORY_MAX)
		return -EFBIG;
	if (end.dir_off >= tail->at) {
		bytes = tail->bytes + (end.dir_off - tail->at);
	} else {
		r = window_fetch(load, end.dir_off, end.dir_len, &more);
		if (r < 0)
			return r;
		bytes = more.bytes;
	}
	return zip_directory_parse(bytes, &end, out);
}

/* Holds the local headers in @window against the directory. */
static int check_window(struct zip_directory *directory,
			const struct window *window)
{
	for (size_t i = 0; i < directory->count; i++) {
		struct zip_entry *entry = &directory->entries[i];
		uint64_t end = entry->local + ZIP_LOCAL_BYTES + entry->name_len;
		int r;

		if (entry->local < window->at || end > window->at + window->len)
			continue;
		zip_derive(entry);
		r = zip_local_check(entry,
				    window->bytes + (entry->local - window->at),
				    window->len - (entry->local - window->at));
		if (r < 0)
			return r;
	}
	return 0;
}

static int prove(struct weights_load *load, struct zip_entry *entry,
		 size_t *reads)
{
	auto_window struct window header = { 0 };
	int r;

	if (zip_derive(entry))
		return 0;
	if (++*reads > ZIP_LOCALS_MAX)
		return -EFBIG;
	r = window_fetch(load, entry->local, ZIP_LOCAL_BYTES + entry->name_len,
			 &header);
	return r < 0 ? r : zip_local_check(entry, header.bytes, header.len);
}

static int prove_all(struct weights_load *load, struct zip_directory *directory)
{
	size_t reads = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < directory->count; i++)
		r = prove(load, &directory->entries[i], &reads);
	return r;
}

/* The record of @entry and the rest of its last block, which comes along. */
static int fetch_record(struct weights_load *load,
			const struct zip_entry *entry, struct window *out)
{
	uint64_t end = u64_min(u64_ceil(entry->next, HEAD_FETCH_BYTES),
			       load->blob->size);

	if (entry->size > PICKLE_BYTES_MAX ||
	    entry->next - entry->local > PICKLE_BYTES_MAX + HEAD_FETCH_BYTES)
		return -EFBIG;
	return window_fetch(load, entry->local, end - entry->local, out);
}

/* The payload of @entry in @window; NULL: damaged. */
static const uint8_t *payload_of(const struct zip_entry *entry,
				 const struct window *window)
{
	const uint8_t *bytes = window->bytes + (entry->payload - window->at);

	return zip_crc32(bytes, entry->size) == entry->crc ? bytes : NULL;
}

static int check_byteorder(struct weights_load *load,
			   const struct zip_entry *entry)
{
	char order[8];
	int r;

	if (!entry)
		return 0;
	if (entry->size > sizeof(order))
		return -EBADMSG;
	r = blob_fetch(load->blob, entry->payload, entry->size, order,
		       load->deadline_ns);
	if (r < 0)
		return r;
	if (entry->size == strlen("little") &&
	    memcmp(order, "little", entry->size) == 0)
		return 0;
	return refuse(load->why, "big-endian", NULL,
		      "the checkpoint was written on a big-endian machine");
}

static int read_zip(struct weights_load *load, struct zip_directory *directory)
{
	auto_window struct window record = { 0 };
	const uint8_t *bytes;
	struct torch_zip zip;
	int r = torch_zip_find(directory, &zip, load->why);

	if (r == 0)
		r = fetch_record(load, zip.pickle, &record);
	if (r == 0)
		r = check_window(directory, &record);
	if (r == 0)
		r = prove_all(load, directory);
	if (r == 0)
		r = check_byteorder(load, zip.byteorder);
	if (r < 0)
		return r;
	bytes = payload_of(zip.pickle, &record);
	if (!bytes)
		return -EBADMSG;
	return torch_zip_read(load->weights, load->file, &zip, bytes,
			      zip.pickle->size, load->why);
}

static int load_zip(struct weights_load *load, const struct window *tail,
		    bool *is_zip)
{
	auto_zip_directory struct zip_directory *directory = NULL;
	int r = read_directory(load, tail, &directory);

	*is_zip = r == 0;
	if (r == 0)
		r = check_window(directory, tail);
	return r < 0 ? r : read_zip(load, directory);
}

int torch_zip_load(struct weights_load *load)
{
	auto_window struct window tail = { 0 };
	uint64_t len = u64_min(load->blob->size, ZIP_TAIL_BYTES);
	bool is_zip = false;
	int r = window_fetch(load, load->blob->size - len, len, &tail);

	if (r == 0)
		r = load_zip(load, &tail, &is_zip);
	if (r == -EBADMSG && !is_zip)
		r = load_other(load);
	if (r == -EBADMSG || r == -EFBIG)
		return refuse(load->why, "torch-zip",
			      load->weights->files[load->file].path,
			      "the file is not a PyTorch checkpoint, or is "
			      "damaged");
	return r;
}
