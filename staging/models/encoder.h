/* SPDX-License-Identifier: MIT */
/*
 * staging/models/encoder.h - what encoders like BERT share.
 *
 * Facts: transformers, models/<family>/modeling_<family>.py.  Each layer is
 * attention, then a feed-forward part, each with the residual added and
 * normalised after it, or in later families before it.
 */
#ifndef STAGING_MODELS_ENCODER_H
#define STAGING_MODELS_ENCODER_H

#include "staging/models/family.h"

/* Where a layer's tensors are, below the layer's own prefix. */
struct encoder_names {
	const char *query, *key, *value, *attention, *attention_norm;
	const char *up, *down, *norm;

	/* Vectors that what each part adds is multiplied by; or NULL. */
	const char *attention_scale, *scale;
};

extern const struct encoder_names encoder_names_bert;

struct encoder {
	const struct encoder_names *names;
	uint64_t hidden;
	uint64_t intermediate;
	unsigned int layers;
	unsigned int heads;
	double eps;
	const char *activation; /* borrowed from the configuration */
	struct value *mask;
	struct value **bias; /* relative positions, or NULL */

	/*
	 * Each part normalises what goes into it, not what comes out of it;
	 * what follows is of these only.
	 */
	bool norm_first;
	bool is_gated; /* .up gives the gate, and after it what it gates */
	bool no_qkv_bias, no_key_bias;
};

/* The sizes of BERT-base: the defaults of BERT, RoBERTa and MPNet. */
extern const struct encoder encoder_base;

/*
 * Reads the sizes by the keys that most families share; what @encoder holds
 * are the defaults.  Then encoder_check().
 */
void encoder_read(struct emit *emit, struct encoder *encoder);

/* Refuses heads that do not divide the hidden size. */
void encoder_check(struct emit *emit, const struct encoder *encoder);

/* One layer, whose tensors are called @prefix and a name. */
struct value *encoder_layer(struct emit *emit, const struct encoder *encoder,
			    const char *prefix, struct value *x);

/* All layers, the prefix of one being @prefix, its number and a dot. */
struct value *encoder_layers(struct emit *emit, const struct encoder *encoder,
			     const char *prefix, struct value *x);

/* @prefix.@name.weight and .bias applied; 0 rows: any. */
struct value *emit_linear(struct emit *emit, struct value *x, uint64_t rows,
			  const char *prefix, const char *name);
struct value *emit_norm(struct emit *emit, struct value *x, double eps,
			const char *prefix, const char *name);

/* The same as emit_linear(), with or without a bias. */
struct value *emit_projection(struct emit *emit, struct value *x, uint64_t rows,
			      bool has_bias, const char *prefix,
			      const char *name);

/* @prefix.@name.weight; @is_centred: as block_rms_norm() has it. */
struct value *emit_rms_norm(struct emit *emit, struct value *x, double eps,
			    bool is_centred, const char *prefix,
			    const char *name);

/* The table @name.weight of @width columns; 0: any. */
struct value *emit_table(struct emit *emit, uint64_t width, const char *name);

/* Of @rows positions those after the padding's, @pad; 0: none. */
uint64_t emit_places_after(uint64_t rows, int64_t pad);

/* last_hidden_state alone. */
void emit_hidden(struct emit *emit, struct value *x);

/* last_hidden_state, and pooler_output where there is @name.weight. */
void emit_hidden_pooled(struct emit *emit, struct value *x, const char *name);

/* The same with "pooler.dense". */
void emit_features(struct emit *emit, struct value *x);

/* tanh of the linear layer @name on the first token. */
struct value *emit_pool(struct emit *emit, struct value *x, const char *name);

/* Heads: "classifier" on each token; "qa_outputs". */
void emit_token_classes(struct emit *emit, struct value *x);
void emit_answer_span(struct emit *emit, struct value *x);

/* These two, for .heads of a family. */
#define HEADS_OF_TOKENS \
	[TASK_TOKEN_CLASSIFICATION] = {                           \
		.tensor = "classifier.weight",                    \
		.architecture = "ForTokenClassification",         \
		.emit = emit_token_classes,                       \
	},                                                        \
	[TASK_QUESTION_ANSWERING] = {                             \
		.tensor = "qa_outputs.weight",                    \
		.emit = emit_answer_span,                         \
	}

/* classifier.dense, @activation, classifier.out_proj on the first token. */
void emit_classes_of_first(struct emit *emit, struct value *x,
			   const char *activation);

/* The same with tanh, as RoBERTa and MPNet have it. */
void emit_classes(struct emit *emit, struct value *x);

/*
 * A head that names words: a linear layer, an activation, a norm, and a
 * decoder that may be tied to the word embeddings.
 */
struct word_head {
	const char *dense, *norm;
	const char *activation;
	uint64_t width; /* of the embeddings */
	double eps;
	const char *decoder; /* .weight may be missing if tied */
	const char *bias[2]; /* the first that is there; or NULL */
};
void emit_words(struct emit *emit, struct value *x,
		const struct word_head *head);

/* That of RoBERTa and MPNet, "lm_head", whose activation is gelu always. */
void emit_lm_head(struct emit *emit, struct value *x);

#endif
