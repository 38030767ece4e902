/* SPDX-License-Identifier: MIT */
/*
 * base/annot.h - what a declaration promises, in words compilers check.
 */
#ifndef BASE_ANNOT_H
#define BASE_ANNOT_H

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Argument @fmt is a printf format for the arguments from @first on. */
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

/* The field is read and written only with @lock held; for the reader. */
#define GUARDED_BY(lock)

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that holds @ptr as its member @member. */
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
