/* SPDX-License-Identifier: MIT */
/*
 * A checkpoint of PyTorch before 1.6 by ranges: the pickles at its start, in
 * pieces that double, and the count before its last storage.
 */
#include "staging/weights/weights_open.h"

#include <errno.h>

#include "base/blob.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/weights/torch_legacy.h"

/* The start of the file. */
struct head {
	uint8_t *bytes; /* owned */
	size_t len;
};

static void head_release(struct head *head)
{
	free(head->bytes);
}

DEFINE_AUTO(head, struct head, head_release)

/* -ENODATA: that is all that may be had. */
static int head_grow(struct weights_load *load, struct head *head)
{
	uint64_t most = u64_min(load->blob->size, TORCH_LEGACY_HEAD_MAX);
	uint64_t want = u64_min(u64_max(HEAD_FETCH_BYTES, 2 * head->len), most);
	uint8_t *bytes;
	int r;

	if (want <= head->len)
		return -ENODATA;
	bytes = mem_resize(head->bytes, want, 1);
	if (!bytes)
		return -ENOMEM;
	head->bytes = bytes;
	r = blob_fetch(load->blob, head->len, want - head->len,
		       bytes + head->len, load->deadline_ns);
	if (r == 0)
		head->len = want;
	return r;
}

static int check_count(struct weights_load *load,
		       const struct torch_count *count)
{
	uint8_t bytes[8];
	int r;

	if (count->at == 0)
		return 0;
	r = blob_fetch(load->blob, count->at, sizeof(bytes), bytes,
		       load->deadline_ns);
	if (r < 0)
		return r;
	return le64(bytes) == count->elements ? 0 : -EBADMSG;
}

static int load_head(struct weights_load *load, struct head *head)
{
	auto_torch_legacy struct torch_legacy legacy = { 0 };
	struct torch_count last;
	int r = torch_legacy_parse(head->bytes, head->len, &legacy, load->why);

	if (r == 0)
		r = torch_legacy_read(load->weights, load->file, &legacy,
				      head->bytes, head->len, &last, load->why);
	return r < 0 ? r : check_count(load, &last);
}

int torch_legacy_load(struct weights_load *load)
{
	auto_of(head) struct head head = { 0 };
	int r;

	load->weights->format = "torch-legacy";
	do {
		r = head_grow(load, &head);
		if (r == 0)
			r = load_head(load, &head);
		else if (r == -ENODATA)
			r = -EBADMSG;
	} while (r == -ENODATA);
	if (r == -EBADMSG)
		return refuse(load->why, "torch-legacy",
			      load->weights->files[load->file].path,
			      "the checkpoint is cut short or damaged");
	return r;
}
