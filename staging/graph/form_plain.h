/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/form_plain.h - the plain form in two files: attention, and all
 * else.  Each function but plain_shape() is that of struct form.
 */
#ifndef STAGING_GRAPH_FORM_PLAIN_H
#define STAGING_GRAPH_FORM_PLAIN_H

#include "staging/graph/form.h"

/* [batch, tokens, @tail...] of the sequence, as numbers of a shape. */
struct value *plain_shape(struct sheet *sheet, struct sequence *sequence,
			  const int64_t *tail, size_t count);

struct value *plain_attention(struct sheet *sheet,
			      const struct attention *attention);
struct value **plain_relative_bias(struct sheet *sheet, struct value *table,
				   struct value *buckets);
struct value **plain_picked_products(struct sheet *sheet, struct value *x,
				     struct value *rows, unsigned int heads,
				     struct value *index);
struct value *plain_over_heads(struct sheet *sheet, struct value *x);

#endif
