/* SPDX-License-Identifier: MIT */
/*
 * staging/external/command_template.h - the converter's command.  Pure.
 *
 *	python3 -m optimum.exporters.onnx --model {snapshot} --task {task} {out}
 *
 * Words are separated by blanks; '...' and "..." keep blanks, nothing else is
 * special: no shell is involved.  {snapshot} is the folder of the model's
 * files, {out} the empty one for the result, {task} the hub's name of the
 * task; they may be parts of words.  "{{" is a "{".
 */
#ifndef STAGING_EXTERNAL_COMMAND_TEMPLATE_H
#define STAGING_EXTERNAL_COMMAND_TEMPLATE_H

#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/str.h"

struct command {
	char **words; /* owned; NULL after the last */
	size_t count;
};

struct command_values {
	const char *snapshot;
	const char *out;
	const char *task;
};

/*
 * -EINVAL, with a sentence for people appended to @why: empty, a quote
 * without end, an unknown {name}, no {snapshot} or no {out}; -ENOMEM.  On
 * success command_release().
 */
int command_parse(const char *text, struct command *out,
		  struct str *why) MUST_CHECK;
void command_release(struct command *command);
DEFINE_AUTO(command, struct command, command_release)
#define auto_command auto_of(command)

/* The words with the values in them; released as @template is. */
int command_fill(const struct command *template,
		 const struct command_values *values,
		 struct command *out) MUST_CHECK;

#endif
