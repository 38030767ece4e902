/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/saved_folder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "staging/stage_repo.h"

#define MODEL_NAME "saved_model.pb"
#define MODEL_TEXT_NAME "saved_model.pbtxt"
#define INDEX_NAME "variables/variables.index"
#define SHARD_PREFIX "variables/variables"

/* @folder and @name, in the holder.  -ENOENT. */
static int find(const struct stage_repo *holder, const char *folder,
		const char *name, size_t *index)
{
	auto_free char *path = mem_printf("%s%s", folder, name);

	if (!path)
		return -ENOMEM;
	return stage_repo_find(holder, path, index) ? 0 : -ENOENT;
}

static int read_model(const struct stage_repo *holder, const char *folder,
		      struct saved_folder *out, struct refusal *why)
{
	auto_str struct str bytes;
	size_t index, len;
	char *taken;
	int r = find(holder, folder, MODEL_NAME, &index);

	str_init(&bytes, SAVED_MODEL_BYTES_MAX);
	if (r == -ENOENT && find(holder, folder, MODEL_TEXT_NAME, &index) == 0)
		return refuse(why, "saved-model", MODEL_TEXT_NAME,
			      "a SavedModel written as text is not read");
	if (r < 0)
		return r;
	r = stage_repo_read(holder, index, &bytes);
	if (r == -EFBIG)
		return refuse(why, "saved-model", MODEL_NAME,
			      "its graph is past a limit of this program");
	if (r < 0)
		return r;
	out->model_path = holder->files[index].path;
	taken = str_take(&bytes, &len);
	return saved_model_parse((uint8_t *)taken, len, &out->model, why);
}

static int find_shards(const struct stage_repo *holder, const char *folder,
		       struct saved_folder *out, struct refusal *why)
{
	unsigned int count = out->bundle->shard_count;
	char name[NAME_BYTES_MAX];
	int r = 0;

	out->paths = mem_array(count + 1, sizeof(*out->paths));
	out->sizes = mem_array(count + 1, sizeof(*out->sizes));
	out->indexes = mem_array(count + 1, sizeof(*out->indexes));
	if (!out->paths || !out->sizes || !out->indexes)
		return -ENOMEM;
	for (unsigned int i = 0; r == 0 && i < count; i++) {
		r = bundle_shard_name(name, sizeof(name), SHARD_PREFIX, i,
				      count);
		if (r == 0)
			r = find(holder, folder, name, &out->indexes[i]);
		if (r == -ENOENT)
			return refuse(why, "missing-shard", name,
				      "a file of the variables is missing");
		if (r < 0)
			return r;
		out->paths[i] = mem_strdup(holder->files[out->indexes[i]].path);
		out->sizes[i] = holder->files[out->indexes[i]].size;
		r = out->paths[i] ? 0 : -ENOMEM;
	}
	return r < 0 ? r : tensor_bundle_check(out->bundle, out->sizes, why);
}

static int read_variables(const struct stage_repo *holder, const char *folder,
			  struct saved_folder *out, struct refusal *why)
{
	auto_str struct str bytes;
	size_t index;
	int r = find(holder, folder, INDEX_NAME, &index);

	str_init(&bytes, BUNDLE_INDEX_BYTES_MAX);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = stage_repo_read(holder, index, &bytes);
	if (r == -EFBIG)
		return refuse(why, "tensor-bundle", INDEX_NAME,
			      "it is past a limit of this program");
	if (r == 0)
		r = tensor_bundle_parse(str_text(&bytes), bytes.len,
					&out->bundle, why);
	return r < 0 ? r : find_shards(holder, folder, out, why);
}

int saved_folder_open(const struct stage_repo *holder, const char *folder,
		      struct saved_folder *out, struct refusal *why)
{
	int r = read_model(holder, folder, out, why);

	out->holder = holder;
	return r < 0 ? r : read_variables(holder, folder, out, why);
}

void saved_folder_release(struct saved_folder *saved)
{
	unsigned int count = saved->bundle ? saved->bundle->shard_count : 0;

	for (unsigned int i = 0; saved->paths && i < count; i++)
		free(saved->paths[i]);
	free(saved->paths);
	free(saved->sizes);
	free(saved->indexes);
	tensor_bundle_free(saved->bundle);
	saved_model_free(saved->model);
}

/* A string variable's bytes are needed to write it. */
static int read_shard(void *arg, unsigned int shard, uint64_t off, size_t len,
		      void *to)
{
	const struct saved_folder *saved = arg;
	auto_blob struct blob *blob = NULL;
	int r = stage_repo_open(saved->holder, saved->indexes[shard], &blob);

	return r < 0 ? r
		     : blob_fetch(blob, off, len, to,
				  saved->holder->deadline_ns);
}

/* As tf.dtypes names them. */
static const char *value_dtype(int dtype)
{
	static const char *const names[] = {
		[DT_FLOAT] = "float32",	    [DT_DOUBLE] = "float64",
		[DT_INT32] = "int32",	    [DT_UINT8] = "uint8",
		[DT_INT16] = "int16",	    [DT_INT8] = "int8",
		[DT_STRING] = "string",	    [DT_COMPLEX64] = "complex64",
		[DT_INT64] = "int64",	    [DT_BOOL] = "bool",
		[DT_QINT8] = "qint8",	    [DT_QUINT8] = "quint8",
		[DT_QINT32] = "qint32",	    [DT_BFLOAT16] = "bfloat16",
		[DT_QINT16] = "qint16",	    [DT_QUINT16] = "quint16",
		[DT_UINT16] = "uint16",	    [DT_COMPLEX128] = "complex128",
		[DT_HALF] = "float16",	    [DT_VARIANT] = "variant",
		[DT_RESOURCE] = "resource", [DT_UINT32] = "uint32",
		[DT_UINT64] = "uint64",
	};

	if (dtype <= 0 || (size_t)dtype >= ARRAY_LEN(names) || !names[dtype])
		return "unknown";
	return names[dtype];
}

/* ["?",224,224,3]; null where even the rank is not known. */
static int value_shape(const struct frozen_value *value, char **out)
{
	auto_str struct str text;
	size_t len;
	int r;

	str_init(&text, NAME_BYTES_MAX);
	r = str_append_text(&text, value->rank_known ? "[" : "null");
	for (unsigned int i = 0; r == 0 && i < value->rank; i++) {
		const char *comma = i ? "," : "";

		if (value->dims[i] < 0)
			r = str_printf(&text, "%s\"?\"", comma);
		else
			r = str_printf(&text, "%s%" PRId64, comma,
				       value->dims[i]);
	}
	if (r == 0 && value->rank_known)
		r = str_append_char(&text, ']');
	if (r == 0)
		*out = str_take(&text, &len);
	return r;
}

static int tell_values(const struct frozen_value *values, size_t count,
		       struct staged_value **out, size_t *out_count)
{
	int r = 0;

	*out = mem_array(count + 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct staged_value *value = &(*out)[(*out_count)++];

		value->dtype = value_dtype(values[i].dtype);
		value->name = mem_strdup(values[i].name);
		r = value->name ? value_shape(&values[i], &value->shape)
				: -ENOMEM;
	}
	return r;
}

static int tell_model(struct frozen *frozen, struct staged_model **out)
{
	auto_staged_model struct staged_model *model =
		mem_zalloc(sizeof(*model));
	int r;

	if (!model)
		return -ENOMEM;
	model->onnx = take_ptr(frozen->plan);
	model->node_count = frozen->node_count;
	r = tell_values(frozen->inputs, frozen->input_count, &model->inputs,
			&model->input_count);
	if (r == 0)
		r = tell_values(frozen->outputs, frozen->output_count,
				&model->outputs, &model->output_count);
	if (r == 0)
		*out = take_ptr(model);
	return r;
}

int saved_folder_freeze(const struct saved_folder *saved, const char *signature,
			struct staged_model **out, struct refusal *why)
{
	struct freeze_shards shards = {
		.bundle = saved->bundle,
		.paths = (const char *const *)saved->paths,
		.sizes = saved->sizes,
		.read = read_shard,
		.arg = (void *)(uintptr_t)saved,
		.model_path = saved->model_path,
	};
	auto_frozen struct frozen *frozen = NULL;
	int r = saved_model_freeze(saved->model, &shards, signature, &frozen,
				   why);

	if (r == -EFBIG)
		return refuse(why, "too-large", NULL,
			      "the graph is past a limit of this program, or "
			      "past the 2 GiB of a .pb");
	return r < 0 ? r : tell_model(frozen, out);
}
