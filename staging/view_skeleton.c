/* SPDX-License-Identifier: MIT */
#include "staging/view_skeleton.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/share.h"
#include "staging/info.h"
#include "staging/refusal.h"
#include "staging/skeletons/skeleton_store.h"
#include "staging/stage_listing.h"
#include "staging/stage_repo.h"
#include "staging/stage_status.h"
#include "staging/view_safetensors.h"
#include "staging/weights/weights_open.h"

#define DL4J_NAME "dl4j"
#define SAFETENSORS_NAME "safetensors"

static int add_model(const struct stage_repo *repo, const char *skeleton,
		     enum stage_form form, struct staged_model *model,
		     struct stage_listing *out)
{
	auto_free char *how = mem_printf("skeleton %s", skeleton);
	auto_str struct str text;
	int r = how ? 0 : -ENOMEM;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	if (r == 0)
		r = info_of_staged(repo, how, form_name(form), model, &text);
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

/* -EBADMSG: refused, @why says so. */
static int stage(const struct stage_repo *repo, const char *skeleton,
		 const struct weights *weights, enum stage_form form,
		 struct staged_model **out, struct refusal *why)
{
	const char *slash = skeleton ? strchr(skeleton, '/') : NULL;
	auto_free char *share = NULL, *set = NULL;
	struct skeleton_dirs dirs;
	int r;

	if (!slash && (!skeleton || !repo->skeletons))
		return refuse(why, "no-skeleton", skeleton,
			      "the graph of this architecture is not known");
	r = share_path("skeletons", &share);
	if (r < 0)
		return r;
	set = slash ? mem_strndup(skeleton, (size_t)(slash - skeleton))
		    : mem_strdup("your own");
	if (!set)
		return -ENOMEM;
	dirs = (struct skeleton_dirs){ slash ? share : NULL, repo->skeletons };
	r = skeleton_stage(&dirs, set, slash ? slash + 1 : skeleton, weights,
			   form, out, why);
	if (r == -EFBIG)
		return refuse(why, "too-large", NULL,
			      "the model is past a limit of this program");
	return r;
}

static int add_form(const struct stage_repo *repo,
		    const struct skeleton_place *place,
		    const struct weights *weights, enum stage_form form,
		    struct stage_listing *out)
{
	auto_staged_model struct staged_model *model = NULL;
	auto_refusal struct refusal why = { 0 };
	int r = stage(repo, place->skeleton, weights, form, &model, &why);

	if (r == 0)
		r = add_model(repo, place->skeleton, form, model, out);
	return r == -EBADMSG ? status_add_refusal(out, &why) : r;
}

static bool has_safetensors_view(const struct skeleton_place *place,
				 const struct weights *weights)
{
	return !place->onnx_only && strcmp(weights->format, "safetensors") != 0;
}

static int add_root(const struct stage_repo *repo,
		    const struct skeleton_place *place,
		    const struct weights *weights, struct stage_listing *out)
{
	int r = add_form(repo, place, weights, repo->form, out);

	if (r == 0 && stage_listing_find(out, "staged.onnx"))
		r = stage_listing_add_dir(out, DL4J_NAME);
	if (r == 0 && has_safetensors_view(place, weights))
		r = stage_listing_add_dir(out, SAFETENSORS_NAME);
	return r;
}

static int add_place(const struct stage_repo *repo,
		     const struct skeleton_place *place,
		     const struct weights *weights, const char *dir,
		     struct stage_listing *out)
{
	if (!*dir)
		return add_root(repo, place, weights, out);
	if (strcmp(dir, DL4J_NAME) == 0)
		return add_form(repo, place, weights, STAGE_FORM_DL4J, out);
	if (strcmp(dir, SAFETENSORS_NAME) == 0 &&
	    has_safetensors_view(place, weights))
		return view_safetensors_of(repo, weights, out);
	return -ENOENT;
}

int view_skeleton(const struct stage_repo *repo,
		  const struct skeleton_place *place, const char *dir,
		  struct stage_listing *out)
{
	auto_weights struct weights *weights = NULL;
	auto_refusal struct refusal why = { 0 };
	int r = weights_open_file(place->holder, place->weights, &weights,
				  &why);

	if (r == 0)
		return add_place(repo, place, weights, dir, out);
	if (r != -EBADMSG)
		return r;
	return *dir ? -ENOENT : status_add_refusal(out, &why);
}
