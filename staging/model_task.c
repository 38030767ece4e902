/* SPDX-License-Identifier: MIT */
#include "staging/models.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* The hub's own names of tasks. */
static const char *const names[TASK_COUNT] = {
	[TASK_FEATURES] = "feature-extraction",
	[TASK_FILL_MASK] = "fill-mask",
	[TASK_TEXT_CLASSIFICATION] = "text-classification",
	[TASK_TOKEN_CLASSIFICATION] = "token-classification",
	[TASK_QUESTION_ANSWERING] = "question-answering",
	[TASK_PRETRAINING] = "pretraining",
};

const char *task_name(enum model_task task)
{
	assert(task < TASK_COUNT);
	return names[task];
}

int task_parse(const char *name, enum model_task *out)
{
	for (unsigned int task = 0; task < TASK_COUNT; task++) {
		if (strcmp(names[task], name) != 0)
			continue;
		*out = task;
		return 0;
	}
	return -ENOENT;
}
