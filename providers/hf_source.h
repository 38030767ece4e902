/* SPDX-License-Identifier: MIT */
/*
 * providers/hf_source.h - the bytes of a hub's file: a download of old
 * where there is one, else the network, else neither.
 */
#ifndef PROVIDERS_HF_SOURCE_H
#define PROVIDERS_HF_SOURCE_H

#include "base/annot.h"
#include "base/source.h"
#include "providers/local_file.h"

struct hf_source_spec {
	const char *cache_root; /* hf_cache_root(), or NULL */
	const char *id;
	uint64_t size;
	struct digest digest;
	struct content_key key;
	const char *label;
};

/*
 * Takes @network (NULL: offline; what is not cached is -ENETUNREACH), also
 * on failure.  Copies all of @spec.
 */
int hf_source_new(const struct hf_source_spec *spec, struct source *network,
		  struct source **out) MUST_CHECK;

/*
 * The same of one file @where below .cache_root, which is that of @stamp;
 * NULL: there is none.
 */
int downloaded_source_new(const struct hf_source_spec *spec, const char *where,
			  const struct local_stamp *stamp,
			  struct source *network,
			  struct source **out) MUST_CHECK;

#endif
