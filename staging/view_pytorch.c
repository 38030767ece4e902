/* SPDX-License-Identifier: MIT */
#include "staging/view_pytorch.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "staging/checkpoint.h"
#include "staging/info.h"
#include "staging/models.h"
#include "staging/stage_listing.h"
#include "staging/view_timm.h"

#define DL4J_NAME "dl4j"

/* One directory: which task, and whether it is the dl4j/ in it. */
struct place {
	enum model_task task;
	bool is_dl4j;
};

/* "", "dl4j", "<task>", "<task>/dl4j"; -ENOENT. */
static int place_parse(const char *below, struct place *out)
{
	const char *slash = strchr(below, '/');
	auto_free char *first = mem_strndup(
		below, slash ? (size_t)(slash - below) : strlen(below));
	int r = 0;

	if (!first)
		return -ENOMEM;
	*out = (struct place){ .task = TASK_FEATURES };
	if (slash || (below[0] && strcmp(below, DL4J_NAME) != 0)) {
		r = task_parse(first, &out->task);
		if (r == 0 && out->task == TASK_FEATURES)
			r = -ENOENT;
		below = slash ? slash + 1 : "";
	}
	if (r == 0 && (slash || below[0]) && strcmp(below, DL4J_NAME) != 0)
		r = -ENOENT;
	out->is_dl4j = below[0] != '\0';
	return r;
}

static int add_status(const struct stage_repo *repo,
		      const struct checkpoint *checkpoint, enum model_task task,
		      const struct refusal *why, struct stage_listing *out)
{
	auto_str struct str text;
	int r;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	r = info_of_refusal(repo, why, checkpoint_model_type(checkpoint),
			    task_name(task), &text);
	return r < 0 ? r : stage_listing_add_text(out, "staged.status", &text);
}

static int add_model(const struct stage_repo *repo,
		     const struct checkpoint *checkpoint, enum model_task task,
		     enum stage_form form, struct staged_model *model,
		     struct stage_listing *out)
{
	auto_str struct str text;
	int r;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	r = info_of_model(repo, checkpoint, task, form, model, &text);
	if (r == 0)
		r = stage_listing_add_text(out, "info.json", &text);
	if (r == 0)
		r = stage_listing_add_plan(out, "staged.onnx", repo,
					   take_ptr(model->onnx));
	if (r == 0 && model->data)
		r = stage_listing_add_plan(out, "staged.onnx.data", repo,
					   take_ptr(model->data));
	return r;
}

/* The files of one form of one task.  *@staged: it was not refused. */
static int add_form(const struct stage_repo *repo,
		    const struct checkpoint *checkpoint, enum model_task task,
		    enum stage_form form, struct stage_listing *out,
		    bool *staged)
{
	auto_staged_model struct staged_model *model = NULL;
	auto_refusal struct refusal why = { 0 };
	int r = models_stage(json_root(checkpoint->config), checkpoint->weights,
			     task, form, &model, &why);

	*staged = r == 0;
	if (r == -EFBIG)
		r = refuse(&why, "too-large", NULL,
			   "the model is past a limit of this program");
	if (r == -EBADMSG)
		return add_status(repo, checkpoint, task, &why, out);
	if (r < 0)
		return r;
	return add_model(repo, checkpoint, task, form, model, out);
}

static int add_tasks(unsigned int tasks, struct stage_listing *out)
{
	int r = 0;

	for (unsigned int task = 0; r == 0 && task < TASK_COUNT; task++)
		if (task != TASK_FEATURES && (tasks & 1u << task))
			r = stage_listing_add_dir(out, task_name(task));
	return r;
}

static bool is_staged(const struct checkpoint *checkpoint, enum model_task task,
		      enum stage_form form)
{
	auto_staged_model struct staged_model *model = NULL;

	return models_stage(json_root(checkpoint->config), checkpoint->weights,
			    task, form, &model, NULL) == 0;
}

/* It is there only where the form above it is staged. */
static int list_dl4j(const struct stage_repo *repo,
		     const struct checkpoint *checkpoint, enum model_task task,
		     struct stage_listing *out)
{
	bool staged;
	int r = add_form(repo, checkpoint, task, STAGE_FORM_DL4J, out, &staged);

	if (r < 0 || staged)
		return r;
	return is_staged(checkpoint, task, repo->form) ? 0 : -ENOENT;
}

static int list_task(const struct stage_repo *repo,
		     const struct checkpoint *checkpoint, enum model_task task,
		     struct stage_listing *out)
{
	bool staged;
	int r = add_form(repo, checkpoint, task, repo->form, out, &staged);

	return r == 0 && staged ? stage_listing_add_dir(out, DL4J_NAME) : r;
}

static int list_place(const struct stage_repo *repo,
		      const struct checkpoint *checkpoint,
		      const struct place *place, struct stage_listing *out)
{
	unsigned int tasks = models_tasks(json_root(checkpoint->config),
					  checkpoint->weights);
	int r;

	if (place->task != TASK_FEATURES && !(tasks & 1u << place->task))
		return -ENOENT;
	if (place->is_dl4j)
		return list_dl4j(repo, checkpoint, place->task, out);
	r = list_task(repo, checkpoint, place->task, out);
	if (r == 0 && place->task == TASK_FEATURES)
		r = add_tasks(tasks, out);
	return r;
}

int view_pytorch(const struct stage_repo *repo, const char *below,
		 struct stage_listing *out)
{
	auto_checkpoint struct checkpoint checkpoint = { 0 };
	auto_refusal struct refusal why = { 0 };
	struct place place;
	int r;

	if (!checkpoint_exists(repo))
		return -ENOENT;
	r = place_parse(below, &place);
	if (r == 0)
		r = checkpoint_open(repo, &checkpoint, &why);
	if (r == 0 && view_timm_is(&checkpoint))
		return view_timm(repo, &checkpoint, below, out);
	if (r == 0)
		return list_place(repo, &checkpoint, &place, out);
	if (r != -EBADMSG)
		return r;
	if (place.task != TASK_FEATURES || place.is_dl4j)
		return -ENOENT;
	return add_status(repo, &checkpoint, place.task, &why, out);
}
