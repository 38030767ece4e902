/* SPDX-License-Identifier: MIT */
/*
 * staging/external/convert_out.h - what a converter wrote, and whether it is
 * a model.
 */
#ifndef STAGING_EXTERNAL_CONVERT_OUT_H
#define STAGING_EXTERNAL_CONVERT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/refusal.h"

struct out_file {
	char *name; /* owned */
	uint64_t size;
	bool wanted; /* a model, or the data of one */
	char *look;  /* owned; JSON of onnx_look(); NULL: no model */
};

struct convert_out {
	char *folder; /* owned */
	struct out_file *files;
	size_t count;
};
void convert_out_release(struct convert_out *out);
DEFINE_AUTO(convert_out, struct convert_out, convert_out_release)
#define auto_convert_out auto_of(convert_out)

/*
 * Looks at the files of @folder: every model, by omnihub-box (@box), in a
 * process of its own, and that its data is beside it.  -EBADMSG: refused,
 * @why says so.  @look: as struct box_process has it.
 */
int convert_out_open(const char *folder, const char *box,
		     int (*look)(void *arg), void *arg, struct convert_out *out,
		     struct refusal *why) MUST_CHECK;

/* The name under which file @file is shown: the one model as staged.onnx. */
const char *convert_out_name(const struct convert_out *out,
			     const struct out_file *file);

#endif
