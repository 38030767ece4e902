/* SPDX-License-Identifier: MIT */
#include "staging/view_timm.h"

#include <errno.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "staging/json_write.h"
#include "staging/preprocessing.h"
#include "staging/view_skeleton.h"
#include "staging/weights/weights_open.h"

static const struct json *config_of(const struct checkpoint *checkpoint)
{
	return checkpoint->config ? json_root(checkpoint->config) : NULL;
}

bool view_timm_is(const struct checkpoint *checkpoint)
{
	const struct json *config = config_of(checkpoint);

	return json_string(json_get(config, "architecture")) &&
	       !json_get(config, "model_type");
}

/* What info.json says beside the graph. */
static int write_facts(const struct json *config, struct str *out)
{
	struct json_write json;

	json_write_init(&json, out);
	json_write_open(&json, NULL, '{');
	json_write_text(&json, "architecture",
			json_string(json_get(config, "architecture")));
	preprocessing_of_timm(&json, config);
	json_write_close(&json, '}');
	return json_write_end(&json);
}

int view_timm(const struct stage_repo *repo,
	      const struct checkpoint *checkpoint, const char *below,
	      struct stage_listing *out)
{
	const struct json *config = config_of(checkpoint);
	auto_free char *skeleton = mem_printf(
		"timm/%s", json_string(json_get(config, "architecture")));
	struct skeleton_place place = {
		.holder = repo,
		.skeleton = skeleton,
		.onnx_only = true,
	};
	struct stage_repo told = *repo;
	auto_str struct str facts;
	int r;

	str_init(&facts, STAGE_INFO_BYTES_MAX);
	if (!skeleton)
		return -ENOMEM;
	if (!weights_pick(repo, FRAMEWORK_PYTORCH, &place.weights))
		return -ENOENT;
	r = write_facts(config, &facts);
	told.facts = str_text(&facts);
	return r < 0 ? r : view_skeleton(&told, &place, below, out);
}
