/* SPDX-License-Identifier: MIT */
/*
 * omnihub-unpack - the process in which hostile archives are read.
 *
 *	omnihub-unpack tar BYTES-MAX CPU-S
 *	omnihub-unpack deflated BYTES CPU-S
 *
 * The archive on standard input, frames (unpack_frames.h) on standard
 * output.  Started by the daemon, never by people.
 */
#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "staging/archive/worker/sandbox.h"
#include "staging/archive/worker/unpack.h"

static ssize_t read_in(void *arg, void *to, size_t len)
{
	ssize_t n;

	(void)arg;
	do
		n = read(STDIN_FILENO, to, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int write_out(void *arg, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	(void)arg;
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static bool take_number(const char *text, uint64_t *out)
{
	return parse_u64(text, strlen(text), UINT64_MAX, out) == 0;
}

int main(int argc, char **argv)
{
	static const struct unpack_io io = { read_in, write_out, NULL };
	uint64_t bytes, cpu_s;

	if (argc != 4 || !take_number(argv[2], &bytes) ||
	    !take_number(argv[3], &cpu_s))
		return EXIT_FAILURE;
	/* Names of pax headers are UTF-8; libarchive turns them into ours. */
	setlocale(LC_CTYPE, "C.UTF-8");
	if (sandbox_enter(WORKER_MEMORY_BYTES, cpu_s) < 0)
		return EXIT_FAILURE;
	if (strcmp(argv[1], "tar") == 0)
		return unpack_tar(&io, bytes) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (strcmp(argv[1], "deflated") == 0)
		return unpack_deflated(&io, bytes) < 0 ? EXIT_FAILURE
						       : EXIT_SUCCESS;
	return EXIT_FAILURE;
}
