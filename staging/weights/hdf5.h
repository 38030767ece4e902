/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/hdf5.h - Keras weights files (.h5): their layers, and the
 * tensors of them.
 *
 * What Keras 1 and 2 write (keras/saving/legacy/hdf5_format.py of Keras
 * 2.15): the root has attribute layer_names; each layer is a group of that
 * name, whose attribute weight_names has the paths of its datasets from
 * there.  Names may have "/" in them: groups nest.  A file of a whole model
 * has all that in the group model_weights.  In a shard of transformers
 * (modeling_tf_utils.py of 4.46, save_pretrained()) layer_names are datasets.
 *
 * Where things lie in the file is up to h5py; nothing here depends on it.
 */
#ifndef STAGING_WEIGHTS_HDF5_H
#define STAGING_WEIGHTS_HDF5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "staging/weights/hdf5_attr.h"
#include "staging/weights/hdf5_file.h"
#include "staging/weights/hdf5_group.h"
#include "staging/weights/weights.h"

/* An hdf5_source of @reader, which both must outlive. */
struct hdf5_blob {
	struct blob *blob; /* borrowed */
	uint64_t deadline_ns;
};
struct hdf5_source hdf5_blob_source(struct hdf5_blob *reader);

/* What is known of a file from its first bytes and its root's header. */
struct hdf5_root {
	uint8_t superblock[HDF5_SUPERBLOCK_BYTES];
	unsigned int leaf_k, node_k; /* see struct hdf5_file */
	unsigned int version;	     /* of the superblock */
	uint64_t size, end;	     /* of the file; as it says itself */
	bool full_model;	     /* it has a model_config already */
	struct hdf5_object group;    /* the one with the layers */
	struct hdf5_names layers;    /* in the order of Keras */
	char *keras_version;	     /* owned; NULL: the file has none */
	char *backend;		     /* owned; NULL: the file has none */
};
void hdf5_root_release(struct hdf5_root *root);
DEFINE_AUTO(hdf5_root, struct hdf5_root, hdf5_root_release)
#define auto_hdf5_root auto_of(hdf5_root)

/*
 * Fills @out; few bytes are read.  -EBADMSG: not a weights file of Keras, or
 * one that is not read here; see hdf5_file.h.
 */
int hdf5_root_read(struct hdf5_file *file, struct hdf5_root *out) MUST_CHECK;

/*
 * Adds the tensors in the order of Keras, as "<layer>/<weight>"; a layer that
 * is a dataset by its own name.  @number:
 * the file's, in @weights.
 */
int hdf5_read_weights(struct hdf5_file *file, const struct hdf5_root *root,
		      struct weights *weights, unsigned int number) MUST_CHECK;

/* The first @count of them at least, of layers read whole. */
int hdf5_read_first(struct hdf5_file *file, const struct hdf5_root *root,
		    size_t count, struct weights *weights,
		    unsigned int number) MUST_CHECK;

#endif
