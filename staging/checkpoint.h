/* SPDX-License-Identifier: MIT */
/*
 * staging/checkpoint.h - what a model is staged from: its configuration and
 * where its weights lie.
 */
#ifndef STAGING_CHECKPOINT_H
#define STAGING_CHECKPOINT_H

#include <stdbool.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "staging/refusal.h"
#include "staging/sentence.h"
#include "staging/staging.h"
#include "staging/weights/weights.h"
#include "staging/weights/weights_open.h"

struct checkpoint {
	struct json_doc *config;   /* of config.json; NULL where it is bad */
	struct weights *weights;   /* NULL where they are refused */
	struct sentence *sentence; /* NULL: not of sentence-transformers */
};

/*
 * Whether there is one: config.json beside weights of @framework, or an
 * adapter for PyTorch's.  No request.
 */
bool checkpoint_exists(const struct stage_repo *repo, enum framework framework);

/* Whether PyTorch's weights are pickled, and nothing but that.  No request. */
bool checkpoint_is_pickled(const struct stage_repo *repo);

/*
 * Fetches config.json and the headers of the weights into the zeroed @out,
 * which is released after, also on failure.  -EBADMSG: refused, @why says
 * so; else the errno of getting them.
 */
int checkpoint_open(const struct stage_repo *repo, enum framework framework,
		    struct checkpoint *out, struct refusal *why) MUST_CHECK;

/* As checkpoint_open(), without config.json: whatever it says. */
int checkpoint_open_weights(const struct stage_repo *repo,
			    enum framework framework, struct checkpoint *out,
			    struct refusal *why) MUST_CHECK;
void checkpoint_release(struct checkpoint *checkpoint);
DEFINE_AUTO(checkpoint, struct checkpoint, checkpoint_release)
#define auto_checkpoint auto_of(checkpoint)

/* config.json's; NULL where it has none. */
const char *checkpoint_model_type(const struct checkpoint *checkpoint);

#endif
