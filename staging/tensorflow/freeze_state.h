/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/freeze_state.h - a freeze under way.
 *
 * For the files of this folder.  How the work goes:
 *
 *	freeze.c	the signature, the order of what follows
 *	resolve.c	from an output back to what it needs, with a stack
 *	chase.c		one input: through identities, calls, reads
 *	rewrite.c	one node: what stands for it in the frozen graph
 *	library.c	the functions that control flow keeps
 *	variables.c	variables as constants
 *	assigns.c	variables that are assigned
 *	blockers.c	what cannot be frozen, gathered
 *	freeze_write.c	the plan
 *
 * Everything lies in the pool but for what struct tf_freeze owns.
 */
#ifndef STAGING_TENSORFLOW_FREEZE_STATE_H
#define STAGING_TENSORFLOW_FREEZE_STATE_H

#include "staging/tensorflow/blockers.h"
#include "staging/tensorflow/freeze.h"
#include "staging/tensorflow/scope.h"

struct tf_out;

/* A variable of the main graph. */
struct tf_variable {
	const struct tf_node *node;
	int dtype;
	unsigned int rank;
	uint64_t dims[TENSOR_RANK_MAX];
	unsigned int shard;
	uint64_t off, len;	  /* bytes there */
	struct tf_out *constant;  /* NULL: nothing reads it */
	struct tf_text assigned;  /* the node that does; empty: none seen */
	struct tf_variable *next; /* in order of use */
};

enum tf_value_kind {
	VALUE_NODE,	/* an output of .out */
	VALUE_ARG,	/* an argument of the function being made */
	VALUE_VARIABLE, /* a handle of .variable */
};

/* What an input of a node is. */
struct tf_value {
	enum tf_value_kind kind;
	struct tf_instance *instance; /* that makes .out; NULL: done */
	struct tf_out *out;
	uint32_t number;
	struct tf_text port; /* how a function's body names the output */
	uint32_t index;
	const struct tf_arg *arg;
	struct tf_variable *variable;
	int carries;  /* VALUE_ARG: dtype of a variable's value; else 0 */
	bool is_read; /* by ReadVariableOp on the way here */
};

/* An attribute to be written; its value may end with a range of a file. */
struct tf_out_attr {
	struct tf_attr attr;
	bool has_tail;
	unsigned int shard;
	uint64_t off, len;
};

/* A node of the frozen graph. */
struct tf_out {
	struct tf_text name;
	struct tf_text op;
	struct tf_value *inputs; /* VALUE_NODE or VALUE_ARG, no handles */
	size_t input_count;
	struct tf_value *controls;
	size_t control_count;
	struct tf_out_attr *attrs;
	size_t attr_count;
	bool one_output; /* it is "output", whatever the original's was */
	struct tf_out *next;
};

/* An input of the signature. */
struct tf_input {
	const struct tf_port *port;
	struct tf_out *placeholder;
	struct tf_out *identity; /* what reads it reads this */
	struct tf_text tensor;	 /* as it is in scopes.cuts */
	bool used;
};

enum tf_state { STATE_NEW, STATE_OPEN, STATE_DONE };

/* A node in a scope. */
struct tf_instance {
	struct tf_scope *scope;
	const struct tf_node *node;
	enum tf_state state;
	size_t frame; /* while open: its place on the stack */
	struct tf_out *out;
	/*
	 * Of each output: the dtype of the variable whose value it has where
	 * the original had a handle, else 0.  NULL: all 0.
	 */
	int *carries;
	size_t carry_count;
};

/* A call among kept functions, for finding recursion. */
struct tf_call {
	struct tf_body *to;
	struct tf_call *next;
};

/* A graph being made: the main one, or a function's. */
struct tf_body {
	struct tf_scope *root;
	struct tf_text name; /* of a function */
	int *types;	     /* of a function's arguments as they are now */
	bool *carried;	     /* which of these were handles */
	bool loops;	     /* returns what it takes: a While's body */
	struct map names;    /* of nodes and arguments; values unused */
	struct tf_out *first;
	struct tf_out *last;
	size_t count;
	struct tf_value *returns; /* of a function */
	int *return_types;
	struct tf_call *calls;
	size_t callers;
	struct tf_body *next; /* in order of first use */
};

/* One node under way. */
struct tf_frame {
	struct tf_instance *instance;
	struct tf_value *values; /* of each data input, then of each control */
	size_t next;
	size_t control_count; /* among .values, those kept */
	size_t merges;	      /* Merges on the stack up to here */
};

struct tf_freeze {
	const struct saved_model *model;
	const struct freeze_shards *shards;
	const struct tf_signature *signature;
	struct refusal *why;
	struct tf_pool pool;
	struct tf_scopes scopes;
	struct map instances; /* scope and node -> struct tf_instance * */
	struct map variables; /* main node's name -> struct tf_variable * */
	struct tf_variable *first_variable;
	struct tf_variable **last_variable;
	struct map cuts;	 /* the inputs' tensors -> struct tf_input * */
	struct tf_input *inputs; /* one for each of the signature */
	struct tf_frame *stack;	 /* owned */
	size_t depth;
	size_t stack_room;
	struct tf_body main;
	struct tf_body *first_function;
	struct tf_body **last_function;
	size_t function_count;
	struct map functions;	   /* what is asked for -> struct tf_body * */
	struct map function_names; /* values unused */
	size_t node_count;
	bool has_control_flow;
	struct blockers blockers;
};

/* A free name in @body like @name, reserved.  Errors of the pool, -EFBIG. */
int body_name(struct tf_freeze *freeze, struct tf_body *body,
	      struct tf_text name, struct tf_text *out) MUST_CHECK;

/* As body_name(), for any set of names. */
int unique_name(struct tf_freeze *freeze, struct map *names,
		struct tf_text name, const char *infix,
		struct tf_text *out) MUST_CHECK;

/* A new node with a free name, on no list yet. */
int out_new(struct tf_freeze *freeze, struct tf_body *body, struct tf_text name,
	    struct tf_out **out) MUST_CHECK;

/* Appends it to the graph. */
void body_add(struct tf_body *body, struct tf_out *out);

/* Room for @count attributes to be put. */
int out_attrs(struct tf_freeze *freeze, struct tf_out *out,
	      size_t count) MUST_CHECK;

/* The dtype of the variable whose handle @value was, or 0. */
int value_carries(const struct tf_value *value);

/* Output 0 of @out. */
struct tf_value value_of_out(struct tf_out *out);

#endif
