/* SPDX-License-Identifier: MIT */
#include "staging/weights/weights_open.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/stage_repo.h"
#include "staging/weights/safetensors.h"
#include "staging/weights/shard_index.h"
#include "staging/weights/torch_names.h"
#include "staging/weights/weights_sniff.h"

/* To add a weight format: a load() in a file of its own, and its line. */
static const struct weights_kind kinds[] = {
	{ FRAMEWORK_PYTORCH, "model.safetensors", "safetensors",
	  safetensors_load, NAMES_TORCH, false },
	{ FRAMEWORK_PYTORCH, "model.safetensors.index.json", "safetensors",
	  safetensors_load, NAMES_TORCH, true },
	{ FRAMEWORK_PYTORCH, "pytorch_model.bin", "torch-zip", torch_zip_load,
	  NAMES_TORCH, false },
	{ FRAMEWORK_PYTORCH, "pytorch_model.bin.index.json", "torch-zip",
	  torch_zip_load, NAMES_TORCH, true },
	{ FRAMEWORK_TENSORFLOW, "tf_model.h5", "hdf5", hdf5_load,
	  NAMES_TF_LAYERS, false },
	{ FRAMEWORK_TENSORFLOW, "tf_model.h5.index.json", "hdf5", hdf5_load,
	  NAMES_TF_SHORT, true },
	{ FRAMEWORK_JAX, "flax_model.msgpack", "flax", flax_load, NAMES_FLAX,
	  false },
	{ FRAMEWORK_JAX, "flax_model.msgpack.index.json", "flax", flax_load,
	  NAMES_FLAX, true },
};

const struct weights_kind *weights_pick(const struct stage_repo *repo,
					enum framework framework, size_t *index)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].framework == framework &&
		    stage_repo_find(repo, kinds[i].path, index))
			return &kinds[i];
	return NULL;
}

static int load_file(const struct stage_repo *repo,
		     const struct weights_kind *kind, size_t index,
		     struct weights *weights, struct refusal *why)
{
	auto_blob struct blob *blob = NULL;
	struct weights_load load = {
		.weights = weights,
		.deadline_ns = repo->deadline_ns,
		.why = why,
	};
	int r = stage_repo_open(repo, index, &blob);

	if (r < 0)
		return r;
	load.blob = blob;
	r = weights_add_file(weights, repo->files[index].path, index,
			     blob->size, &load.file);
	if (r < 0)
		return r;
	weights->files[load.file].names = kind->names;
	return kind->load(&load);
}

static int load_shards(const struct stage_repo *repo,
		       const struct weights_kind *kind,
		       const struct shard_index *shards,
		       struct weights *weights, struct refusal *why)
{
	size_t index;
	int r = 0;

	for (size_t i = 0; r == 0 && i < shards->count; i++) {
		if (!stage_repo_find(repo, shards->names[i], &index))
			return refuse(why, "shard-index", shards->names[i],
				      "a file of the weights is not in the "
				      "repository");
		r = load_file(repo, kind, index, weights, why);
	}
	return r;
}

static int finish(struct weights *weights, struct refusal *why)
{
	int r = weights_to_torch(weights, why);

	if (r < 0)
		return r;
	r = weights_finish(weights);
	if (r == -EBADMSG)
		return refuse(why, "weights", NULL,
			      "two tensors have the same name");
	return r;
}

static int open_sharded(const struct stage_repo *repo,
			const struct weights_kind *kind, size_t index,
			struct weights *weights, struct refusal *why)
{
	auto_shard_index struct shard_index shards = { 0 };
	auto_str struct str text;
	int r;

	str_init(&text, SHARD_INDEX_BYTES_MAX);
	r = stage_repo_read(repo, index, &text);
	if (r == 0)
		r = shard_index_parse(str_text(&text), text.len, &shards, why);
	if (r == 0)
		r = load_shards(repo, kind, &shards, weights, why);
	if (r == 0)
		r = finish(weights, why);
	if (r < 0)
		return r;
	return shard_index_check(&shards, weights, why);
}

int weights_open(const struct stage_repo *repo, const struct weights_kind *kind,
		 size_t index, struct weights **out, struct refusal *why)
{
	auto_weights struct weights *weights = NULL;
	int r = weights_new(kind->format, &weights);

	if (r < 0)
		return r;
	if (kind->sharded) {
		r = open_sharded(repo, kind, index, weights, why);
	} else {
		r = load_file(repo, kind, index, weights, why);
		if (r == 0)
			r = finish(weights, why);
	}
	if (r == -EFBIG)
		return refuse(why, "weights", kind->path,
			      "the weights are past a limit of this program");
	if (r == 0)
		*out = take_ptr(weights);
	return r;
}

static int sniff(const struct stage_repo *repo, size_t index,
		 struct weights_format *out, struct refusal *why)
{
	auto_blob struct blob *blob = NULL;
	uint8_t head[WEIGHTS_SNIFF_BYTES];
	size_t len = u64_min(repo->files[index].size, sizeof(head));
	int r = stage_repo_open(repo, index, &blob);

	if (r == 0)
		r = blob_fetch(blob, 0, len, head, repo->deadline_ns);
	if (r < 0)
		return r;
	return weights_sniff(head, len, blob->size, out, why);
}

int weights_open_file(const struct stage_repo *repo, size_t index,
		      struct weights **out, struct refusal *why)
{
	struct weights_kind kind = { .path = repo->files[index].path };
	struct weights_format format;
	int r = sniff(repo, index, &format, why);

	if (r < 0)
		return r;
	kind.format = format.format;
	kind.load = format.load;
	return weights_open(repo, &kind, index, out, why);
}

static int load_head(struct weights_load *load)
{
	struct blob *blob = load->blob;
	size_t have = u64_min(blob->size, HEAD_FETCH_BYTES), len;
	auto_free uint8_t *head = mem_alloc(have + 1);
	uint8_t *longer;
	int r;

	if (!head)
		return -ENOMEM;
	r = blob_fetch(blob, 0, have, head, load->deadline_ns);
	if (r == 0)
		r = safetensors_head_len(head, blob->size, &len);
	if (r < 0)
		return r;
	if (len > have) {
		longer = mem_resize(head, len, 1);
		if (!longer)
			return -ENOMEM;
		head = longer;
		r = blob_fetch(blob, have, len - have, head + have,
			       load->deadline_ns);
	}
	if (r < 0)
		return r;
	return safetensors_parse(load->weights, load->file, head, len);
}

int safetensors_load(struct weights_load *load)
{
	int r = load->blob->size == 0 ? -EBADMSG : load_head(load);

	if (r == -EBADMSG || r == -EFBIG)
		return refuse(load->why, "safetensors",
			      load->weights->files[load->file].path,
			      "the safetensors file is not valid");
	return r;
}
