/* SPDX-License-Identifier: MIT */
/*
 * staging/models/swin_windows.h - which patches of a map make up a window.
 *
 * Facts: modeling_swin.py.  A map that is no multiple of the window is filled
 * up with zeros to the right and below.  It is shifted to the left and
 * upwards, what falls out coming back on the other side; what was not beside
 * each other does not look at each other then.
 */
#ifndef STAGING_MODELS_SWIN_WINDOWS_H
#define STAGING_MODELS_SWIN_WINDOWS_H

#include "staging/models/family.h"

struct swin_windows {
	struct windows windows; /* for form->windowed() */
	uint64_t count;		/* of all their patches */

	/* For form->pick(); NULL: all in their order. */
	struct value *order, *back;
	struct value *kept; /* NULL: nothing was filled up */
};

/* Of a map of @size (height, width), windows of @side by @side. */
void swin_windows_make(struct emit *emit, const uint64_t size[2], uint64_t side,
		       uint64_t shift, struct swin_windows *made);

/* [side^2, side^2]: the row of the table of biases for two patches. */
struct value *swin_buckets(struct emit *emit, uint64_t side);

/*
 * Four patches each as one, @size being what @x has and then what it gives:
 * rows of four times the width.
 */
struct value *swin_merge(struct emit *emit, struct value *x, uint64_t size[2]);

#endif
