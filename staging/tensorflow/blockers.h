/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/blockers.h - the nodes that cannot be frozen, gathered.
 *
 * So that a refusal names them all, as far as a sentence's length allows,
 * and not only the first one met.
 */
#ifndef STAGING_TENSORFLOW_BLOCKERS_H
#define STAGING_TENSORFLOW_BLOCKERS_H

#include <stddef.h>

#include "base/annot.h"
#include "base/str.h"
#include "staging/refusal.h"
#include "staging/tensorflow/tf_text.h"

enum blocker {
	BLOCKER_TABLE,
	BLOCKER_ITERATOR,
	BLOCKER_STATE,
	BLOCKER_FILE,
	BLOCKER_CUSTOM,
	BLOCKER_PLACEHOLDER,
	BLOCKER_HANDLE,
	BLOCKER_ASSIGNED, /* may follow from the one before */
	BLOCKER_KINDS
};

struct blockers {
	struct {
		struct str names;
		size_t count;
	} kinds[BLOCKER_KINDS];
};

void blockers_init(struct blockers *blockers);
void blockers_release(struct blockers *blockers);

/* The node @name; @op: its operation, or what it assigns.  -ENOMEM. */
int blockers_add(struct blockers *blockers, enum blocker kind,
		 struct tf_text op, const char *name) MUST_CHECK;

/* 0: none was added; -EBADMSG, and @why tells. */
int blockers_judge(const struct blockers *blockers,
		   struct refusal *why) MUST_CHECK;

#endif
