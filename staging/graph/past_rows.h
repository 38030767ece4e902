/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/past_rows.h - keys and values of the tokens before, head by
 * head, for the dl4j form.
 */
#ifndef STAGING_GRAPH_PAST_ROWS_H
#define STAGING_GRAPH_PAST_ROWS_H

#include "staging/graph/form.h"

/*
 * The rows of @head in @before [1, heads, tokens, width], and after them
 * @rows [new tokens, width].
 */
struct value *past_rows_with(struct sheet *sheet, struct value *before,
			     unsigned int head, struct value *rows);

/* The rows of all heads as [1, heads, tokens, width]. */
struct value *past_of_rows(struct sheet *sheet, struct value *const *rows,
			   size_t heads);

#endif
