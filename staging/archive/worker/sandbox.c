/* SPDX-License-Identifier: MIT */
#include "staging/archive/worker/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef OMNIHUB_SANITIZED
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define FDS_MAX 3 /* 0, 1 and 2 */

static int limit(int resource, uint64_t value)
{
	struct rlimit both = { value, value };

	return setrlimit((__rlimit_resource_t)resource, &both) < 0 ? -errno : 0;
}

static int set_limits(uint64_t memory_bytes, uint64_t cpu_s)
{
	int r = limit(RLIMIT_CPU, cpu_s);

	r = r ?: limit(RLIMIT_CORE, 0);
	if (SANITIZED)
		return r;
	r = r ?: limit(RLIMIT_NOFILE, FDS_MAX);
	r = r ?: limit(RLIMIT_FSIZE, 0);
	r = r ?: limit(RLIMIT_AS, memory_bytes);
	return r;
}

/* What memory and time need, and the end. */
static const int allowed[] = {
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(fstat),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
};

/* Calls that are fine with these arguments only. */
static const struct {
	int call;
	unsigned int count;
	struct scmp_arg_cmp arguments[2];
} bounded[] = {
	{ SCMP_SYS(read),
	  1,
	  { { 0, SCMP_CMP_MASKED_EQ, UINT32_MAX, STDIN_FILENO } } },
	{ SCMP_SYS(write),
	  1,
	  { { 0, SCMP_CMP_MASKED_EQ, UINT32_MAX, STDOUT_FILENO } } },
	{ SCMP_SYS(mmap),
	  2,
	  { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 },
	    { 3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS } } },
	{ SCMP_SYS(mprotect), 1, { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } } },
};

static int allow(scmp_filter_ctx filter)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(allowed); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(bounded); i++)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
					   bounded[i].call, bounded[i].count,
					   bounded[i].arguments);
	return r;
}

static int set_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!filter)
		return -ENOMEM;
	r = allow(filter);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

int sandbox_enter(uint64_t memory_bytes, uint64_t cpu_s)
{
	int r;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	syscall(SYS_close_range, FDS_MAX, ~0U, 0);
	r = set_limits(memory_bytes, cpu_s);
	if (r < 0 || SANITIZED)
		return r;
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	return set_filter();
}
