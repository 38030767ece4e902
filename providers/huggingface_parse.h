/* SPDX-License-Identifier: MIT */
/*
 * providers/huggingface_parse.h - the answers of the Hugging Face API.
 *
 * Pure: bytes to structs.  Facts are those of the hub's published API
 * (https://huggingface.co/docs/hub/api) and of its own clients' source.
 * Unknown fields are ignored; a wrong type counts as a missing field.
 *
 * -EBADMSG: not strict JSON, or not of that shape; -EFBIG: over a limit.
 */
#ifndef PROVIDERS_HUGGINGFACE_PARSE_H
#define PROVIDERS_HUGGINGFACE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "providers/provider.h"
#include "providers/repo_files.h"

/* GET /api/models/{repo}/revision/{rev}: what is kept of it. */
struct hf_model {
	char *id;		 /* canonical, of good grammar */
	char *sha;		 /* the commit, 40 hex */
	char *licence;		 /* or NULL */
	char *pipeline_tag;	 /* or NULL */
	int64_t modified_wall_s; /* 0: unknown; never after @now */
	bool gated;
	bool private; /* also where it is not said */
};

/* @out is zeroed before.  @now_wall_s: dates end a day after it. */
int hf_model_parse(const void *bytes, size_t len, int64_t now_wall_s,
		   struct hf_model *out) MUST_CHECK;
void hf_model_release(struct hf_model *model);
DEFINE_AUTO(hf_model, struct hf_model, hf_model_release)
#define auto_hf_model auto_of(hf_model)

/*
 * A page of GET /api/models/{repo}/tree/{sha}?recursive=true, added to
 * @files.  Sizes are lfs.size, else size; digests lfs.oid (SHA-256), else
 * oid (git's SHA-1).  An entry with no exact size is hidden.
 */
int hf_tree_parse(const void *bytes, size_t len,
		  struct repo_files *files) MUST_CHECK;

/*
 * $HF_HUB_CACHE/models--org--name/trees/{commit}.json, added likewise:
 * {"format_version":1,"files":{path:{"size","blob_id","lfs_sha256",...}}}.
 */
int hf_cached_tree_parse(const void *bytes, size_t len,
			 struct repo_files *files) MUST_CHECK;

/*
 * A page of GET /api/models?...: gives each id of good grammar and two
 * parts to @each, in the hub's order; an error of it ends the walk.
 */
int hf_list_parse(const void *bytes, size_t len,
		  int (*each)(void *arg, const char *id), void *arg) MUST_CHECK;

/*
 * What a failed call says, by X-Error-Code first.  @r is the transport's
 * errno, which stays where the hub says nothing; @code and @message may be
 * NULL.  An anonymous 401 without a code hides whether there is such a
 * model: -ENOENT.
 */
int hf_errno(int r, long status, const char *code, const char *message);

#endif
