/* SPDX-License-Identifier: MIT */
/* What a file that should be an archive is, by its first bytes. */
#include <errno.h>
#include <string.h>

#include "staging/archive/job.h"

/* "ustar" of POSIX and GNU tar: in the first header, at 257. */
#define USTAR_AT 257

static const struct {
	const char *magic;
	size_t len;
	size_t at;
	bool zip;
} known[] = {
	{ "\x1f\x8b\x08", 3, 0, false },     /* gzip, RFC 1952 */
	{ "BZh", 3, 0, false },		     /* bzip2 */
	{ "\xfd\x37zXZ\0", 6, 0, false },    /* xz */
	{ "\x28\xb5\x2f\xfd", 4, 0, false }, /* zstd, RFC 8878 */
	{ "ustar", 5, USTAR_AT, false },
	{ "PK\x03\x04", 4, 0, true }, /* zip */
	{ "PK\x05\x06", 4, 0, true }, /* an empty one */
};

static const char lfs[] = "version https://git-lfs";

static bool has(const char *head, size_t len, size_t at, const char *magic,
		size_t magic_len)
{
	return len >= at + magic_len &&
	       memcmp(head + at, magic, magic_len) == 0;
}

int archive_check_head(const void *head, size_t len, const char *label,
		       bool *zip, struct refusal *why)
{
	const char *text = head;
	size_t blank = 0;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!has(head, len, known[i].at, known[i].magic, known[i].len))
			continue;
		*zip = known[i].zip;
		return 0;
	}
	if (has(head, len, 0, lfs, strlen(lfs)))
		return refuse(why, "lfs-pointer", label,
			      "the file is a pointer of git-lfs, not the "
			      "archive it stands for");
	while (blank < len && strchr(" \t\r\n", text[blank]) && text[blank])
		blank++;
	if (blank < len && text[blank] == '<')
		return refuse(
			why, "archive-html", label,
			"the hub gave a web page in place of the archive");
	return refuse(why, "archive-unsupported", label,
		      "the file is no archive that is read: neither a zip nor "
		      "a tar");
}
