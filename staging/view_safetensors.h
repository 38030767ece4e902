/* SPDX-License-Identifier: MIT */
/*
 * staging/view_safetensors.h - a pickled checkpoint as one safetensors file.
 *
 * As the official converter makes it (safetensors/bindings/python/convert.py):
 * tensors of the same bytes are kept once, under the name that sorts first,
 * and the metadata maps each dropped name to the kept one; the metadata has
 * "format": "pt".  Tensors come by falling width of their type, then by
 * name, as the format's own writer has them.
 */
#ifndef STAGING_VIEW_SAFETENSORS_H
#define STAGING_VIEW_SAFETENSORS_H

#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/plan.h"
#include "staging/refusal.h"
#include "staging/staging.h"
#include "staging/weights/weights.h"

struct safetensors_alias {
	const struct tensor *dropped; /* borrowed from the weights */
	const struct tensor *kept;
};

struct safetensors_view {
	struct plan *plan;		   /* finished; owned */
	struct safetensors_alias *aliases; /* owned; by the dropped name */
	size_t alias_count;
	size_t tensor_count; /* in the file */
};

/*
 * Fills the zeroed @out, to be released also on failure.  Pure.
 * -EBADMSG: refused, @why says so (a tensor whose bytes are not row by row).
 */
int safetensors_compose(const struct weights *weights,
			struct safetensors_view *out,
			struct refusal *why) MUST_CHECK;
void safetensors_view_release(struct safetensors_view *view);
DEFINE_AUTO(safetensors_view, struct safetensors_view, safetensors_view_release)
#define auto_safetensors_view auto_of(safetensors_view)

/* The directory of @weights, whose files are those of @repo. */
int view_safetensors_of(const struct stage_repo *repo,
			const struct weights *weights,
			struct stage_listing *out) MUST_CHECK;

/* That of a checkpoint of the Hugging Face hub. */
int view_safetensors(const struct stage_repo *repo,
		     struct stage_listing *out) MUST_CHECK;

#endif
