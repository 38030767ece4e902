/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/freeze.h - a signature of a SavedModel as one frozen
 * GraphDef.
 *
 * What the signature's outputs need is followed backwards from them;
 * functions are inlined, variables become constants whose bytes are ranges
 * of the checkpoint's shards.  Control flow stays: the functions of While,
 * If and Case are kept, rewritten to take values where they took variables;
 * graphs of TensorFlow 1 with Switch, Merge and Enter keep these and the
 * control edges that place a node in a branch or a loop.
 *
 * The file: inputs are Placeholders named like the signature's keys, each
 * read through an Identity (Deeplearning4j reads some operations wrongly
 * that take a Placeholder); outputs are Identities named like their keys,
 * "<key>_output" where another has that name.  A character that a node's
 * name cannot hold becomes "_"; struct frozen tells the names.  An input
 * that nothing needs is there too.  First come
 * the constants in order of shard and offset, then each node after its
 * inputs, then the functions.  The same files always give the same bytes.
 *
 * Refused, with the nodes' names as detail: tables, iterators and what else
 * lives in a session, files that are read, operations of no known library,
 * variables that the signature both reads and assigns, placeholders outside
 * the signature, functions that call themselves, circles without Merge.
 *
 * A saved_model may be frozen on several threads at a time.
 */
#ifndef STAGING_TENSORFLOW_FREEZE_H
#define STAGING_TENSORFLOW_FREEZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "staging/plan.h"
#include "staging/refusal.h"
#include "staging/tensorflow/saved_model.h"
#include "staging/weights/tensor_bundle.h"

/* The files a model's constants are in; all borrowed. */
struct freeze_shards {
	const struct tensor_bundle *bundle; /* NULL: no variables */

	/* bundle->shard_count of each; a path NULL: that one is missing. */
	const char *const *paths;
	const uint64_t *sizes;

	/*
	 * Reads @len bytes of a shard (at most STRING_VARIABLE_BYTES_MAX, for
	 * variables of strings); may wait; called on the caller's thread.
	 * NULL: cannot be read, such variables are refused.
	 */
	int (*read)(void *arg, unsigned int shard, uint64_t off, size_t len,
		    void *to);
	void *arg;

	/*
	 * saved_model.pb itself: its large constants are ranges of it.
	 * NULL: they are copied into the plan.
	 */
	const char *model_path;
};

struct frozen_value {
	char *name; /* of the node; owned */
	char *key;  /* of the signature; owned */
	int dtype;  /* enum bundle_dtype */
	bool rank_known;
	unsigned int rank;
	int64_t dims[TENSOR_RANK_MAX]; /* -1: any */
};

struct frozen {
	struct plan *plan;	     /* owned */
	struct frozen_value *inputs; /* in order of their keys */
	size_t input_count;
	struct frozen_value *outputs; /* the same */
	size_t output_count;
	size_t node_count; /* of the main graph, constants too */
	size_t function_count;
	bool has_control_flow;
};

/*
 * @signature NULL: the default one.  The caller frees *@out with
 * frozen_free(); it keeps nothing of @model or @shards.
 *
 * -EBADMSG: refused, and @why (if not NULL) says why.  -EFBIG: the file
 * would be longer than the 2 GiB a GraphDef may have, or is past a limit;
 * @why says which.  -ENOMEM; what shards->read() gave.
 */
int saved_model_freeze(const struct saved_model *model,
		       const struct freeze_shards *shards,
		       const char *signature, struct frozen **out,
		       struct refusal *why) MUST_CHECK;
void frozen_free(struct frozen *frozen);
DEFINE_AUTO_PTR(frozen, struct frozen, frozen_free)
#define auto_frozen auto_of(frozen)

#endif
