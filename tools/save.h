/* SPDX-License-Identifier: MIT */
/*
 * tools/save.h - writes content out, with a bar where a terminal shows it.
 *
 * The content is prepared (content_prepare()).  Errors: the content's, and
 * those of writing.
 */
#ifndef TOOLS_SAVE_H
#define TOOLS_SAVE_H

#include <stdbool.h>

#include "base/annot.h"
#include "base/content.h"

/*
 * To the file @path, which appears whole or not at all.  -EEXIST: it is
 * there already, and @force is not given.
 */
int content_save(struct content *content, const char *path,
		 bool force) MUST_CHECK;

/* To standard output; @name is the bar's. */
int content_print(struct content *content, const char *name) MUST_CHECK;

#endif
