/* SPDX-License-Identifier: MIT */
#include "staging/stage_status.h"

#include <errno.h>

#include "base/limits.h"
#include "base/str.h"
#include "staging/archive/archive.h"
#include "staging/info.h"
#include "staging/json_write.h"
#include "staging/stage_listing.h"
#include "staging/stage_repo.h"

#define STATUS_NAME "staged.status"

int status_add_refusal(struct stage_listing *out, const struct refusal *why)
{
	auto_str struct str text;
	int r;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	r = info_of_refusal(why, NULL, NULL, &text);
	return r < 0 ? r : stage_listing_add_text(out, STATUS_NAME, &text);
}

static int write_job(const struct stage_repo *repo, size_t index,
		     struct str *out)
{
	auto_blob struct blob *blob = NULL;
	uint64_t done = 0, total = repo->files[index].size;
	struct json_write json;
	int r = stage_repo_open(repo, index, &blob);

	if (r < 0)
		return r;
	r = archive_progress(repo->jobs, &blob->key, &done, &total);
	if (r < 0)
		return r == -ENOENT ? -ETIMEDOUT : r; /* none goes on */
	json_write_init(&json, out);
	json_write_open(&json, NULL, '{');
	json_write_text(&json, "state", "unpacking");
	json_write_text(&json, "file", repo->files[index].path);
	json_write_u64(&json, "done", done);
	json_write_u64(&json, "total", total);
	json_write_close(&json, '}');
	json_write_newline(&json);
	return json_write_end(&json);
}

int status_add_job(struct stage_listing *out, const struct stage_repo *repo,
		   size_t index)
{
	auto_str struct str text;
	int r;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	r = write_job(repo, index, &text);
	if (r == 0)
		r = stage_listing_add_text(out, STATUS_NAME, &text);
	if (r == 0)
		out->moving = true;
	return r;
}
