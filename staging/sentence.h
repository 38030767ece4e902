/* SPDX-License-Identifier: MIT */
/*
 * staging/sentence.h - how sentence-transformers makes one vector of a text:
 * modules.json, and the configurations of the modules it names.
 *
 * Facts: sentence_transformers/models/{Pooling,Dense,Normalize}.py.  The
 * first module is the model itself, at the root of the repository.
 */
#ifndef STAGING_SENTENCE_H
#define STAGING_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/refusal.h"
#include "staging/staging.h"
#include "staging/weights/weights.h"

/* In the order in which the vectors of several are joined. */
enum pooling {
	POOLING_CLS, /* the first token */
	POOLING_MAX,
	POOLING_MEAN,
	POOLING_MEAN_SQRT, /* the sum, by the root of the number of tokens */
	POOLING_WEIGHTED,  /* the mean, weighted by the place */
	POOLING_LAST,
	POOLING_COUNT
};

enum sentence_step_kind { SENTENCE_NORMALIZE, SENTENCE_DENSE };

#define SENTENCE_STEPS_MAX 4 /* after the pooling; most surveyed: 2 */
#define SENTENCE_PATH_MAX 64 /* of a module's folder: "2_Dense" */

struct sentence_step {
	enum sentence_step_kind kind;
	char prefix[SENTENCE_PATH_MAX + 2]; /* of its weights: "2_Dense/" */
	const char *activation; /* as block_activation() has it; static */
	bool has_bias;
};

struct sentence {
	bool poolings[POOLING_COUNT];
	struct sentence_step steps[SENTENCE_STEPS_MAX];
	size_t step_count;
	struct refusal why; /* .code: it is not understood; the rest is void */
};

/*
 * Reads the modules of @repo, and adds the weights of dense layers to
 * @weights under their prefix.  What is not understood is no error: .why says
 * it.  -ENOENT: there is no modules.json; else the errno of getting them.
 * On success sentence_free().
 */
int sentence_open(const struct stage_repo *repo, struct weights *weights,
		  struct sentence **out) MUST_CHECK;
void sentence_free(struct sentence *sentence);
DEFINE_AUTO_PTR(sentence, struct sentence, sentence_free)
#define auto_sentence auto_of(sentence)

#endif
