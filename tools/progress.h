/* SPDX-License-Identifier: MIT */
/*
 * tools/progress.h - a bar for long work, where a terminal shows it.
 */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *name; /* borrowed */
	uint64_t total;
	uint64_t began_ns;
	uint64_t shown_ns;
	bool on; /* standard error is a terminal */
};

void progress_start(struct progress *progress, const char *name,
		    uint64_t total);

/* Draws at most ten times a second. */
void progress_show(struct progress *progress, uint64_t done);
void progress_end(struct progress *progress);

/* "91.4 MB" into @text of PROGRESS_SIZE_TEXT bytes; returns it. */
#define PROGRESS_SIZE_TEXT 24
const char *progress_size(uint64_t bytes, char *text);

#endif
