/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/form_windows.h - attention within windows of an image, the
 * two ways of form->windowed().
 *
 * The plain form takes windows as sequences of a longer batch.  The dl4j form
 * has no product of stacks: each head multiplies the numbers of all windows
 * at once and sums them, for so many products of matrices as there are
 * windows would be thousands of nodes.
 */
#ifndef STAGING_GRAPH_FORM_WINDOWS_H
#define STAGING_GRAPH_FORM_WINDOWS_H

#include "staging/graph/form.h"

struct value *plain_windowed(struct sheet *sheet,
			     const struct attention *attention,
			     const struct windows *windows);
struct value *dl4j_windowed(struct sheet *sheet,
			    const struct attention *attention,
			    const struct windows *windows);

#endif
