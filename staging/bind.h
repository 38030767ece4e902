/* SPDX-License-Identifier: MIT */
/*
 * staging/bind.h - the holes of a model filled with the tensors of its file.
 *
 * Names are repaired as transformers does on loading (modeling_utils.py):
 * with and without the base model's prefix ("bert.embeddings..."), gamma and
 * beta for a norm's weight and bias.  What is missing, or does not fit,
 * refuses the graph.  So does a floating-point tensor that nobody used and
 * nobody knows: it means the model is another one.
 *
 * Failures are kept in the graph (graph/graph.h).
 */
#ifndef STAGING_BIND_H
#define STAGING_BIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/graph/graph.h"
#include "staging/weights/weights.h"

struct bind {
	const struct weights *weights; /* borrowed */
	struct graph *graph;	       /* borrowed */
	const char *base; /* prefix without its dot; static; or NULL */
	bool *used;	  /* by place in weights->tensors; owned */
};

/* -ENOMEM. */
int bind_init(struct bind *bind, const struct weights *weights,
	      struct graph *graph, const char *base) MUST_CHECK;
void bind_release(struct bind *bind);
DEFINE_AUTO(bind, struct bind, bind_release)
#define auto_bind auto_of(bind)

/* The tensor that @name means, or NULL; nothing is marked as used. */
const struct tensor *bind_find(const struct weights *weights, const char *base,
			       const char *name);

/* Whether there is such a tensor. */
bool bind_has(const struct bind *bind, const char *format, ...)
	PRINTF_LIKE(2, 3);

/* A matrix; 0 rows or columns: any number. */
struct value *bind_matrix(struct bind *bind, uint64_t rows, uint64_t columns,
			  const char *format, ...) PRINTF_LIKE(4, 5);

struct value *bind_vector(struct bind *bind, uint64_t rows, const char *format,
			  ...) PRINTF_LIKE(3, 4);

/*
 * Looks for what was not used.  @known ends with NULL: beginnings of the
 * names (without prefix) of tensors that may be.  *@ignored gets their
 * names, owned copies in an owned array.  -EBADMSG: refused; -ENOMEM.
 */
int bind_finish(const struct bind *bind, const char *const *known,
		char ***ignored, size_t *ignored_count) MUST_CHECK;

#endif
