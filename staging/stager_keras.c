/* SPDX-License-Identifier: MIT */
/*
 * Keras applications: a file of weights, and the graph that the program has
 * for it, as a whole Keras model (staged.h5) and as ONNX.
 */
#include "staging/stager.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/share.h"
#include "staging/info.h"
#include "staging/keras/h5_check.h"
#include "staging/keras/h5_compose.h"
#include "staging/keras/keras_configs.h"
#include "staging/keras/keras_onnx.h"
#include "staging/stage_listing.h"
#include "staging/stage_repo.h"
#include "staging/stage_status.h"

#define WEIGHTS_NAME "weights.h5"
#define ONNX_NAME "staged.onnx"
#define H5_NAME "staged.h5"
#define DL4J_NAME "dl4j"

/* A weights file that is open, and the graph it belongs to. */
struct keras_model {
	const struct stage_repo *repo;
	size_t index; /* of the file */
	char *name;   /* of the graph; owned */
	struct blob *blob;
	struct hdf5_blob reader;
	struct hdf5_file file;
	struct hdf5_root root;
	struct keras_config config;
	char *skeletons; /* owned */
};

static void model_release(struct keras_model *model)
{
	keras_config_release(&model->config);
	hdf5_root_release(&model->root);
	hdf5_close(&model->file);
	if (model->blob)
		blob_unref(model->blob);
	free(model->name);
	free(model->skeletons);
}
DEFINE_AUTO(keras_model, struct keras_model, model_release)
#define auto_keras_model auto_of(keras_model)

static struct skeleton_dirs dirs_of(const struct keras_model *model)
{
	return (struct skeleton_dirs){ model->skeletons,
				       model->repo->skeletons };
}

static int read_config(struct keras_model *model, struct refusal *why)
{
	auto_free char *dir = NULL;
	int r = share_path("keras", &dir);

	keras_config_release(&model->config);
	return r < 0 ? r
		     : keras_config_read(dir, model->name, &model->config, why);
}

static bool is_near(const struct keras_condition *when, const uint8_t *bytes)
{
	for (size_t i = 0; i < when->count; i++) {
		uint32_t bits = le32(bytes + 4 * i);
		float value;

		memcpy(&value, &bits, sizeof(value));
		if (!(fabs((double)value - when->near[i]) <= KERAS_NEAR))
			return false;
	}
	return true;
}

/* The numbers that tell which graph it is. */
static int read_near(struct keras_model *model, uint8_t *bytes,
		     struct refusal *why)
{
	const struct keras_condition *when = &model->config.when;
	auto_weights struct weights *weights = NULL;
	const struct tensor *tensor;
	unsigned int file;
	int r = weights_new("hdf5", &weights);

	if (r == 0)
		r = weights_add_file(weights, WEIGHTS_NAME, model->index,
				     model->blob->size, &file);
	if (r == 0)
		r = hdf5_read_first(&model->file, &model->root,
				    when->weight + 1, weights, file);
	if (r < 0)
		return r;
	if (weights->count <= when->weight)
		return refuse(why, "weight-count", model->name,
			      "the file has too few weights");
	tensor = &weights->tensors[when->weight];
	if (tensor->dtype != DTYPE_F32 || tensor->len != 4 * when->count)
		return refuse(why, "shape-mismatch", tensor->name,
			      "the shapes of the weights are not those of the "
			      "model");
	return hdf5_read(&model->file, tensor->off, tensor->len, bytes);
}

/* Its bytes are checked against the digest that the catalogue has. */
static bool is_published(const struct keras_model *model,
			 const struct json *facts)
{
	const char *want = json_string(json_get(facts, "digest"));
	char digest[DIGEST_TEXT];

	digest_text(&model->blob->digest, digest);
	return want && *digest && strcmp(want, digest) == 0;
}

/* Published weights of some models have a graph of their own. */
static int choose_graph(struct keras_model *model, const struct json *facts,
			struct refusal *why)
{
	const struct keras_condition *when = &model->config.when;
	uint8_t bytes[4 * KERAS_NEAR_MAX];
	int r;

	if (!when->otherwise || is_published(model, facts))
		return 0;
	r = read_near(model, bytes, why);
	if (r < 0 || is_near(when, bytes))
		return r;
	free(model->name);
	model->name = mem_strdup(when->otherwise);
	return model->name ? read_config(model, why) : -ENOMEM;
}

static int read_file(struct keras_model *model, struct refusal *why)
{
	struct hdf5_source from;
	int r = stage_repo_open(model->repo, model->index, &model->blob);

	if (r < 0)
		return r;
	model->reader = (struct hdf5_blob){ model->blob,
					    model->repo->deadline_ns };
	from = hdf5_blob_source(&model->reader);
	r = hdf5_open(&model->file, &from, why);
	return r < 0 ? r : hdf5_root_read(&model->file, &model->root);
}

static bool find_weights(const struct stage_repo *repo,
			 const struct json *facts, size_t *index)
{
	const char *name = json_string(json_get(facts, "weights"));

	return stage_repo_find(repo, name ? name : WEIGHTS_NAME, index);
}

/* Into the zeroed @out.  -ENOENT: there are no weights. */
static int model_open(const struct stage_repo *repo, struct keras_model *out,
		      struct refusal *why)
{
	auto_json struct json_doc *facts = NULL;
	const char *name;
	int r = stage_repo_facts(repo, &facts);

	out->repo = repo;
	if (r < 0)
		return r;
	name = json_string(json_get(json_root(facts), "config"));
	if (!name || !find_weights(repo, json_root(facts), &out->index))
		return -ENOENT;
	out->name = mem_strdup(name);
	if (!out->name)
		return -ENOMEM;
	r = share_path("skeletons", &out->skeletons);
	if (r == 0)
		r = read_config(out, why);
	if (r == 0)
		r = read_file(out, why);
	return r < 0 ? r : choose_graph(out, json_root(facts), why);
}

/* Where the file's names would not do, under those of the graph. */
static int compose(struct keras_model *model, bool foresee, struct plan **out,
		   struct refusal *why)
{
	auto_h5_layers struct h5_layers layers = { 0 };
	struct h5_full full = {
		.root = &model->root,
		.path = model->repo->files[model->index].path,
		.model_config = model->config.text,
		.model_config_len = model->config.len,
		.keras_version = model->root.keras_version,
		.backend = model->root.backend,
	};
	char slash = model->config.slash;
	int r = h5_check_layers(model->config.text, model->config.len,
				&model->root.layers, slash, why);

	if (r == 0 && slash) {
		r = foresee ? h5_layers_foresee(&model->root, slash, &layers)
			    : h5_layers_find(&model->file, &model->root, slash,
					     &layers);
		full.layers = &layers;
	}
	if (r == 0)
		r = h5_compose(&full, out, why);
	if (r == 0 && slash && foresee)
		(*out)->digest[0] = '\0';
	return r;
}

/* The whole model; layers under new names are looked up when it is opened. */
static int add_h5(const struct keras_model *model, struct plan *plan,
		  struct stage_listing *out)
{
	uint64_t size = plan->size;

	if (plan->digest[0])
		return stage_listing_add_plan(out, H5_NAME, model->repo, plan);
	plan_free(plan);
	return stage_listing_add_deferred(out, "", H5_NAME, model->repo, size);
}

/* What info.json says is of the whole model, its ports from the skeleton. */
static int add_info(const struct keras_model *model, const char *how,
		    struct staged_model *staged, struct stage_listing *out)
{
	auto_free char *text_how = mem_printf("%s %s", how, model->name);
	auto_str struct str text;
	int r = text_how ? 0 : -ENOMEM;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	if (r == 0)
		r = info_of_staged(model->repo, text_how, NULL, staged, &text);
	return r < 0 ? r : stage_listing_add_text(out, "info.json", &text);
}

/* The ONNX file of one form, foreseen; *@out NULL: it is refused. */
static int add_onnx(const struct keras_model *model, const char *dir,
		    enum stage_form form, struct stage_listing *listing,
		    struct staged_model **out, struct refusal *why)
{
	struct skeleton_dirs dirs = dirs_of(model);
	const struct stage_repo *repo = model->repo;
	int r = keras_onnx_foresee(&dirs, &model->config,
				   repo->files[model->index].path,
				   model->blob->size, form, out, why);

	if (r < 0)
		return r;
	if ((*out)->data)
		return refuse(why, "too-large", NULL,
			      "the model is past 2 GiB");
	return stage_listing_add_deferred(listing, dir, ONNX_NAME, repo,
					  (*out)->onnx->size);
}

static int add_root(struct keras_model *model, struct stage_listing *out,
		    struct refusal *why)
{
	auto_staged_model struct staged_model *staged = NULL;
	auto_plan struct plan *plan = NULL;
	auto_refusal struct refusal onnx = { 0 };
	int r = compose(model, true, &plan, why);

	if (r < 0)
		return r;
	r = add_onnx(model, "", model->repo->form, out, &staged, &onnx);
	if (r == 0)
		r = stage_listing_add_dir(out, DL4J_NAME);
	else if (r == -EBADMSG)
		r = status_add_refusal(out, &onnx);
	if (r == 0 && !staged)
		staged = mem_zalloc(sizeof(*staged));
	if (r < 0 || !staged)
		return r < 0 ? r : -ENOMEM;
	plan_free(staged->onnx);
	staged->onnx = take_ptr(plan);
	r = add_info(model, "model_config", staged, out);
	return r < 0 ? r : add_h5(model, take_ptr(staged->onnx), out);
}

static int add_dl4j(struct keras_model *model, struct stage_listing *out,
		    struct refusal *why)
{
	auto_staged_model struct staged_model *staged = NULL;
	int r = add_onnx(model, DL4J_NAME, STAGE_FORM_DL4J, out, &staged, why);

	return r < 0 ? r : add_info(model, "skeleton", staged, out);
}

static bool is_instant(const struct stage_repo *repo, const char *dir)
{
	(void)repo;
	(void)dir;
	return false;
}

static int list(const struct stage_repo *repo, const char *dir,
		struct stage_listing *out)
{
	auto_keras_model struct keras_model model = { 0 };
	auto_refusal struct refusal why = { 0 };
	int r;

	if (*dir && strcmp(dir, DL4J_NAME) != 0)
		return -ENOENT;
	r = model_open(repo, &model, &why);
	if (r == -ENOENT)
		return *dir ? r : 0;
	if (r == 0)
		r = *dir ? add_dl4j(&model, out, &why)
			 : add_root(&model, out, &why);
	return r == -EBADMSG ? status_add_refusal(out, &why) : r;
}

/* Now all headers are read. */
static int plan_file(const struct stage_repo *repo, const char *path,
		     struct plan **out)
{
	auto_keras_model struct keras_model model = { 0 };
	auto_staged_model struct staged_model *staged = NULL;
	auto_refusal struct refusal why = { 0 };
	bool dl4j = strcmp(path, DL4J_NAME "/" ONNX_NAME) == 0;
	struct skeleton_dirs dirs;
	int r = model_open(repo, &model, &why);

	if (r < 0)
		return r;
	if (strcmp(path, H5_NAME) == 0)
		return compose(&model, false, out, &why);
	dirs = dirs_of(&model);
	r = keras_onnx_stage(&dirs, &model.config, repo, model.index,
			     dl4j ? STAGE_FORM_DL4J : repo->form, &staged,
			     &why);
	if (r == 0)
		*out = take_ptr(staged->onnx);
	return r;
}

const struct stager stager_keras = {
	.kind = "keras",
	.is_instant = is_instant,
	.list = list,
	.plan = plan_file,
};
