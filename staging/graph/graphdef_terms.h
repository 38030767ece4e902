/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/graphdef_terms.h - a graph being said in TensorFlow's
 * operations.
 *
 * A term is an output of a TensorFlow node.  It carries what attributes and
 * shapes need: the type, which ONNX leaves to be inferred and TensorFlow
 * wants written out, the rank, and of a small vector of whole numbers its
 * elements as far as they are known.
 *
 * As with struct graph nothing has to be checked on the way: the first
 * failure is kept in .error, and from then on every call gives a term that
 * leads nowhere.  Everything handed out lives as long as the translation.
 */
#ifndef STAGING_GRAPH_GRAPHDEF_TERMS_H
#define STAGING_GRAPH_GRAPHDEF_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/map.h"
#include "base/str.h"
#include "staging/graph/graph.h"
#include "staging/graph/graphdef_node.h"
#include "staging/staging.h"

#define RANK_UNKNOWN (-1)

/* An element that only a run tells; or one that is this, which is as good. */
#define INT_UNKNOWN INT64_MIN

struct term {
	const char *name; /* as an input has it: "Split_2:1" */
	enum bundle_dtype type;
	int rank;	     /* or RANK_UNKNOWN */
	const int64_t *ints; /* of a scalar or vector; NULL: not known */
	size_t int_count;
	const struct initializer *from; /* it is that one; else NULL */
	bool *used;			/* set when a node reads it; or NULL */
};

struct translation {
	const struct graph *graph;
	bool for_dl4j;
	struct refusal *why; /* or NULL */
	struct arena arena;
	struct map names;     /* of nodes; values unused */
	struct map terms;     /* by the value's name -> struct term * */
	struct map constants; /* by type and elements -> struct term * */
	struct str text;      /* the nodes as records */
	size_t node_count;
	const char *base; /* what the nodes made now are called after */
	bool base_taken;  /* the first of them is there */
	int error;	  /* the first one; 0: all is well */
	struct term nowhere;
};

/* Frees what the calls below made. */
void translation_init(struct translation *t, const struct graph *graph,
		      enum stage_form form, struct refusal *why);
void translation_release(struct translation *t);
DEFINE_AUTO(translation, struct translation, translation_release)

/* Keeps @error if it is the first; gives the term that leads nowhere. */
struct term *term_fail(struct translation *t, int error);

/* As refuse(): it cannot be said exactly. */
#define term_refuse(t, ...) term_fail((t), refuse((t)->why, __VA_ARGS__))

/* For a node that is @name exactly.  -EEXIST; -EINVAL: it cannot be one. */
int term_reserve(struct translation *t, const char *name) MUST_CHECK;

/* A free name like @name, of the characters that TensorFlow allows. */
const char *term_name(struct translation *t, const char *name);

/* A new term on no node; its name is free to be given. */
struct term *term_new(struct translation *t, const char *name,
		      enum bundle_dtype type, int rank);

/*
 * Adds a node under a name made of .base and @op and gives its output 0: of
 * @type, and the rank of the first input until the caller says otherwise.
 */
struct term *term_node(struct translation *t, const char *op,
		       enum bundle_dtype type, struct term *const *inputs,
		       size_t input_count, const struct op_attr *attrs,
		       size_t attr_count);

/* The same under the very @name, which is reserved. */
struct term *term_node_named(struct translation *t, const char *name,
			     const char *op, enum bundle_dtype type,
			     struct term *const *inputs, size_t input_count,
			     const struct op_attr *attrs, size_t attr_count);

/* Output @index of the node whose output 0 is @first. */
struct term *term_output(struct translation *t, const struct term *first,
			 unsigned int index);

#define TERMS(...) graph_list(struct term *, __VA_ARGS__)
#define OP_ATTRS(...) graph_list(struct op_attr, __VA_ARGS__)

/* Constants of DT_INT32 or DT_INT64; equal ones are made once. */
struct term *term_int(struct translation *t, enum bundle_dtype type, int64_t i);
struct term *term_ints(struct translation *t, enum bundle_dtype type,
		       const int64_t *ints, size_t count);

/* DT_INT32: rows of two. */
struct term *term_pairs(struct translation *t, const int64_t *ints,
			size_t rows);

/* A scalar of @type, which is one of floating point. */
struct term *term_number(struct translation *t, enum bundle_dtype type,
			 float f);

/* Notes what is known of the elements of @term; copies @ints. */
void term_know(struct translation *t, struct term *term, const int64_t *ints,
	       size_t count);

/* From a number of enum onnx_type; false: there is no such type here. */
bool term_type_of(int64_t onnx, enum bundle_dtype *out);

/* Whether every element of @term is known. */
bool term_is_known(const struct term *term);

/* Whether @term is of floating point. */
bool term_is_float(const struct term *term);

#endif
