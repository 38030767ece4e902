/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/scope.h - functions as they are called, one inside
 * another.
 *
 * A scope is a graph in use: the main graph, or a function at one node that
 * calls it.  The same call gives the same scope.  What a name leads to is
 * followed out of arguments and into calls without recursion: a step is
 * counted, a circle found, and the depth of scopes bounded.
 */
#ifndef STAGING_TENSORFLOW_SCOPE_H
#define STAGING_TENSORFLOW_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "staging/tensorflow/attr_value.h"
#include "staging/tensorflow/op_kinds.h"
#include "staging/tensorflow/saved_model_parts.h"

struct tf_body;

struct tf_scope {
	const struct tf_graph *graph;
	struct tf_scope *outer;	    /* NULL: a root */
	const struct tf_node *call; /* in outer->graph */
	size_t skip;		    /* the call's inputs before the first arg */
	struct tf_text prefix;	    /* "outer/call/" */
	struct tf_attrs env;	    /* attributes of the call, resolved */
	unsigned int depth;
	uint32_t id;
	bool by_port; /* outputs are told by port and index, see below */
	struct tf_body *body; /* in which its nodes will stand; may be NULL */
};

struct tf_scopes {
	const struct saved_model *model; /* borrowed */
	struct tf_pool *pool;		 /* borrowed */
	struct refusal *why;		 /* borrowed, or NULL */
	bool enters_all; /* also calls in graphs with control flow by edges */
	/*
	 * Outputs of the main graph's nodes that are known already, by "node"
	 * or, but for the first output, "node:1"; borrowed, or NULL.
	 */
	const struct map *cuts;
	struct map by_call;
	uint32_t count;
	uint64_t steps_left;
};

/*
 * The output of a node in a scope, or an argument of a root.
 *
 * In the main graph and what is inlined there .number must be right.  The
 * operations that only functions of control flow have are not in a model's
 * list (meta_graph.py, ops_used_by_graph_def); in these, outputs are told
 * by .edge, and .number is right at least for operations that hand on
 * handles of variables.
 */
struct tf_place {
	struct tf_scope *scope;
	void *cut;		    /* the entry of .cuts; NULL: none */
	const struct tf_node *node; /* NULL: a cut, or an argument */
	const struct tf_arg *arg;
	struct tf_edge edge;
	uint32_t number; /* of the output */
};

/* Where a walk is; finds circles (Brent's algorithm). */
struct tf_trail {
	const struct tf_scope *scope;
	const char *ref;
	uint64_t taken, turn;
};

void scopes_init(struct tf_scopes *scopes, const struct saved_model *model,
		 struct tf_pool *pool, struct refusal *why);
void scopes_release(struct tf_scopes *scopes);
DEFINE_AUTO(scopes, struct tf_scopes, scopes_release)
#define auto_scopes auto_of(scopes)

/* Counts @steps of work.  -EFBIG: no model needs so many. */
int scopes_spend(struct tf_scopes *scopes, uint64_t steps) MUST_CHECK;

/* A scope without a caller.  tf_pool_error(), -EFBIG. */
int scope_root(struct tf_scopes *scopes, const struct tf_graph *graph,
	       const struct tf_attrs *env, struct tf_body *body,
	       struct tf_scope **out) MUST_CHECK;

/*
 * The function @ref as @node of @outer calls it.  @number tells calls of one
 * node apart.  -EBADMSG: no such function, or too deep.
 */
int scope_enter(struct tf_scopes *scopes, struct tf_scope *outer,
		const struct tf_node *node, const struct tf_function_ref *ref,
		uint32_t number, size_t skip, struct tf_scope **out) MUST_CHECK;

/* The kind of @node; OP_CALL if its operation is a function. */
enum op_kind scope_kind(const struct tf_scopes *scopes,
			const struct tf_node *node);

/* Resolves what in @attrs stands for attributes of the call of @scope. */
int scope_attrs(struct tf_scopes *scopes, const struct tf_scope *scope,
		struct tf_attrs *attrs) MUST_CHECK;

/* The function of an OP_CALL, its attributes resolved in @scope. */
int scope_callee(struct tf_scopes *scopes, const struct tf_scope *scope,
		 const struct tf_node *node,
		 struct tf_function_ref *out) MUST_CHECK;

/*
 * Follows @ref in @scope to the node that makes it, out of arguments and
 * into calls.  @trail: zeroed at the start of a walk of several steps.
 * -EBADMSG: leads nowhere, or round.
 */
int scope_find(struct tf_scopes *scopes, struct tf_scope *scope,
	       struct tf_text ref, struct tf_trail *trail,
	       struct tf_place *out) MUST_CHECK;

/* The entry of .cuts for @ref; NULL: none. */
void *scope_cut(const struct tf_scopes *scopes, const struct tf_scope *scope,
		struct tf_text ref);

/* "function/node" for people; valid until the next call by this thread. */
const char *scope_name(const struct tf_scope *scope,
		       const struct tf_node *node);

#endif
