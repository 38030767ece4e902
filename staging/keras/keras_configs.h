/* SPDX-License-Identifier: MIT */
/*
 * staging/keras/keras_configs.h - the graphs of keras.applications, as data.
 *
 * A folder has manifest.json, {"format": 1, "models": {"<id>/<variant>":
 * {...}}}, and the files it names: each a model_config, compressed by gzip.
 * tools/keras/make_configs makes both.  A member of a model:
 *
 *	"config"	 the file
 *	"sha256"	 of the uncompressed text
 *	"layers"	 of the model that have weights
 *	"weights"	 of the model
 *	"shapes_sha256"	 of a line a weight, in order: "3x3x3x64"
 *	"slashes"	 what stands for "/" in names of layers; may be missing
 *	"skeleton"	 name of the model's ONNX skeleton; may be missing
 *	"when"		 {"weight": N, "near": [...], "else": "<id>/<variant>"}:
 *			 the graph is that of weights whose tensor N is so;
 *			 of others it is the other one; may be missing
 *	"refused"	 instead of all that: why there is none
 */
#ifndef STAGING_KERAS_KERAS_CONFIGS_H
#define STAGING_KERAS_KERAS_CONFIGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/refusal.h"
#include "staging/weights/weights.h"

/* Numbers that the published weights differ by from all others. */
#define KERAS_NEAR_MAX 4

/* What is near: half of the last digit that the libraries publish. */
#define KERAS_NEAR 0.0005

struct keras_condition {
	char *otherwise; /* owned; the model of other weights; NULL: none */
	uint64_t weight; /* a float32 vector of .count */
	double near[KERAS_NEAR_MAX];
	size_t count;
};

/* Zeroed before use. */
struct keras_config {
	char *text; /* owned; the model_config, NUL-terminated */
	size_t len;
	uint64_t layers, weights; /* how many */
	char *shapes_sha256;	  /* owned; hex */
	char *skeleton;		  /* owned; NULL: there is none */
	char slash;		  /* '\0': names are those of the file */
	struct keras_condition when;
};
void keras_config_release(struct keras_config *config);
DEFINE_AUTO(keras_config, struct keras_config, keras_config_release)
#define auto_keras_config auto_of(keras_config)

/*
 * Reads the model_config of @model, "<id>/<variant>", from the folder @dir.
 * -EBADMSG: refused, @why says so; else the errno of reading, -ENOENT where
 * there is no such folder.
 */
int keras_config_read(const char *dir, const char *model,
		      struct keras_config *out, struct refusal *why) MUST_CHECK;

/*
 * Are these the weights of the model, by their number and the shapes in the
 * order of the file?  -EBADMSG: no, and @why says so.
 */
int keras_config_check(const struct keras_config *config,
		       const struct weights *weights,
		       struct refusal *why) MUST_CHECK;

#endif
