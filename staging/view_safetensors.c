/* SPDX-License-Identifier: MIT */
#include "staging/view_safetensors.h"

#include <errno.h>

#include "base/limits.h"
#include "base/str.h"
#include "staging/checkpoint.h"
#include "staging/info.h"
#include "staging/stage_listing.h"
#include "staging/stage_status.h"

static int add_files(const struct stage_repo *repo,
		     struct safetensors_view *view, struct stage_listing *out)
{
	auto_str struct str text;
	int r;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	r = info_of_safetensors(repo, view, &text);
	if (r == 0)
		r = stage_listing_add_text(out, "info.json", &text);
	if (r < 0)
		return r;
	return stage_listing_add_plan(out, "model.safetensors", repo,
				      take_ptr(view->plan));
}

int view_safetensors_of(const struct stage_repo *repo,
			const struct weights *weights,
			struct stage_listing *out)
{
	auto_safetensors_view struct safetensors_view view = { 0 };
	auto_refusal struct refusal why = { 0 };
	int r = safetensors_compose(weights, &view, &why);

	if (r == 0)
		return add_files(repo, &view, out);
	return r == -EBADMSG ? status_add_refusal(out, &why) : r;
}

int view_safetensors(const struct stage_repo *repo, struct stage_listing *out)
{
	auto_checkpoint struct checkpoint checkpoint = { 0 };
	auto_refusal struct refusal why = { 0 };
	int r = checkpoint_open_weights(repo, FRAMEWORK_PYTORCH, &checkpoint,
					&why);

	if (r == 0)
		return view_safetensors_of(repo, checkpoint.weights, out);
	return r == -EBADMSG ? status_add_refusal(out, &why) : r;
}
