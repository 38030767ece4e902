/* SPDX-License-Identifier: MIT */
/*
 * providers/huggingface_alias.h - short names that people say.
 *
 * Each is shown as a symlink to the model it means.  Ids of one part that
 * the hub itself knows of old ("bert-base-uncased") need no entry: the hub
 * redirects them.
 */
#ifndef PROVIDERS_HUGGINGFACE_ALIAS_H
#define PROVIDERS_HUGGINGFACE_ALIAS_H

#include <stddef.h>

struct hf_alias {
	const char *name;
	const char *id; /* "org/model" */
};

/* Sorted by name. */
size_t hf_alias_count(void);
const struct hf_alias *hf_alias_at(size_t index);

/* The id that @name means, or NULL. */
const char *hf_alias_find(const char *name);

#endif
