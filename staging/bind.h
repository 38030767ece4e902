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

/*
 * Of one model: the other tower and other heads, at most 5, and a dense layer
 * for each of SENTENCE_STEPS_MAX; and spare.
 */
#define BIND_IGNORED_MAX 16

struct bind {
	const struct weights *weights; /* borrowed */
	struct graph *graph;	       /* borrowed */
	const char *base; /* prefix without its dot; static; or NULL */
	bool *used;	  /* by place in weights->tensors; owned */

	/* As family.buffers; borrowed. */
	const char *const *buffers;

	/* Beginnings of what else may be left over (bind_ignore()). */
	const char *ignored[BIND_IGNORED_MAX];
	size_t ignored_count;
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
 * A matrix stored [@rows, @columns], to be used as its transposed form: what
 * transformers calls a Conv1D.
 */
struct value *bind_turned(struct bind *bind, uint64_t rows, uint64_t columns,
			  const char *format, ...) PRINTF_LIKE(4, 5);

/*
 * A tensor of any rank.  0 in @stored: any number.  @shown, or NULL: the
 * shape it is to be used in; one 0 in it stands for what is left.
 */
struct value *bind_shaped(struct bind *bind, struct shape stored,
			  const struct shape *shown, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* The shape of a tensor that there is; rank 0: there is none. */
struct shape bind_shape(const struct bind *bind, const char *format, ...)
	PRINTF_LIKE(2, 3);

/* Tensors may be left over whose names (without prefix) begin so; static. */
void bind_ignore(struct bind *bind, const char *beginning);

/*
 * Looks for what was not used.  @known ends with NULL: beginnings of the
 * names (without prefix) of tensors that may be.  *@ignored gets their
 * names, owned copies in an owned array.  -EBADMSG: refused; -ENOMEM.
 */
int bind_finish(const struct bind *bind, const char *const *known,
		char ***ignored, size_t *ignored_count) MUST_CHECK;

#endif
