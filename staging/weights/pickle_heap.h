/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/pickle_heap.h - what a pickle's machine works on: nodes,
 * a stack with marks, a memo.  Bounded; private to pickle.c.
 *
 * -EFBIG: past a bound; -ENOMEM.  NULL: the stack does not hold that much
 * above its last mark, or the memo not that number.
 */
#ifndef STAGING_WEIGHTS_PICKLE_HEAP_H
#define STAGING_WEIGHTS_PICKLE_HEAP_H

#include "staging/weights/pickle.h"

int heap_create(struct pickle **out) MUST_CHECK;

/* @out may be NULL. */
int heap_new(struct pickle *heap, enum pickle_kind kind,
	     struct pickle_node **out) MUST_CHECK;
int heap_push(struct pickle *heap, struct pickle_node *node) MUST_CHECK;
int heap_push_new(struct pickle *heap, enum pickle_kind kind,
		  struct pickle_node **out) MUST_CHECK;
struct pickle_node *heap_top(const struct pickle *heap);
struct pickle_node *heap_pop(struct pickle *heap);

/* -EFBIG: too many. */
int heap_mark(struct pickle *heap) MUST_CHECK;

/* Values above the last mark, which goes away; SIZE_MAX: no mark. */
size_t heap_since_mark(struct pickle *heap);

/* Pops @count values; they stay valid until the next push. */
struct pickle_node **heap_take(struct pickle *heap, size_t count);

/* @items may lie in the part of the stack just taken. */
int heap_append(struct pickle *heap, struct pickle_node *into,
		struct pickle_node *const *items, size_t count) MUST_CHECK;

/*
 * The top, under the next number or one used; the first may be 1, as in
 * cPickle of Python 2.  -EBADMSG: none of these.
 */
int heap_memo_put(struct pickle *heap, uint32_t number) MUST_CHECK;
struct pickle_node *heap_memo_get(const struct pickle *heap, uint32_t number);

/* Keeps @node, a persistent id, for pickle_persistent(). */
int heap_note(struct pickle *heap, struct pickle_node *node) MUST_CHECK;

/* One value, no mark: what a pickle ends with. */
bool heap_is_single(const struct pickle *heap);

#endif
