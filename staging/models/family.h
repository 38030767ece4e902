/* SPDX-License-Identifier: MIT */
/*
 * staging/models/family.h - what a family of models has to say about itself.
 *
 * One file a family, one line in families.def: README.md says how.
 */
#ifndef STAGING_MODELS_FAMILY_H
#define STAGING_MODELS_FAMILY_H

#include "base/json.h"
#include "staging/bind.h"
#include "staging/graph/form.h"
#include "staging/models.h"

struct causal;
struct seq2seq;

/* A model being emitted; borrows all that it points to. */
struct emit {
	const struct json *config; /* or the part of it that is emitted */
	struct graph *graph;	   /* keeps the first error */
	struct bind *bind;
	struct sheet sheet;
	enum model_task task;
	enum model_part part;

	struct causal *causal;	 /* causal.h; NULL: no decoder of text */
	struct value *text;	 /* of a body that has texts too: a row each */
	struct seq2seq *seq2seq; /* seq2seq.h; NULL: no such model */

	/* To be set by the body: tokens that have a position; 0: any. */
	uint64_t max_length;
};

struct head {
	/*
	 * A tensor that only this head has, and the end of the class's name
	 * ("ForTokenClassification") where that does not tell it from another
	 * head, else NULL.
	 */
	const char *tensor;
	const char *architecture;

	/* Decides instead where it is not so simple; or NULL. */
	bool (*is_there)(const struct json *config,
			 const struct weights *weights);

	/* Is staged as an encoder and a decoder too. */
	bool has_parts;

	/* From the rows of tokens to the outputs. */
	void (*emit)(struct emit *emit, struct value *x);
};

struct family {
	const char *name;  /* model_type */
	const char *class; /* "Bert" of BertForMaskedLM */
	const char *base;  /* prefix of the base model's tensors */

	/* Ends with NULL: what tensors may be left over (bind_finish()). */
	const char *const *leftovers;

	/*
	 * Ends with NULL, or is NULL: ends of the names of tensors that hold
	 * no weights ("attn.bias": GPT-2's mask).
	 */
	const char *const *buffers;

	/*
	 * Ends with NULL, or is NULL: keys of the configuration that
	 * config_check() refuses in others, and that are computed here.
	 */
	const char *const *computes;

	/*
	 * "phi3": what repositories name modeling_phi3.py is the library's own
	 * code (family_knows_code()); NULL: no repository of this family has
	 * code.
	 */
	const char *code;

	/*
	 * Declares the inputs; gives the last hidden state, a row a token.
	 * Of PART_ENCODER that of the encoder, whose output is made of it.
	 */
	struct value *(*body)(struct emit *emit);

	/* The outputs of the base model. */
	void (*features)(struct emit *emit, struct value *x);

	/* By task; without .emit: there is no such head. */
	struct head heads[TASK_COUNT];
};

#define FAMILY(name) extern const struct family family_##name;
#include "staging/models/families.def"
#undef FAMILY

/* By model_type, or the class's name in old files.  NULL: not known. */
const struct family *family_find(const struct json *config);

/*
 * Whether the model needs no code of its repository: the classes that auto_map
 * names, if any, are those that the family has in the library, or only
 * make its inputs.
 */
bool family_knows_code(const struct json *config);

/* Whether a class that the configuration names ends with @end. */
bool family_is_class(const struct json *config, const char *end);

#endif
