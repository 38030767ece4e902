/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/weights_open.h - the weights of a repository: which files
 * they are, and their headers, in as few small ranges as possible.
 */
#ifndef STAGING_WEIGHTS_WEIGHTS_OPEN_H
#define STAGING_WEIGHTS_WEIGHTS_OPEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"
#include "staging/refusal.h"
#include "staging/staging.h"
#include "staging/weights/weights.h"

/* What a format's load() works on. */
struct weights_load {
	struct weights *weights;
	unsigned int file; /* its number in @weights */
	struct blob *blob; /* the file; borrowed */
	uint64_t deadline_ns;
	struct refusal *why; /* filled where load() gives -EBADMSG */
};

/* Whose classes save weights in a form; a view of the hub is of one. */
enum framework { FRAMEWORK_PYTORCH, FRAMEWORK_TENSORFLOW, FRAMEWORK_JAX };

/* One way in which weights are stored; the table is in weights_open.c. */
struct weights_kind {
	enum framework framework;
	const char *path;   /* in the repository */
	const char *format; /* of struct weights */

	/* Adds the tensors of one file; see struct weights_load. */
	int (*load)(struct weights_load *load);
	enum weight_names names; /* in the file, where it does not say it */
	bool sharded;		 /* @path is an index of files */
};

/*
 * The kind that @repo's files of @framework are of, by the order in which
 * transformers looks for them; *@index is that of its file.  No request.
 * NULL: none.
 */
const struct weights_kind *weights_pick(const struct stage_repo *repo,
					enum framework framework,
					size_t *index);

/*
 * Reads the headers; names and shapes are torch's then (torch_names.h), whoever
 * wrote the file.  -EBADMSG: refused, @why says so; else the errno of
 * getting them.
 */
int weights_open(const struct stage_repo *repo, const struct weights_kind *kind,
		 size_t index, struct weights **out,
		 struct refusal *why) MUST_CHECK;

/*
 * As weights_open(), of the one file @index whatever its name: what it is is
 * told by its first bytes.
 */
int weights_open_file(const struct stage_repo *repo, size_t index,
		      struct weights **out, struct refusal *why) MUST_CHECK;

/*
 * The formats, each in its own file.  torch_zip_load() reads the stream of
 * before 1.6 too: it goes by the same names.
 */
int safetensors_load(struct weights_load *load) MUST_CHECK;
int torch_zip_load(struct weights_load *load) MUST_CHECK;
int hdf5_load(struct weights_load *load) MUST_CHECK;
int flax_load(struct weights_load *load) MUST_CHECK;
int torch_legacy_load(struct weights_load *load) MUST_CHECK;

#endif
