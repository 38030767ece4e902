/* SPDX-License-Identifier: MIT */
#include "staging/weights/weights_sniff.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "staging/weights/torch_legacy.h"

struct head {
	const uint8_t *bytes;
	size_t len;
	uint64_t size; /* of the file */
};

static bool has(const struct head *head, size_t at, const char *text,
		size_t len)
{
	return head->len >= at + len &&
	       memcmp(head->bytes + at, text, len) == 0;
}

/* The header's length and the header, which is JSON. */
static bool is_safetensors(const struct head *head)
{
	return head->len > 8 && head->bytes[8] == '{' &&
	       le64(head->bytes) <= head->size - 8;
}

static bool is_torch_legacy(const struct head *head)
{
	return torch_legacy_is(head->bytes, head->len);
}

/* Any XML or HTML: a hub's page about the file, or an error. */
static bool is_page(const struct head *head)
{
	size_t at = 0;

	while (at < head->len && strchr(" \t\r\n", head->bytes[at]) &&
	       head->bytes[at])
		at++;
	return has(head, at, "<", 1);
}

#define MAGIC(text) 0, text, sizeof(text) - 1

/*
 * A format is known by bytes at a place, or by a function.  Those with a
 * reason are none that is read.  To add one: its line.
 */
static const struct {
	size_t at;
	const char *magic; /* NULL: .is */
	size_t len;
	bool (*is)(const struct head *head);
	struct weights_format format;
	const char *code;
	const char *reason;
} known[] = {
	{ MAGIC("PK\3\4"), NULL, { "torch-zip", torch_zip_load }, NULL, NULL },
	{ 0,
	  NULL,
	  0,
	  is_torch_legacy,
	  { "torch-legacy", torch_legacy_load },
	  NULL,
	  NULL },
	{ 0,
	  NULL,
	  0,
	  is_safetensors,
	  { "safetensors", safetensors_load },
	  NULL,
	  NULL },
	{ MAGIC("\x89HDF\r\n\x1a\n"), NULL, { "hdf5", hdf5_load }, NULL, NULL },
	{ MAGIC("version https://git-lfs"),
	  NULL,
	  { 0 },
	  "lfs-pointer",
	  "the file is a pointer of Git LFS, not the weights" },
	{ MAGIC("\x1f\x8b"),
	  NULL,
	  { 0 },
	  "compressed",
	  "the file is compressed by gzip" },
	{ 257,
	  "ustar",
	  5,
	  NULL,
	  { 0 },
	  "torch-tar",
	  "the file is a tar archive, as the first releases of PyTorch wrote "
	  "checkpoints, which is not read" },
	{ 0,
	  NULL,
	  0,
	  is_page,
	  { 0 },
	  "web-page",
	  "the file is a web page, not the weights" },
};

int weights_sniff(const void *bytes, size_t len, uint64_t size,
		  struct weights_format *out, struct refusal *why)
{
	const struct head head = { bytes, len, size };

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (known[i].magic ? !has(&head, known[i].at, known[i].magic,
					  known[i].len)
				   : !known[i].is(&head))
			continue;
		if (known[i].reason)
			return refuse(why, known[i].code, NULL, "%s",
				      known[i].reason);
		*out = known[i].format;
		return 0;
	}
	return refuse(why, "weights", NULL,
		      "the file is in no format of weights that is known");
}
