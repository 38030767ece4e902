/* SPDX-License-Identifier: MIT */
#include "staging/keras/keras_onnx.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "staging/skeletons/skeleton_bind.h"
#include "staging/weights/weights_open.h"

#define SET "keras"

/* "#12" */
#define LOCATION_BYTES 24

static int open_skeleton(const struct skeleton_dirs *dirs,
			 const struct keras_config *config,
			 enum stage_form form, struct skeleton **out,
			 struct refusal *why)
{
	if (!config->skeleton)
		return refuse(why, "no-skeleton", NULL,
			      "there is no ONNX graph of this application");
	return skeleton_open(dirs, SET, config->skeleton, form, out, why);
}

/* The hole of weight @number; NULL: the graph does not use it. */
static const struct skeleton_hole *find_hole(const struct skeleton *skeleton,
					     uint64_t number)
{
	char location[LOCATION_BYTES];

	snprintf(location, sizeof(location), "#%llu",
		 (unsigned long long)number);
	for (size_t i = 0; i < skeleton->hole_count; i++)
		if (strcmp(skeleton->holes[i].location, location) == 0)
			return &skeleton->holes[i];
	return NULL;
}

/* Weights of the skeleton's shapes, one after the other. */
static int foresee_weights(const struct skeleton *skeleton,
			   const struct keras_config *config, const char *path,
			   uint64_t size, struct weights *weights)
{
	unsigned int file;
	uint64_t off = 0;
	int r = weights_add_file(weights, path, 0, size, &file);

	for (uint64_t i = 0; r == 0 && i < config->weights; i++) {
		const struct skeleton_hole *hole = find_hole(skeleton, i);
		char name[LOCATION_BYTES];
		struct tensor tensor = {
			.name = name,
			.dtype = DTYPE_F32,
			.rank = hole ? hole->rank : 0,
			.file = file,
			.off = off,
		};

		snprintf(name, sizeof(name), "%llu", (unsigned long long)i);
		if (hole)
			memcpy(tensor.dims, hole->dims, sizeof(tensor.dims));
		r = weights_add(weights, &tensor);
		if (r == 0)
			off += weights->tensors[weights->count - 1].len;
	}
	return r < 0 ? r : weights_finish(weights);
}

int keras_onnx_foresee(const struct skeleton_dirs *dirs,
		       const struct keras_config *config, const char *path,
		       uint64_t size, enum stage_form form,
		       struct staged_model **out, struct refusal *why)
{
	auto_skeleton struct skeleton *skeleton = NULL;
	auto_weights struct weights *weights = NULL;
	int r = open_skeleton(dirs, config, form, &skeleton, why);

	if (r == 0)
		r = weights_new("hdf5", &weights);
	if (r < 0)
		return r;
	r = foresee_weights(skeleton, config, path, size, weights);
	if (r == -EBADMSG)
		return refuse(why, "weights", path,
			      "the file is too short for the model's weights");
	if (r == 0)
		r = skeleton_bind(skeleton, weights, form, out, why);
	if (r == 0)
		(*out)->onnx->digest[0] = '\0';
	return r;
}

int keras_onnx_stage(const struct skeleton_dirs *dirs,
		     const struct keras_config *config,
		     const struct stage_repo *repo, size_t index,
		     enum stage_form form, struct staged_model **out,
		     struct refusal *why)
{
	auto_skeleton struct skeleton *skeleton = NULL;
	auto_weights struct weights *weights = NULL;
	int r = open_skeleton(dirs, config, form, &skeleton, why);

	if (r == 0)
		r = weights_open_file(repo, index, &weights, why);
	if (r == 0)
		r = keras_config_check(config, weights, why);
	return r < 0 ? r : skeleton_bind(skeleton, weights, form, out, why);
}
