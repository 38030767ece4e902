/* SPDX-License-Identifier: MIT */
/*
 * staging/skeletons/skeleton_read.h - the messages within a skeleton.
 *
 * For skeleton.c, which has the facts' sources.  All give -EBADMSG for what
 * is malformed or not understood, and -ENOMEM.
 */
#ifndef STAGING_SKELETONS_SKELETON_READ_H
#define STAGING_SKELETONS_SKELETON_READ_H

#include "base/annot.h"
#include "staging/skeletons/skeleton.h"
#include "staging/wire_read.h"

/* A copy of the field's text, which must be UTF-8 without NUL. */
int skeleton_text(struct skeleton *skeleton, const struct wire_field *field,
		  const char **out) MUST_CHECK;

/* Makes @name known.  -EBADMSG: it is already, or is empty. */
int skeleton_define(struct skeleton *skeleton, const char *name) MUST_CHECK;

/* "<location>:<axis>", the copied @text, which is changed. */
int skeleton_axis_parse(char *text, struct skeleton_axis *out) MUST_CHECK;

/* A TensorProto: fills @hole, or leaves its .name NULL and .constants grows. */
int skeleton_initializer(struct skeleton *skeleton,
			 const struct wire_field *field,
			 struct skeleton_hole *hole) MUST_CHECK;

/* A NodeProto: .nodes grows. */
int skeleton_node(struct skeleton *skeleton,
		  const struct wire_field *field) MUST_CHECK;

/* A ValueInfoProto. */
int skeleton_port(struct skeleton *skeleton, const struct wire_field *field,
		  struct skeleton_port *out) MUST_CHECK;

/* A StringStringEntryProto of the metadata. */
int skeleton_metadata(struct skeleton *skeleton,
		      const struct wire_field *field) MUST_CHECK;

#endif
