/* SPDX-License-Identifier: MIT */
#include "staging/staging.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/deferred.h"
#include "staging/external/external_view.h"
#include "staging/plan.h"
#include "staging/info.h"
#include "staging/json_write.h"
#include "staging/stage_listing.h"
#include "staging/stager.h"

/*
 * Part of every key in the memo: raised whenever what is staged of the same
 * files changes, or is refused no longer.
 */
#define STAGE_VERSION 6

/* "+" and 16 digits. */
#define STAMP_BYTES 18

/*
 * Of the user's skeletons: what was refused for want of one is not when it
 * has come.  Names, sizes and times, in any order.
 */
static uint64_t skeletons_stamp(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	uint64_t stamp = 0;
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		int64_t facts[3];

		if (fstatat(dirfd(dir), entry->d_name, &st, 0) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		facts[0] = st.st_size;
		facts[1] = st.st_mtim.tv_sec;
		facts[2] = st.st_mtim.tv_nsec;
		stamp ^= xxh3_64_seed(entry->d_name, strlen(entry->d_name),
				      xxh3_64(facts, sizeof(facts)));
	}
	if (dir)
		closedir(dir);
	return stamp;
}

static char *memo_key(const struct stage_repo *repo, const char *dir)
{
	uint64_t own = repo->skeletons ? skeletons_stamp(repo->skeletons) : 0;
	char text[STAMP_BYTES] = "";

	if (repo->skeletons)
		snprintf(text, sizeof(text), "+%016" PRIx64, own);
	return mem_printf("stage/%d/%s:%s@%s/%s,%s%s/%s", STAGE_VERSION,
			  repo->kind ? repo->kind : "huggingface", repo->id,
			  repo->revision, form_name(repo->form),
			  profile_name(repo->profile), text, dir);
}

static int recall(const struct stage_repo *repo, const char *key,
		  struct stage_listing *out)
{
	auto_str struct str value;
	int r;

	str_init(&value, STAGE_MEMO_BYTES_MAX);
	r = memo_get(repo->memo, key, &value, NULL);
	if (r < 0)
		return r;
	return listing_decode(repo, str_text(&value), value.len, out);
}

static void remember(const struct stage_repo *repo, const char *key,
		     const struct stage_listing *listing)
{
	auto_str struct str value;

	str_init(&value, STAGE_MEMO_BYTES_MAX);
	if (repo->memo && listing_encode(listing, &value) == 0)
		memo_put(repo->memo, key, str_text(&value), value.len);
}

/* What needs headers: out of the memo, or made and kept there. */
static int list_kept(const struct stager *stager, const struct stage_repo *repo,
		     const char *dir, struct stage_listing *out)
{
	auto_stage_listing struct stage_listing listing = { 0 };
	auto_free char *key = memo_key(repo, dir);
	int r;

	if (!key)
		return -ENOMEM;
	if (recall(repo, key, out) == 0)
		return 0;
	if (repo->deadline_ns == DEADLINE_NOW)
		return -EINPROGRESS;
	r = stager->list(repo, dir, &listing);
	if (r < 0)
		return r;
	stage_listing_sort(&listing);
	if (!listing.moving)
		remember(repo, key, &listing);
	*out = listing;
	listing = (struct stage_listing){ 0 };
	return 0;
}

int stage_list_native(const struct stage_repo *repo, const char *dir,
		      struct stage_listing *out)
{
	auto_stage_listing struct stage_listing listing = { 0 };
	const struct stager *stager = stager_of(repo);
	int r;

	if (!stager)
		return *dir ? -ENOENT : 0;
	if (!stager->is_instant(repo, dir))
		return list_kept(stager, repo, dir, out);
	r = stager->list(repo, dir, &listing);
	if (r < 0)
		return r;
	stage_listing_sort(&listing);
	*out = listing;
	listing = (struct stage_listing){ 0 };
	return 0;
}

int stage_list(const struct stage_repo *repo, const char *dir,
	       struct stage_listing *out)
{
	auto_stage_listing struct stage_listing listing = { 0 };
	int r = stage_list_native(repo, dir, &listing);

	if (repo->converter && (r == 0 || r == -ENOENT)) {
		r = external_list(repo, dir, r, &listing);
		stage_listing_sort(&listing);
	}
	if (r < 0)
		return r;
	*out = listing;
	listing = (struct stage_listing){ 0 };
	return 0;
}

static void write_segment(struct json_write *json,
			  const struct segment *segment)
{
	static const char *const kinds[] = { "bytes", "zero", "copy",
					     "bf16_f32", "f16_f32" };

	json_write_open(json, NULL, '{');
	json_write_text(json, "kind", kinds[segment->kind]);
	json_write_u64(json, "out", segment->out);
	json_write_u64(json, "len", segment->len);
	if (segment->kind != SEGMENT_BYTES && segment->kind != SEGMENT_ZERO) {
		json_write_u64(json, "source", segment->source);
		json_write_u64(json, "src", segment->src);
	}
	json_write_close(json, '}');
}

static int write_plan(const struct plan *plan, struct str *out)
{
	struct json_write json;

	json_write_init(&json, out);
	json_write_open(&json, NULL, '{');
	json_write_u64(&json, "size", plan->size);
	json_write_u64(&json, "generated_bytes", plan->byte_count);
	json_write_text(&json, "digest", plan->digest);
	json_write_open(&json, "sources", '[');
	for (size_t i = 0; i < plan->source_count; i++) {
		json_write_open(&json, NULL, '{');
		json_write_text(&json, "path", plan->sources[i].path);
		json_write_u64(&json, "size", plan->sources[i].size);
		json_write_close(&json, '}');
	}
	json_write_close(&json, ']');
	json_write_open(&json, "segments", '[');
	for (size_t i = 0; i < plan->segment_count; i++)
		write_segment(&json, &plan->segments[i]);
	json_write_close(&json, ']');
	json_write_close(&json, '}');
	return json_write_end(&json);
}

int stage_plan_json(const struct stage_entry *entry, uint64_t deadline_ns,
		    struct str *out)
{
	const struct plan *plan;
	int r;

	if (!entry->content)
		return -ENOENT;
	r = content_prepare(entry->content, deadline_ns);
	if (r < 0)
		return r;
	plan = deferred_path(entry->content) ? deferred_plan(entry->content)
					     : content_plan(entry->content);
	return plan ? write_plan(plan, out) : -ENOENT;
}
