/* SPDX-License-Identifier: MIT */
/*
 * omnihub-box - runs a converter where it can do no harm.
 *
 *	omnihub-box probe FOLDER
 *	omnihub-box run MODE FOLDER MEMORY-BYTES CPU-S FILE-BYTES PROGRAM ...
 *	omnihub-box look FILE
 *
 * "probe" prints the best MODE there is: namespaces, landlock or none.
 * FOLDER is absolute and has snapshot/, out/, home/, tmp/ and root/.  "look"
 * checks an ONNX file and prints what it is (onnx_look.h).  Started by the
 * daemon, never by people.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "staging/external/box/box.h"
#include "staging/external/onnx_look.h"

static bool take_number(const char *text, uint64_t *out)
{
	return parse_u64(text, strlen(text), UINT64_MAX, out) == 0;
}

static int say(const char *text)
{
	size_t len = strlen(text);

	return write(STDOUT_FILENO, text, len) == (ssize_t)len ? 0 : 1;
}

static int probe(const char *folder)
{
	char *argv[] = { NULL };
	struct box box = { .folder = folder, .argv = argv };

	if (box_has_namespaces(&box))
		return say("namespaces");
	return say(box_has_landlock() ? "landlock" : "none");
}

static int run(char **argv)
{
	static const char *const modes[] = { "namespaces", "landlock", "off" };
	struct box box = { .folder = argv[1], .argv = argv + 5 };
	unsigned int mode = 0;

	while (mode < ARRAY_LEN(modes) && strcmp(modes[mode], argv[0]) != 0)
		mode++;
	if (mode == ARRAY_LEN(modes) || *box.folder != '/' ||
	    !take_number(argv[2], &box.memory_bytes) ||
	    !take_number(argv[3], &box.cpu_s) ||
	    !take_number(argv[4], &box.file_bytes))
		return BOX_BROKEN;
	box.mode = mode;
	return mode == BOX_NAMESPACES ? box_run_namespaces(&box)
				      : box_run_group(&box);
}

/* What is wrong with it goes out as what it is would. */
static int look_at(const void *bytes, size_t len)
{
	auto_str struct str text;
	int r;

	str_init(&text, CONVERT_LOOK_BYTES_MAX);
	r = onnx_look(bytes, len, &text);
	if (r < 0)
		return EXIT_FAILURE;
	return say(str_text(&text));
}

/* It may be mapped: who could cut it short is gone. */
static int look(const char *path)
{
	auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct rlimit memory = { CONVERT_LOOK_MEMORY, CONVERT_LOOK_MEMORY };
	struct rlimit cpu = { CONVERT_LOOK_S, CONVERT_LOOK_S };
	struct stat st;
	void *bytes;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size <= 0 || (uint64_t)st.st_size > STAGED_INLINE_MAX)
		return EXIT_FAILURE;
	setrlimit(RLIMIT_DATA, &memory);
	setrlimit(RLIMIT_CPU, &cpu);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return EXIT_FAILURE;
	return look_at(bytes, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return BOX_BROKEN;
	if (argc == 3 && strcmp(argv[1], "probe") == 0)
		return probe(argv[2]);
	if (argc == 3 && strcmp(argv[1], "look") == 0)
		return look(argv[2]);
	if (argc >= 8 && strcmp(argv[1], "run") == 0)
		return run(argv + 2);
	return BOX_BROKEN;
}
