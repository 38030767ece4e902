/* SPDX-License-Identifier: MIT */
/*
 * providers/hf_cache_layout.h - downloads of Hugging Face's own clients.
 *
 * Read only, and never trusted to stay: everything is looked up when
 * asked.  The layout below the folder, as huggingface_hub writes it
 * (https://huggingface.co/docs/huggingface_hub/guides/manage-cache):
 *
 *	models--org--name/refs/<revision>	the commit, as text
 *	models--org--name/snapshots/<commit>/	links, or plain files
 *	models--org--name/blobs/<digest>	SHA-256, or git's SHA-1
 *	models--org--name/trees/<commit>.json	a listing, in newer ones
 */
#ifndef PROVIDERS_HF_CACHE_LAYOUT_H
#define PROVIDERS_HF_CACHE_LAYOUT_H

#include "base/annot.h"
#include "providers/local_file.h"
#include "providers/provider.h"

/*
 * The true path of $HF_HUB_CACHE, $HUGGINGFACE_HUB_CACHE, $HF_HOME/hub,
 * $XDG_CACHE_HOME/huggingface/hub or ~/.cache/huggingface/hub, whichever
 * is set first; caller frees.  -ENOENT: there is no such folder.
 */
int hf_cache_root(char **out) MUST_CHECK;

/* "models--org--name".  NULL: no memory. */
char *hf_cache_model_name(const char *id) MUST_CHECK;

/* "org/name" of "models--org--name"; caller frees.  -ENOENT; -ENOMEM. */
int hf_cache_model_id(const char *name, char **out) MUST_CHECK;

/*
 * What is there of model @id at @revision (decoded; a commit stands for
 * itself).  Not every file of the model need be.  -ENOENT: nothing is.
 */
int hf_cache_repo_open(const char *root, const char *id, const char *revision,
		       struct repo **out) MUST_CHECK;

/*
 * The blob of @digest and @size, downloaded for @id: where it is below
 * @root (caller frees) and its stamp.  -ENOENT.
 */
int hf_cache_blob_find(const char *root, const char *id,
		       const struct digest *digest, uint64_t size, char **where,
		       struct local_stamp *stamp) MUST_CHECK;

#endif
