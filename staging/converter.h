/* SPDX-License-Identifier: MIT */
/*
 * staging/converter.h - what cannot be composed, made by a program of the
 * user's.
 *
 * A model that staging refuses may be converted by an external command (the
 * default: optimum's exporter for ONNX, where a Python with it is), in a
 * box (external/box/box.h).  A conversion is a job, started on demand only;
 * one for a task of a commit, whoever asks.  Its result is checked, then
 * kept by the cache and pinned, as it cannot be fetched again; where it has
 * been lost all the same, the model is convertible again.
 *
 * In listings staged.status says what is what ("state"):
 *
 *	refused		no converter: what to install; or: never
 *	convertible	and how it would be started
 *	converting	"phase", "done" of "total" bytes, "seconds"
 *	failed		why, and the last lines that were printed
 *
 * Once it is there, staged.onnx and what belongs to it stand in its place.
 *
 * Threads: any, except where said.
 */
#ifndef STAGING_CONVERTER_H
#define STAGING_CONVERTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/memo.h"
#include "staging/staging.h"

struct blob;
struct converter;
struct jobs;
struct source;

enum converter_sandbox {
	CONVERTER_SANDBOX_AUTO, /* the best there is; without any: nothing */
	CONVERTER_SANDBOX_NAMESPACES,
	CONVERTER_SANDBOX_LANDLOCK,
	CONVERTER_SANDBOX_OFF
};

/* Strings are copied. */
struct converter_options {
	const char *dir;     /* the cache's folder: jobs' folders are in it */
	const char *command; /* command_template.h; NULL: the default */
	const char *box;     /* path of omnihub-box; NULL: it is looked for */
	enum converter_sandbox sandbox;
	uint64_t memory_bytes; /* of a process; 0: CONVERT_MEMORY_BYTES */
	unsigned int seconds;  /* of a conversion; 0: CONVERT_S */

	struct jobs *jobs; /* lives longer, as all below */
	struct memo *memo;
	int (*keep)(void *arg, struct source *source, struct blob **out);
	int (*pin)(void *arg, struct blob *blob, bool on);
	bool (*is_whole)(void *arg, struct blob *blob); /* in the cache */
	void *keep_arg;

	/* False: the mount has gone, a conversion ends.  May be NULL. */
	bool (*is_wanted)(void *arg);
	void *wanted_arg;
};

/* "no command" as a command: nothing is converted. */
#define CONVERTER_NONE "none"

/*
 * Whether @command could be one: -EINVAL with a sentence for people in @why;
 * -ENOMEM.
 */
int converter_check(const char *command, struct str *why) MUST_CHECK;

/*
 * Starts a thread; looks for nothing yet.  -ENOENT: omnihub-box is not
 * installed.  On success converter_free().
 */
int converter_new(const struct converter_options *options,
		  struct converter **out) MUST_CHECK;

/* Ends what goes on.  From none of its threads; NULL is fine. */
void converter_stop(struct converter *converter);

/*
 * Stops it first.  Drops its references of repositories, so before these and
 * the cache go.
 */
void converter_free(struct converter *converter);

/*
 * Begins to convert what directory @dir of the views of @repo would hold, or
 * joins who did.  0 too where it is there already.  -EOPNOTSUPP: nothing to
 * convert is there, or nothing that converts: its staged.status says which.
 * Else the errno of getting headers.  Slow lane.
 */
int converter_start(struct converter *converter, const struct stage_repo *repo,
		    const char *dir) MUST_CHECK;

/*
 * Ends the conversion of @dir; where none goes on, forgets its failure or
 * its result.  -EOPNOTSUPP: there is none of these.  Slow lane.
 */
int converter_forget(struct converter *converter, const struct stage_repo *repo,
		     const char *dir) MUST_CHECK;

#endif
