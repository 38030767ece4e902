/* SPDX-License-Identifier: MIT */
/*
 * staging/refusal.h - why a model is not staged, in words for people.
 */
#ifndef STAGING_REFUSAL_H
#define STAGING_REFUSAL_H

#include <errno.h>

#include "base/annot.h"
#include "base/cleanup.h"

/* Zeroed before use, released after. */
struct refusal {
	char *code;   /* one word: "unsupported-architecture"; owned */
	char *reason; /* a sentence for people; owned */
	char *detail; /* the tensor, key or value at fault; owned, or NULL */
};
void refusal_release(struct refusal *refusal);
DEFINE_AUTO(refusal, struct refusal, refusal_release)
#define auto_refusal auto_of(refusal)

/* Fills @refusal (first one wins; NULL: not wanted); always -EBADMSG. */
int refuse(struct refusal *refusal, const char *code, const char *detail,
	   const char *format, ...) PRINTF_LIKE(4, 5);

/* The compiler is told which errno it is, and so what was set before. */
#define refuse(...)                          \
	({                                   \
		(void)(refuse)(__VA_ARGS__); \
		-EBADMSG;                    \
	})

#endif
