/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/name_parts.h - names of tensors in parts, and what other
 * libraries' kernels are for torch.  Pure.
 */
#ifndef STAGING_WEIGHTS_NAME_PARTS_H
#define STAGING_WEIGHTS_NAME_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"
#include "base/limits.h"
#include "staging/weights/weights.h"

struct name_part {
	const char *text; /* borrowed; not ended by a NUL */
	size_t len;
};

struct name_parts {
	struct name_part parts[NAME_PARTS_MAX];
	size_t count;
};

/* An empty part is left out.  -EBADMSG: too many. */
int name_parts_add(struct name_parts *parts, const char *text,
		   size_t len) MUST_CHECK;

bool name_part_is(const struct name_parts *parts, size_t i, const char *text);

/* There is one. */
void name_parts_drop_first(struct name_parts *parts);

/* There is one; @text is static. */
void name_parts_rename_last(struct name_parts *parts, const char *text);

/* "a.b.c"; the caller frees it.  -EBADMSG: no parts, or too long a name. */
int name_parts_join(const struct name_parts *parts, char **out) MUST_CHECK;

/*
 * Makes of @tensor, whose shape is that of a kernel of TensorFlow or Flax,
 * the same in torch's order of axes; no byte moves.  A dense layer's is
 * [in, out], that of a convolution [width, in, out] or [height, width, in,
 * out].  -EBADMSG: it is none of these.
 */
int tensor_of_kernel(struct tensor *tensor) MUST_CHECK;

#endif
