/* SPDX-License-Identifier: MIT */
/*
 * providers/onnx_manifest.h - the models that the ONNX zoo's manifest has.
 *
 * Pure but for loading.  A row is a model at an opset; names are spelled
 * without spaces, and in the manifest's case.
 */
#ifndef PROVIDERS_ONNX_MANIFEST_H
#define PROVIDERS_ONNX_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "providers/catalogue.h"

#define ONNX_PLACES_MAX 4

/* In the columns of catalogues/onnx.tsv. */
enum onnx_column {
	ONNX_NAME,
	ONNX_OPSET,
	ONNX_MODEL, /* as the manifest spells it: "Emotion FERPlus" */
	ONNX_PATH,  /* in the zoo's tree; .._SHA256 and .._BYTES follow */
	ONNX_SHA256,
	ONNX_BYTES,
	ONNX_TAR_PATH,
	ONNX_TAR_SHA256,
	ONNX_TAR_BYTES,
	ONNX_TAGS,
	ONNX_INPUTS,
	ONNX_OUTPUTS,
	ONNX_VERSION,
	ONNX_COLUMNS
};

struct onnx_manifest {
	struct catalogue *models; /* owned */
	size_t columns[ONNX_COLUMNS];
};

/* Errors of catalogue_load(); to be released all the same. */
int onnx_manifest_load(struct onnx_manifest *manifest) MUST_CHECK;
void onnx_manifest_release(struct onnx_manifest *manifest);

const char *onnx_field(const struct onnx_manifest *manifest, size_t row,
		       enum onnx_column column);

/* "model/opset" to its row.  -ENOENT, -ENOMEM. */
int onnx_find_row(const struct onnx_manifest *manifest, const char *path,
		  size_t *row) MUST_CHECK;

/*
 * The name of the model that onnx.hub would take @name for: whatever the
 * case, and with spaces.  NULL: none.
 */
const char *onnx_safe_name(const struct onnx_manifest *manifest,
			   const char *name);

/* URLs, best first; owned. */
struct onnx_places {
	char *urls[ONNX_PLACES_MAX];
	size_t count;
};
void onnx_places_release(struct onnx_places *places);
DEFINE_AUTO(onnx_places, struct onnx_places, onnx_places_release)
#define auto_onnx_places auto_of(onnx_places)

/*
 * Where the file @path of the zoo's tree may be, in the zeroed @out: the
 * mirror of the tree, the model's own repositories, GitHub's media host,
 * which may be over its budget; with @own only "/<path>" (origin.h).  To be
 * released on failure too.  -ENOMEM, -EFBIG.
 */
int onnx_places_of(const char *path, bool own,
		   struct onnx_places *out) MUST_CHECK;

/* For struct repo; caller frees *@out.  -ENOMEM, -EFBIG. */
int onnx_facts_of(const struct onnx_manifest *manifest, size_t row,
		  char **out) MUST_CHECK;

#endif
