/* SPDX-License-Identifier: MIT */
/* Bounds and privileges of a converter, and its start. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/external/box/box.h"

#define CAPABILITIES_MAX 64 /* what the kernel's sets have room for */
#define NICENESS 10	    /* others go first */

static int limit(int resource, uint64_t value)
{
	struct rlimit both = { value, value };

	return setrlimit((__rlimit_resource_t)resource, &both) < 0 ? -errno : 0;
}

/* When memory ends it is the converter that goes, no one else. */
static void go_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, "1000", 4);
	close(fd);
}

/* What is private and written counts; files that are mapped do not. */
int box_limit(const struct box *box)
{
	uint64_t all;
	int r;

	if (!u64_mul(box->memory_bytes, 2, &all) ||
	    !u64_add(all, CONVERT_MAPPED_BYTES, &all))
		return -EINVAL;
	go_first();
	(void)!nice(NICENESS);
	r = limit(RLIMIT_CORE, 0);
	r = r ?: limit(RLIMIT_CPU, box->cpu_s);
	r = r ?: limit(RLIMIT_DATA, box->memory_bytes);
	r = r ?: limit(RLIMIT_AS, all);
	r = r ?: limit(RLIMIT_FSIZE, box->file_bytes);
	r = r ?: limit(RLIMIT_NOFILE, CONVERT_FDS_MAX);
	r = r ?: limit(RLIMIT_NPROC, CONVERT_PROCESSES_MAX);
	return r;
}

/* All of them, for ever: also root's own get none back. */
int box_drop_privileges(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	for (unsigned long i = 0; i < CAPABILITIES_MAX; i++)
		prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

void box_exec(const struct box *box)
{
	auto_free char *tmp = mem_printf("%s/tmp", box->folder);

	if (tmp && chdir(tmp) < 0)
		_exit(box_complain("enter the folder"));
	syscall(SYS_close_range, 3U, ~0U, 0);
	execv(box->argv[0], box->argv);
	_exit(box_complain(box->argv[0]));
}

int box_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
					: WEXITSTATUS(wait_status);
}

int box_complain(const char *what)
{
	auto_free char *line = mem_printf("omnihub-box: cannot %s: %s\n", what,
					  strerror(errno));

	if (line)
		(void)!write(STDERR_FILENO, line, strlen(line));
	return BOX_BROKEN;
}
