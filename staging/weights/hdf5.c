/* SPDX-License-Identifier: MIT */
#include "staging/weights/hdf5.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/weights/weights_open.h"

#define MODEL_WEIGHTS "model_weights"
#define TOP_WEIGHTS "top_level_model_weights"

void hdf5_root_release(struct hdf5_root *root)
{
	hdf5_names_release(&root->layers);
	free(root->keras_version);
	free(root->backend);
	*root = (struct hdf5_root){ 0 };
}

static int read_optional(struct hdf5_file *file,
			 const struct hdf5_object *group, const char *name,
			 char **out)
{
	int r = hdf5_attr_text(file, group, name, out);

	return r == -ENOENT ? 0 : r;
}

static int not_keras(struct hdf5_file *file)
{
	return refuse(file->why, "hdf5-keras", "layer_names",
		      "the HDF5 file is no weights file of Keras 1 or 2");
}

/* The group that has layer_names, by the rule of Keras' load_weights(). */
static int find_layers(struct hdf5_file *file, const struct hdf5_object *root,
		       struct hdf5_root *out)
{
	int r = hdf5_attr_names(file, root, "layer_names", &out->layers);

	out->group = *root;
	if (r != -ENOENT)
		return r;
	r = hdf5_find(file, root, MODEL_WEIGHTS, &out->group);
	if (r == 0)
		r = hdf5_attr_names(file, &out->group, "layer_names",
				    &out->layers);
	return r == -ENOENT ? not_keras(file) : r;
}

int hdf5_root_read(struct hdf5_file *file, struct hdf5_root *out)
{
	auto_hdf5_root struct hdf5_root root = {
		.leaf_k = file->leaf_k,
		.node_k = file->node_k,
		.version = file->version,
		.size = file->from.size,
		.end = file->end,
	};
	struct hdf5_object top;
	int r = hdf5_read(file, 0, sizeof(root.superblock), root.superblock);

	if (r == 0)
		r = hdf5_object_read(file, file->root, &top);
	if (r < 0)
		return r;
	if (!top.is_group)
		return hdf5_bad(file, "the root is no group");
	r = hdf5_attr_there(file, &top, "model_config");
	if (r < 0)
		return r;
	root.full_model = r > 0;
	r = find_layers(file, &top, &root);
	if (r == 0)
		r = read_optional(file, &root.group, "keras_version",
				  &root.keras_version);
	if (r == 0)
		r = read_optional(file, &root.group, "backend", &root.backend);
	if (r < 0)
		return r;
	*out = root;
	root = (struct hdf5_root){ 0 };
	return 0;
}

/* One dataset as a tensor. */
static int fill_tensor(struct hdf5_file *file, const struct hdf5_object *object,
		       struct tensor *tensor)
{
	uint64_t elements, bytes;

	if (!object->is_dataset)
		return hdf5_bad(file, "a weight that is no dataset");
	if (object->space.rank > TENSOR_RANK_MAX)
		return hdf5_unsupported(file, "more than 8 dimensions");
	if (object->type.big_endian && object->type.size > 1)
		return hdf5_unsupported(file, "big-endian numbers");
	if (!hdf5_space_count(&object->space, &elements) ||
	    !u64_mul(elements, object->type.size, &bytes) ||
	    bytes != object->data_bytes)
		return hdf5_bad(file, "a shape that is not that of its bytes");
	if (object->space.null)
		return hdf5_unsupported(file, "a weight without a shape");
	if (bytes > 0 && object->data == HDF5_NOWHERE)
		return hdf5_bad(file, "a weight that was never written");
	if (bytes > 0 &&
	    (object->data > file->end || bytes > file->end - object->data))
		return hdf5_bad(file, "a weight past the end of the file");
	tensor->dtype = object->type.dtype;
	tensor->rank = object->space.rank;
	memcpy(tensor->dims, object->space.dims, sizeof(tensor->dims));
	tensor->off = bytes > 0 ? object->data : 0;
	tensor->len = bytes;
	return 0;
}

/* Where the tensors of a walk go. */
struct adding {
	struct hdf5_file *file;
	struct weights *weights;
	unsigned int number;
};

/* @name is only read. */
static int add_dataset(struct adding *to, const struct hdf5_object *object,
		       char *name)
{
	struct tensor tensor = { .name = name, .file = to->number };
	int r = fill_tensor(to->file, object, &tensor);

	return r < 0 ? r : weights_add(to->weights, &tensor);
}

static int add_weight(struct adding *to, const struct hdf5_object *group,
		      const char *layer, const char *weight)
{
	auto_free char *name = mem_printf("%s/%s", layer, weight);
	struct hdf5_object object;
	int r;

	if (!name)
		return -ENOMEM;
	r = hdf5_find(to->file, group, weight, &object);
	if (r == -ENOENT)
		return refuse(to->file->why, "hdf5-keras", name,
			      "a weight that the file names is not in it");
	return r < 0 ? r : add_dataset(to, &object, name);
}

/* A layer without weights may have no weight_names. */
static int add_group(struct adding *to, const struct hdf5_object *group,
		     const char *layer)
{
	auto_hdf5_names struct hdf5_names names = { 0 };
	int r;

	if (!group->is_group)
		return hdf5_bad(to->file, "a layer that is no group");
	r = hdf5_attr_names(to->file, group, "weight_names", &names);
	if (r == -ENOENT)
		return 0;
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = add_weight(to, group, layer, names.names[i]);
	return r;
}

static int add_layer(struct adding *to, const struct hdf5_root *root,
		     char *layer)
{
	struct hdf5_object group;
	int r = hdf5_find(to->file, &root->group, layer, &group);

	if (r == -ENOENT)
		return refuse(to->file->why, "hdf5-keras", layer,
			      "a layer that the file names is not in it");
	if (r < 0)
		return r;
	return group.is_dataset ? add_dataset(to, &group, layer)
				: add_group(to, &group, layer);
}

/* Weights of the model itself; Keras 2.6 and later name the group always. */
static int add_top(struct adding *to, const struct hdf5_root *root)
{
	struct hdf5_object group;
	int r = hdf5_find(to->file, &root->group, TOP_WEIGHTS, &group);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : add_group(to, &group, TOP_WEIGHTS);
}

int hdf5_read_weights(struct hdf5_file *file, const struct hdf5_root *root,
		      struct weights *weights, unsigned int number)
{
	struct adding to = { file, weights, number };
	int r = 0;

	for (size_t i = 0; r == 0 && i < root->layers.count; i++)
		r = add_layer(&to, root, root->layers.names[i]);
	return r < 0 ? r : add_top(&to, root);
}

int hdf5_read_first(struct hdf5_file *file, const struct hdf5_root *root,
		    size_t count, struct weights *weights, unsigned int number)
{
	struct adding to = { file, weights, number };
	int r = 0;

	for (size_t i = 0;
	     r == 0 && weights->count < count && i < root->layers.count; i++)
		r = add_layer(&to, root, root->layers.names[i]);
	return r;
}

static int read_blob(void *arg, uint64_t off, size_t len, void *to)
{
	struct hdf5_blob *reader = arg;

	return blob_fetch(reader->blob, off, len, to, reader->deadline_ns);
}

struct hdf5_source hdf5_blob_source(struct hdf5_blob *reader)
{
	return (struct hdf5_source){
		.read = read_blob,
		.arg = reader,
		.size = reader->blob->size,
	};
}

int hdf5_load(struct weights_load *load)
{
	struct hdf5_blob reader = { load->blob, load->deadline_ns };
	struct hdf5_source from = hdf5_blob_source(&reader);
	auto_hdf5_file struct hdf5_file file = { 0 };
	auto_hdf5_root struct hdf5_root root = { 0 };
	int r = hdf5_open(&file, &from, load->why);

	if (r == 0)
		r = hdf5_root_read(&file, &root);
	if (r == 0)
		r = hdf5_read_weights(&file, &root, load->weights, load->file);
	if (r == -EBADMSG)
		return hdf5_bad(&file, load->weights->files[load->file].path);
	if (r == -EFBIG)
		return refuse(load->why, "hdf5",
			      load->weights->files[load->file].path,
			      "the HDF5 file is past a limit of this program");
	return r;
}
