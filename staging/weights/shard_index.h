/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/shard_index.h - which file holds which tensor.  Pure.
 *
 * model.safetensors.index.json and pytorch_model.bin.index.json (transformers,
 * modeling_utils): {"metadata": {...}, "weight_map": {tensor: file}}.  The
 * files stand beside the index.  metadata.total_size is not looked at:
 * indexes made by converters carry that of the file they were made from.
 */
#ifndef STAGING_WEIGHTS_SHARD_INDEX_H
#define STAGING_WEIGHTS_SHARD_INDEX_H

#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "staging/refusal.h"
#include "staging/weights/weights.h"

struct shard_index {
	struct json_doc *doc;	/* owned */
	const struct json *map; /* of doc */
	const char **names;	/* owned list of borrowed names, sorted */
	size_t count;
};

/* On success release @out.  -EBADMSG: refused, @why says so. */
int shard_index_parse(const void *bytes, size_t len, struct shard_index *out,
		      struct refusal *why) MUST_CHECK;
void shard_index_release(struct shard_index *index);
DEFINE_AUTO(shard_index, struct shard_index, shard_index_release)
#define auto_shard_index auto_of(shard_index)

/*
 * Every tensor of the map is in its file; @weights is finished, and its names
 * are torch's.  Those of the map are not yet, if the files' were not.
 */
int shard_index_check(const struct shard_index *index,
		      const struct weights *weights,
		      struct refusal *why) MUST_CHECK;

#endif
