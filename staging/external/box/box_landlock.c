/* SPDX-License-Identifier: MIT */
/*
 * Landlock: reading everywhere, writing in three folders and to /dev/null.
 * Facts: landlock(7), linux/landlock.h; bits of later versions of it are
 * given by number, as headers may be older than the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "staging/external/box/box.h"

/* Rights of files, by the version of the interface that brought them. */
static const uint64_t rights[] = {
	0,
	(1ULL << 13) - 1, /* 1: up to MAKE_SYM */
	(1ULL << 14) - 1, /* 2: REFER */
	(1ULL << 15) - 1, /* 3: TRUNCATE */
	(1ULL << 15) - 1, /* 4: the network's */
	(1ULL << 16) - 1, /* 5: IOCTL_DEV */
};

#define READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define READING \
	(READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE)
#define USING_A_FILE (READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)

/* 0: there is none. */
static unsigned int version(void)
{
	long r = syscall(SYS_landlock_create_ruleset, NULL, 0,
			 LANDLOCK_CREATE_RULESET_VERSION);

	return r < 0 ? 0 : (unsigned int)r;
}

bool box_has_landlock(void)
{
	return version() > 0;
}

static uint64_t handled(void)
{
	const unsigned int last = ARRAY_LEN(rights) - 1;
	unsigned int known = version();

	return rights[known < last ? known : last];
}

static int allow(int rules, const char *path, uint64_t access)
{
	auto_close int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { access & handled(), fd };

	if (fd < 0)
		return -errno;
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		       &rule, 0) < 0
		       ? -errno
		       : 0;
}

static int allow_folders(const struct box *box, int rules)
{
	static const char *const names[] = BOX_FOLDERS;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
		auto_free char *path = mem_printf("%s/%s", box->folder,
						  names[i]);

		r = path ? allow(rules, path, UINT64_MAX) : -ENOMEM;
	}
	return r;
}

int box_landlock(const struct box *box)
{
	static const char *const devices[] = { "/dev/null", "/dev/zero",
					       "/dev/full" };
	struct landlock_ruleset_attr attributes = { handled() };
	auto_close int rules = (int)syscall(SYS_landlock_create_ruleset,
					    &attributes, sizeof(attributes), 0);
	int r;

	if (rules < 0)
		return -errno;
	r = allow(rules, "/", READING);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(devices); i++)
		r = allow(rules, devices[i], USING_A_FILE);
	r = r ?: allow_folders(box, rules);
	if (r == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		r = -errno;
	return r;
}
