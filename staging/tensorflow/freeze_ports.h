/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/freeze_ports.h - inputs and outputs of a frozen graph.
 *
 * For freeze.c.
 */
#ifndef STAGING_TENSORFLOW_FREEZE_PORTS_H
#define STAGING_TENSORFLOW_FREEZE_PORTS_H

#include "base/annot.h"
#include "staging/tensorflow/freeze_state.h"

/*
 * Makes the Placeholders, so that their names are taken first, and reserves
 * the names of the outputs.  -EBADMSG: a composite tensor, a resource, or
 * two inputs of one tensor.
 */
int ports_open(struct tf_freeze *freeze,
	       struct tf_text *output_names) MUST_CHECK;

/* Follows the outputs; each becomes an Identity. */
int ports_resolve(struct tf_freeze *freeze,
		  const struct tf_text *output_names) MUST_CHECK;

/* Puts the inputs' Identities that are read behind their Placeholders. */
void ports_close(struct tf_freeze *freeze);

/* Describes both in @frozen.  -EBADMSG: a shape of too many dimensions. */
int ports_describe(struct tf_freeze *freeze, const struct tf_text *output_names,
		   struct frozen *frozen) MUST_CHECK;

#endif
