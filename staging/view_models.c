/* SPDX-License-Identifier: MIT */
#include "staging/view_models.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "staging/checkpoint.h"
#include "staging/info.h"
#include "staging/models.h"
#include "staging/stage_listing.h"
#include "staging/view_timm.h"

/* The folders within a task's that hold the same graph otherwise. */
static const struct variant {
	const char *name;
	enum stage_form form;
	enum stage_profile profile;
} variants[] = {
	{ "dl4j", STAGE_FORM_DL4J, STAGE_PROFILE_PORTABLE },
	{ "native", STAGE_FORM_PLAIN, STAGE_PROFILE_NATIVE },
	{ "portable", STAGE_FORM_PLAIN, STAGE_PROFILE_PORTABLE },
};

/* One directory. */
struct place {
	enum model_task task;
	enum model_format format;
	const struct variant *variant; /* NULL: the task's own */
};

static const struct variant *variant_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(variants); i++)
		if (strcmp(variants[i].name, name) == 0)
			return &variants[i];
	return NULL;
}

/* "", "<variant>", "<task>", "<task>/<variant>"; -ENOENT. */
static int place_parse(const char *below, enum model_format format,
		       struct place *out)
{
	const char *slash = strchr(below, '/');
	auto_free char *first = mem_strndup(
		below, slash ? (size_t)(slash - below) : strlen(below));
	int r;

	if (!first)
		return -ENOMEM;
	*out = (struct place){ .task = TASK_FEATURES, .format = format };
	if (!*below)
		return 0;
	out->variant = slash ? NULL : variant_find(first);
	if (out->variant)
		return 0;
	r = task_parse(first, &out->task);
	if (r < 0 || out->task == TASK_FEATURES)
		return -ENOENT;
	if (!slash)
		return 0;
	out->variant = variant_find(slash + 1);
	return out->variant ? 0 : -ENOENT;
}

static int add_status(const struct checkpoint *checkpoint, enum model_task task,
		      const struct refusal *why, struct stage_listing *out)
{
	auto_str struct str text;
	int r;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	r = info_of_refusal(why, checkpoint_model_type(checkpoint),
			    task_name(task), &text);
	return r < 0 ? r : stage_listing_add_text(out, "staged.status", &text);
}

/* The files of one view, by part. */
struct staged_view {
	struct staged_model *models[PART_COUNT]; /* owned; NULL: none */
};

static void staged_view_release(struct staged_view *staged)
{
	for (unsigned int i = 0; i < PART_COUNT; i++)
		staged_model_free(staged->models[i]);
}
DEFINE_AUTO(staged_view, struct staged_view, staged_view_release)

/* -EBADMSG: refused. */
static int stage_parts(const struct checkpoint *checkpoint,
		       const struct stage_view *view, struct staged_view *out,
		       struct refusal *why)
{
	struct model_request request = {
		.config = json_root(checkpoint->config),
		.weights = checkpoint->weights,
		.sentence = checkpoint->sentence,
		.task = view->task,
		.format = view->format,
		.form = view->form,
		.profile = view->profile,
	};
	bool has_parts = view->format == MODEL_ONNX &&
			 models_has_parts(request.config, view->task);
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < PART_COUNT; i++) {
		if (i != PART_WHOLE && !has_parts)
			break;
		request.part = (enum model_part)i;
		r = models_stage(&request, &out->models[i], why);
	}
	if (r == -EFBIG)
		r = refuse(why, "too-large", NULL,
			   "the model is past a limit of this program");
	return r;
}

static int add_part(const struct stage_repo *repo,
		    const struct stage_view *view, enum model_part part,
		    struct staged_model *model, struct stage_listing *out)
{
	char name[NAME_BYTES_MAX];
	int r = stage_listing_add_plan(out, model_file_name(view->format, part),
				       repo, take_ptr(model->onnx));

	if (r < 0 || !model->data)
		return r;
	snprintf(name, sizeof(name), "%s.data", part_name(part));
	return stage_listing_add_plan(out, name, repo, take_ptr(model->data));
}

static int add_view(const struct stage_repo *repo,
		    const struct checkpoint *checkpoint,
		    const struct stage_view *view, struct staged_view *staged,
		    struct stage_listing *out)
{
	auto_str struct str text;
	int r;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	r = info_of_model(repo, checkpoint, view, staged->models, &text);
	if (r == 0)
		r = stage_listing_add_text(out, "info.json", &text);
	for (unsigned int i = 0; r == 0 && i < PART_COUNT; i++)
		if (staged->models[i])
			r = add_part(repo, view, (enum model_part)i,
				     staged->models[i], out);
	return r;
}

/* *@is_staged: it was not refused. */
static int list_view(const struct stage_repo *repo,
		     const struct checkpoint *checkpoint,
		     const struct stage_view *view, struct stage_listing *out,
		     bool *is_staged)
{
	auto_of(staged_view) struct staged_view staged = { 0 };
	auto_refusal struct refusal why = { 0 };
	int r = stage_parts(checkpoint, view, &staged, &why);

	*is_staged = r == 0;
	if (r == -EBADMSG)
		return add_status(checkpoint, view->task, &why, out);
	return r < 0 ? r : add_view(repo, checkpoint, view, &staged, out);
}

static int add_tasks(unsigned int tasks, struct stage_listing *out)
{
	int r = 0;

	for (unsigned int task = 0; r == 0 && task < TASK_COUNT; task++)
		if (task != TASK_FEATURES && (tasks & 1u << task))
			r = stage_listing_add_dir(out, task_name(task));
	return r;
}

/* Whether there are weights for which the profiles differ. */
static bool has_halves(const struct weights *weights)
{
	for (size_t i = 0; i < weights->count; i++)
		if (weights->tensors[i].dtype == DTYPE_F16 ||
		    weights->tensors[i].dtype == DTYPE_BF16)
			return true;
	return false;
}

/*
 * The dl4j form is there always; of the profiles that of weights which are not
 * all float32, the one that is not the default.
 */
static bool has_variant(const struct stage_repo *repo,
			const struct checkpoint *checkpoint,
			const struct variant *variant)
{
	return variant->form == STAGE_FORM_DL4J ||
	       (variant->profile != repo->profile &&
		has_halves(checkpoint->weights));
}

static struct stage_view view_of(const struct stage_repo *repo,
				 const struct place *place)
{
	const struct variant *variant = place->variant;
	struct stage_view view = {
		.task = place->task,
		.format = place->format,
		.form = variant ? variant->form : repo->form,
		.profile = variant ? variant->profile : repo->profile,
	};

	if (view.form == STAGE_FORM_DL4J)
		view.profile = STAGE_PROFILE_PORTABLE;
	return view;
}

/* Its staged.status is there only where what is above it is staged. */
static int list_variant(const struct stage_repo *repo,
			const struct checkpoint *checkpoint,
			const struct place *place, struct stage_listing *out)
{
	const struct place above = { .task = place->task,
				     .format = place->format };
	auto_of(staged_view) struct staged_view staged = { 0 };
	struct stage_view view = view_of(repo, place);
	bool is_staged;
	int r;

	if (!has_variant(repo, checkpoint, place->variant))
		return -ENOENT;
	r = list_view(repo, checkpoint, &view, out, &is_staged);
	if (r < 0 || is_staged)
		return r;
	view = view_of(repo, &above);
	r = stage_parts(checkpoint, &view, &staged, NULL);
	return r == -EBADMSG ? -ENOENT : r;
}

static int list_task(const struct stage_repo *repo,
		     const struct checkpoint *checkpoint,
		     const struct place *place, struct stage_listing *out)
{
	const struct stage_view view = view_of(repo, place);
	bool is_staged;
	int r = list_view(repo, checkpoint, &view, out, &is_staged);

	for (size_t i = 0; r == 0 && is_staged && i < ARRAY_LEN(variants); i++)
		if (has_variant(repo, checkpoint, &variants[i]))
			r = stage_listing_add_dir(out, variants[i].name);
	return r;
}

static int list_place(const struct stage_repo *repo,
		      const struct checkpoint *checkpoint,
		      const struct place *place, struct stage_listing *out)
{
	unsigned int tasks = models_tasks(json_root(checkpoint->config),
					  checkpoint->weights,
					  checkpoint->sentence);
	int r;

	if (place->task != TASK_FEATURES && !(tasks & 1u << place->task))
		return -ENOENT;
	if (place->variant)
		return list_variant(repo, checkpoint, place, out);
	r = list_task(repo, checkpoint, place, out);
	if (r == 0 && place->task == TASK_FEATURES)
		r = add_tasks(tasks, out);
	return r;
}

/* timm's have ONNX graphs alone, and these of PyTorch's weights. */
static int list_timm(const struct stage_repo *repo,
		     const struct checkpoint *checkpoint,
		     const struct place *place, const char *below,
		     struct stage_listing *out)
{
	auto_refusal struct refusal why = { 0 };

	if (place->format == MODEL_ONNX)
		return view_timm(repo, checkpoint, below, out);
	if (place->task != TASK_FEATURES || place->variant)
		return -ENOENT;
	refuse(&why, "unsupported-architecture", "timm",
	       "models of timm are staged as ONNX alone");
	return add_status(checkpoint, place->task, &why, out);
}

int view_models(const struct stage_repo *repo, enum framework framework,
		enum model_format format, const char *below,
		struct stage_listing *out)
{
	auto_checkpoint struct checkpoint checkpoint = { 0 };
	auto_refusal struct refusal why = { 0 };
	struct place place;
	int r;

	if (!checkpoint_exists(repo, framework))
		return -ENOENT;
	r = place_parse(below, format, &place);
	if (r == 0)
		r = checkpoint_open(repo, framework, &checkpoint, &why);
	if (r == 0 && framework == FRAMEWORK_PYTORCH &&
	    view_timm_is(&checkpoint))
		return list_timm(repo, &checkpoint, &place, below, out);
	if (r == 0)
		return list_place(repo, &checkpoint, &place, out);
	if (r != -EBADMSG)
		return r;
	if (place.task != TASK_FEATURES || place.variant)
		return -ENOENT;
	return add_status(&checkpoint, place.task, &why, out);
}
