/* SPDX-License-Identifier: MIT */
/* The system calls that a converter does without. */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "base/annot.h"
#include "staging/external/box/box.h"

/*
 * What reaches out of the box, or has been a way out of one.  socketpair()
 * stays: it reaches nobody.
 */
static const int refused[] = {
	SCMP_SYS(socket),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsmount),
	SCMP_SYS(fspick),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(swapon),
	SCMP_SYS(reboot),
	SCMP_SYS(syslog),
	SCMP_SYS(acct),
	SCMP_SYS(quotactl),
};

/* Without a namespace of processes: leaving the group, signals to others. */
static const int refused_in_group[] = {
	SCMP_SYS(setsid),
	SCMP_SYS(setpgid),
	SCMP_SYS(kill),
	SCMP_SYS(tkill),
	SCMP_SYS(tgkill),
	SCMP_SYS(rt_sigqueueinfo),
	SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(pidfd_send_signal),
};

static int refuse_all(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), calls[i],
				     0);
	return r;
}

/*
 * clone3() hides its flags in memory: without it the C library takes
 * clone(), whose flags are seen.  TIOCSTI types at who has the terminal.
 */
static int refuse_some(scmp_filter_ctx filter)
{
	static const unsigned int spaces[] = {
		CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
		CLONE_NEWUSER, CLONE_NEWPID,	CLONE_NEWNET,
	};
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
				 SCMP_SYS(clone3), 0);

	r = r
		    ?: seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES),
					SCMP_SYS(ioctl), 1,
					SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX,
						TIOCSTI));
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(spaces); i++)
		r = seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, spaces[i], spaces[i]));
	return r;
}

/* A process's own limits may be asked for; others' may not. */
static int refuse_in_group(scmp_filter_ctx filter)
{
	int r = refuse_all(filter, refused_in_group,
			   ARRAY_LEN(refused_in_group));

	return r
		       ?: seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES),
					   SCMP_SYS(prlimit64), 1,
					   SCMP_A0(SCMP_CMP_NE, 0, 0));
}

int box_filter(bool group)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r;

	if (!filter)
		return -ENOMEM;
	r = refuse_all(filter, refused, ARRAY_LEN(refused));
	if (r == 0 && group)
		r = refuse_in_group(filter);
	r = r ?: refuse_some(filter);
	r = r ?: seccomp_load(filter);
	seccomp_release(filter);
	return r;
}
