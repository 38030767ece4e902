/* SPDX-License-Identifier: MIT */
#include "staging/keras/h5_compose.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/keras/h5_write.h"

#define MODEL_WEIGHTS "model_weights"

void h5_layers_release(struct h5_layers *layers)
{
	for (size_t i = 0; i < layers->count; i++)
		free(layers->layers[i].name);
	free(layers->layers);
	*layers = (struct h5_layers){ 0 };
}

static int by_name(const void *a, const void *b)
{
	const struct h5_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* The layers as entries of a group; the caller frees *@out. */
static int make_entries(const struct h5_layers *layers, struct h5_entry **out,
			struct refusal *why)
{
	auto_free struct h5_entry *entries = mem_array(layers->count + 1,
						       sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < layers->count; i++) {
		entries[i].name = layers->layers[i].name;
		entries[i].header = layers->layers[i].header;
	}
	qsort(entries, layers->count, sizeof(*entries), by_name);
	for (size_t i = 1; i < layers->count; i++)
		if (strcmp(entries[i - 1].name, entries[i].name) == 0)
			return refuse(why, "layer-names", entries[i].name,
				      "two layers get the same name");
	*out = take_ptr(entries);
	return 0;
}

/* Calls @out by its new name. */
static int name_layer(const char *name, char slash, struct h5_layer *out)
{
	out->name = mem_strdup(name);
	if (!out->name)
		return -ENOMEM;
	for (char *c = out->name; *c; c++)
		if (*c == '/')
			*c = slash;
	return 0;
}

static int find_layer(struct hdf5_file *file, const struct hdf5_root *root,
		      const char *name, char slash, struct h5_layer *out)
{
	int r = hdf5_find_header(file, &root->group, name, &out->header);

	if (r == -ENOENT)
		return refuse(file->why, "hdf5-keras", name,
			      "a layer that the file names is not in it");
	return r < 0 ? r : name_layer(name, slash, out);
}

int h5_layers_foresee(const struct hdf5_root *root, char slash,
		      struct h5_layers *out)
{
	auto_h5_layers struct h5_layers layers = { 0 };
	int r = 0;

	layers.layers = mem_array(root->layers.count + 1,
				  sizeof(*layers.layers));
	if (!layers.layers)
		return -ENOMEM;
	while (r == 0 && layers.count < root->layers.count) {
		struct h5_layer *layer = &layers.layers[layers.count];

		layer->header = HDF5_SUPERBLOCK_BYTES;
		r = name_layer(root->layers.names[layers.count], slash, layer);
		if (r == 0)
			layers.count++;
	}
	if (r < 0)
		return r;
	*out = layers;
	layers = (struct h5_layers){ 0 };
	return 0;
}

int h5_layers_find(struct hdf5_file *file, const struct hdf5_root *root,
		   char slash, struct h5_layers *out)
{
	auto_h5_layers struct h5_layers found = { 0 };
	auto_free struct h5_entry *entries = NULL;
	int r = 0;

	found.layers = mem_array(root->layers.count + 1, sizeof(*found.layers));
	if (!found.layers)
		return -ENOMEM;
	while (r == 0 && found.count < root->layers.count) {
		r = find_layer(file, root, root->layers.names[found.count],
			       slash, &found.layers[found.count]);
		if (r == 0)
			found.count++;
	}
	if (r == 0)
		r = make_entries(&found, &entries, file->why);
	if (r < 0)
		return r;
	*out = found;
	found = (struct h5_layers){ 0 };
	return 0;
}

static int check(const struct h5_full *full, struct refusal *why)
{
	const struct hdf5_root *root = full->root;

	if (root->full_model)
		return refuse(why, "full-model", full->path,
			      "the file has a model_config: it is a whole "
			      "model as it is");
	if (root->version != 0)
		return refuse(why, "hdf5-unsupported", "superblock 1",
			      "a superblock of this version is not rewritten");
	if (root->end != root->size)
		return refuse(why, "hdf5", full->path,
			      "the HDF5 file does not end where it says");
	if (root->leaf_k > HDF5_NODE_K_MAX || root->node_k > HDF5_NODE_K_MAX)
		return refuse(why, "hdf5-unsupported", "sizes of nodes",
			      "the HDF5 file has nodes of unusual sizes");
	if (full->model_config_len == 0 ||
	    full->model_config_len > KERAS_CONFIG_BYTES_MAX)
		return refuse(why, "model-config", NULL,
			      "the graph's text is empty or too long");
	return 0;
}

/* Attributes that are texts, which lie in one global heap. */
#define TEXTS_MAX 3

struct texts {
	struct h5_text texts[TEXTS_MAX];
	const char *names[TEXTS_MAX];
	size_t count;
};

static void texts_add(struct texts *texts, const char *name, const char *bytes,
		      size_t len)
{
	texts->names[texts->count] = name;
	texts->texts[texts->count++] = (struct h5_text){ bytes, len };
}

static void texts_add_versions(struct texts *texts, const char *keras_version,
			       const char *backend)
{
	if (keras_version)
		texts_add(texts, "keras_version", keras_version,
			  strlen(keras_version));
	if (backend)
		texts_add(texts, "backend", backend, strlen(backend));
}

static void put_texts(struct h5_out *out, struct h5_header *header,
		      const struct texts *texts)
{
	uint64_t heap;

	if (texts->count == 0)
		return;
	heap = h5_put_texts(out, texts->texts, texts->count);
	for (size_t i = 0; i < texts->count; i++)
		h5_add_text(header, texts->names[i], heap, (uint32_t)i + 1,
			    texts->texts[i].len);
}

/*
 * The group model_weights under new names.  Its keras_version is the file's:
 * it says how the weights lie, and its absence says Keras 1.
 */
static int put_layers(struct h5_out *out, const struct h5_full *full,
		      uint64_t *header_at, struct refusal *why)
{
	const struct h5_layers *layers = full->layers;
	auto_h5_header struct h5_header header = { 0 };
	auto_free struct h5_entry *entries = NULL;
	auto_free const char **names = mem_array(layers->count + 1,
						 sizeof(*names));
	struct texts texts = { 0 };
	struct h5_group group;
	int r = make_entries(layers, &entries, why);

	h5_header_init(&header);
	if (r < 0 || !names)
		return r < 0 ? r : -ENOMEM;
	if (layers->count == 0)
		return refuse(why, "hdf5-keras", full->path,
			      "the file has no layers");
	for (size_t i = 0; i < layers->count; i++)
		names[i] = layers->layers[i].name;
	group = h5_put_group(out, entries, layers->count);
	h5_add_group(&header, &group);
	h5_add_names(&header, "layer_names", names, layers->count);
	texts_add_versions(&texts, full->root->keras_version,
			   full->root->backend);
	put_texts(out, &header, &texts);
	*header_at = h5_put_header(out, &header);
	return 0;
}

/* The new root: where its header is, and what that says. */
struct new_root {
	uint64_t header;
	struct h5_group group;
};

static int put_root(struct h5_out *out, const struct h5_full *full,
		    struct new_root *root, struct refusal *why)
{
	auto_h5_header struct h5_header header = { 0 };
	struct h5_entry entry = {
		.name = MODEL_WEIGHTS,
		.header = full->root->group.header,
	};
	struct texts texts = { 0 };
	int r = 0;

	h5_header_init(&header);
	if (full->layers)
		r = put_layers(out, full, &entry.header, why);
	if (r < 0)
		return r;
	root->group = h5_put_group(out, &entry, 1);
	h5_add_group(&header, &root->group);
	texts_add(&texts, "model_config", full->model_config,
		  full->model_config_len);
	texts_add_versions(&texts, full->keras_version, full->backend);
	put_texts(out, &header, &texts);
	root->header = h5_put_header(out, &header);
	return out->to.error;
}

/*
 * The end of the file is at byte 40 of superblock 0, the root's entry at 56:
 * no name, the header, and cached (kind 1) the tree and the heap.
 */
static void write_superblock(const struct h5_full *full, uint64_t end,
			     const struct new_root *root, uint8_t *to)
{
	memcpy(to, full->root->superblock, HDF5_SUPERBLOCK_BYTES);
	put_le64(to + 40, end);
	put_le64(to + 56, 0);
	put_le64(to + 64, root->header);
	put_le64(to + 72, 1);
	put_le64(to + 80, root->group.tree);
	put_le64(to + 88, root->group.heap);
}

static int add_parts(struct plan *plan, const struct h5_full *full,
		     const uint8_t *superblock, const struct h5_out *tail)
{
	uint64_t size = full->root->size;
	uint32_t source;
	int r = plan_add_source(plan, full->path, size, &source);

	if (r == 0)
		r = plan_add_bytes(plan, superblock, HDF5_SUPERBLOCK_BYTES);
	if (r == 0)
		r = plan_add_range(plan, SEGMENT_COPY, source,
				   HDF5_SUPERBLOCK_BYTES,
				   size - HDF5_SUPERBLOCK_BYTES);
	if (r == 0 && tail->base > size)
		r = plan_add_zeros(plan, tail->base - size);
	if (r == 0)
		r = plan_add_bytes(plan, tail->to.str.bytes, tail->to.str.len);
	return r < 0 ? r : plan_finish(plan);
}

int h5_compose(const struct h5_full *full, struct plan **out,
	       struct refusal *why)
{
	uint8_t superblock[HDF5_SUPERBLOCK_BYTES];
	auto_h5_out struct h5_out tail = { 0 };
	auto_plan struct plan *plan = NULL;
	struct new_root root = { 0 };
	int r = check(full, why);

	if (r < 0)
		return r;
	h5_out_init(&tail, u64_ceil(full->root->size, 8), full->root->leaf_k,
		    full->root->node_k);
	r = put_root(&tail, full, &root, why);
	if (r == 0)
		r = plan_new(&plan);
	if (r < 0)
		return r;
	write_superblock(full, tail.base + tail.to.str.len, &root, superblock);
	r = add_parts(plan, full, superblock, &tail);
	if (r == 0)
		*out = take_ptr(plan);
	return r;
}
