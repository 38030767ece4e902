/* SPDX-License-Identifier: MIT */
/*
 * staging/keras/h5_compose.h - a full Keras model (.h5) of a weights file
 * and the text of its graph.  Pure.
 *
 * The staged file is a new superblock, the weights file from byte 96 on as
 * it lies, and a tail behind it: a root group with the attribute
 * model_config and one entry, model_weights, which is the weights file's old
 * root.  All addresses inside the old bytes stay true, because no byte of
 * them moves.  HDF5's library, Keras 2 and Keras 3 read it as any file.
 *
 * model_config is the JSON of Keras 2's save("x.h5") ("legacy" form).  Keras
 * gives weights to layers by their order; Deeplearning4j by their names.
 * Layers' names may not have "/" for Keras 3, but names in the file may:
 * with h5_layers the entry model_weights is a new group, whose entries have
 * the names of model_config and are the old layers' groups.
 */
#ifndef STAGING_KERAS_H5_COMPOSE_H
#define STAGING_KERAS_H5_COMPOSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/plan.h"
#include "staging/refusal.h"
#include "staging/weights/hdf5.h"

/* The layers of a file under new names, in the order of Keras. */
struct h5_layer {
	char *name;	 /* owned */
	uint64_t header; /* of the layer's group in the file */
};

struct h5_layers {
	struct h5_layer *layers; /* owned */
	size_t count;
};
void h5_layers_release(struct h5_layers *layers);
DEFINE_AUTO(h5_layers, struct h5_layers, h5_layers_release)
#define auto_h5_layers auto_of(h5_layers)

/*
 * Looks up where the layers of @root are, and calls each by its name with
 * @slash in place of every "/".  Reads the nodes of the root's tree, which
 * lie all over the file.  -EBADMSG: two get one name; see hdf5_file.h.
 */
int h5_layers_find(struct hdf5_file *file, const struct hdf5_root *root,
		   char slash, struct h5_layers *out) MUST_CHECK;

/* The same names, leading nowhere: the plan will have this size. */
int h5_layers_foresee(const struct hdf5_root *root, char slash,
		      struct h5_layers *out) MUST_CHECK;

/* What is composed.  All is borrowed. */
struct h5_full {
	const struct hdf5_root *root;
	const char *path; /* of the weights file, in the repository */
	const char *model_config;
	size_t model_config_len;
	const char *keras_version; /* whose form model_config has; or NULL */
	const char *backend;	   /* or NULL */
	const struct h5_layers *layers; /* NULL: under the file's names */
};

/*
 * On success the caller frees *@out.  -EBADMSG: refused, @why says so; one
 * such refusal has the code "full-model": the file is whole as it is.
 */
int h5_compose(const struct h5_full *full, struct plan **out,
	       struct refusal *why) MUST_CHECK;

#endif
