/* SPDX-License-Identifier: MIT */
/*
 * base/cleanup.h - locals that clean up after themselves.
 *
 *	auto_free char *text = NULL;
 *	auto_close int fd = open(...);
 *
 * A thing of our own gets its attribute beside its release function:
 *
 *	DEFINE_AUTO_PTR(plan, struct plan, plan_free)	-> auto_plan
 *
 * take_ptr(x) hands a pointer over: its value leaves, NULL stays.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

/* Keeps errno, so that "return -errno" may follow. */
static inline void cleanup_close(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

#define auto_free __attribute__((cleanup(cleanup_free)))
#define auto_close __attribute__((cleanup(cleanup_close)))

#define DEFINE_AUTO_PTR(name, type, release)                \
	static inline void cleanup_##name(type *const *ptr) \
	{                                                   \
		if (*ptr)                                   \
			release(*ptr);                      \
	}

/* For a struct held by value: @release takes its address. */
#define DEFINE_AUTO(name, type, release)               \
	static inline void cleanup_##name(type *thing) \
	{                                              \
		release(thing);                        \
	}

#define auto_of(name) __attribute__((cleanup(cleanup_##name)))

#define take_ptr(ptr)                          \
	({                                     \
		__typeof__(ptr) taken = (ptr); \
		(ptr) = NULL;                  \
		taken;                         \
	})

#define take_fd(fd)               \
	({                        \
		int taken = (fd); \
		(fd) = -1;        \
		taken;            \
	})

#endif
