/* SPDX-License-Identifier: MIT */
/*
 * staging/external/convert_tool.h - what converts: the command, its version,
 * and the box it runs in; or what is missing.
 */
#ifndef STAGING_EXTERNAL_CONVERT_TOOL_H
#define STAGING_EXTERNAL_CONVERT_TOOL_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/converter.h"
#include "staging/external/box_process.h"
#include "staging/external/command_template.h"
#include "staging/external/job_folder.h"

/* Immutable once it was found; reference counted. */
struct convert_tool {
	atomic_uint refs;
	char *text;		/* the command as people write it; owned */
	struct command command; /* .words[0] is a path */
	char *version;		/* owned */
	const char *box;	/* "namespaces", "landlock", "off"; static */
	char *missing;		/* a sentence: there is none; owned, or NULL */
};
struct convert_tool *convert_tool_ref(struct convert_tool *tool);
void convert_tool_unref(struct convert_tool *tool);
DEFINE_AUTO_PTR(convert_tool, struct convert_tool, convert_tool_unref)
#define auto_convert_tool auto_of(convert_tool)

/* The command that is taken where none is configured. */
extern const char convert_tool_default[];

/* What is to be installed, where there is none. */
extern const char convert_tool_install[];

/*
 * One reference.  Looks for it, which starts processes and takes seconds: not
 * on a FUSE thread.  What is missing is no error.  -ENOMEM, -EIO; or
 * what @look says, as struct box_process has it.
 */
int convert_tool_find(const struct converter_options *options,
		      int (*look)(void *arg), void *arg,
		      struct convert_tool **out) MUST_CHECK;

/* Bounds of one run. */
struct convert_bounds {
	uint64_t memory_bytes;
	uint64_t seconds;
	uint64_t file_bytes;
};

/*
 * Runs @command in @folder with @process's .until_ns, .look, .arg and
 * .output; as box_process_run().
 */
int convert_tool_run(const struct converter_options *options, const char *box,
		     const struct command *command,
		     const struct job_folder *folder,
		     const struct convert_bounds *bounds,
		     struct box_process *process) MUST_CHECK;

#endif
