/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over the files named, and those in the folders named.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/atomic_file.h"
#include "base/mem.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_BYTES_MAX ((size_t)256 << 20)
#define WALK_FDS 16

static size_t replayed;

/* An exact copy on the heap, so that AddressSanitizer sees its end. */
static int replay(const char *path)
{
	auto_str struct str input;
	auto_free void *exact = NULL;
	int r;

	str_init(&input, INPUT_BYTES_MAX);
	r = file_read_all(AT_FDCWD, path, &input);
	if (r < 0)
		return r;
	exact = mem_dup(str_text(&input), input.len);
	if (!exact)
		return -ENOMEM;
	LLVMFuzzerTestOneInput(exact, input.len);
	replayed++;
	return 0;
}

static int visit(const char *path, const struct stat *st, int type,
		 struct FTW *walk)
{
	int r = type == FTW_F ? replay(path) : 0;

	(void)st;
	(void)walk;
	if (r < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(-r));
	return r;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (nftw(argv[i], visit, WALK_FDS, 0) != 0) {
			fprintf(stderr, "%s: cannot be replayed\n", argv[i]);
			return EXIT_FAILURE;
		}
	}
	fprintf(stdout, "%zu inputs replayed\n", replayed);
	return replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
