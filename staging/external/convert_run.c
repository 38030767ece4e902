/* SPDX-License-Identifier: MIT */
/* One run of a converter's command: its environment, and the box's words. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "staging/external/convert_tool.h"

/*
 * Of ours, what a program needs to be found and to run; no token is among
 * them.  What is the user's own stays the user's own: HOME is not.
 */
static const char *const kept_names[] = { "PATH", "LD_LIBRARY_PATH",
					  "PYTHONPATH", "PYTHONHOME",
					  "VIRTUAL_ENV" };

static const char *const fixed[] = {
	"LANG=C.UTF-8",
	"HF_HUB_OFFLINE=1",
	"TRANSFORMERS_OFFLINE=1",
	"HF_DATASETS_OFFLINE=1",
	"HF_HUB_DISABLE_TELEMETRY=1",
	"PYTHONDONTWRITEBYTECODE=1",
	"PYTHONUNBUFFERED=1",
	"TOKENIZERS_PARALLELISM=false",
};

#define ENVIRONMENT_MAX (ARRAY_LEN(kept_names) + ARRAY_LEN(fixed) + 4)

struct environment {
	char *words[ENVIRONMENT_MAX]; /* owned */
	size_t count;
};

static void environment_release(struct environment *environment)
{
	for (size_t i = 0; i < environment->count; i++)
		free(environment->words[i]);
}
DEFINE_AUTO(environment, struct environment, environment_release)
#define auto_environment auto_of(environment)

/* Takes @word; NULL: no memory. */
static int add(struct environment *environment, char *word)
{
	if (!word)
		return -ENOMEM;
	environment->words[environment->count++] = word;
	return 0;
}

static int environment_make(const struct job_folder *folder,
			    struct environment *out)
{
	const char *home = getenv("HOME");
	int r = add(out, mem_printf("HOME=%s/home", folder->path));

	r = r ?: add(out, mem_printf("TMPDIR=%s/tmp", folder->path));
	if (r == 0 && home && *home == '/') /* pip install --user */
		r = add(out, mem_printf("PYTHONUSERBASE=%s/.local", home));
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(fixed); i++)
		r = add(out, mem_strdup(fixed[i]));
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(kept_names); i++) {
		const char *value = getenv(kept_names[i]);

		if (value)
			r = add(out, mem_printf("%s=%s", kept_names[i], value));
	}
	return r;
}

#define BOX_WORDS 7 /* before the command's own */

int convert_tool_run(const struct converter_options *options, const char *box,
		     const struct command *command,
		     const struct job_folder *folder,
		     const struct convert_bounds *bounds,
		     struct box_process *process)
{
	auto_environment struct environment environment = { 0 };
	auto_free char **argv = mem_array(BOX_WORDS + command->count + 1,
					  sizeof(*argv));
	char memory[24], cpu[24], file[24];
	uint64_t cores = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	int r = argv ? environment_make(folder, &environment) : -ENOMEM;

	if (r < 0)
		return r;
	snprintf(memory, sizeof(memory), "%" PRIu64, bounds->memory_bytes);
	snprintf(cpu, sizeof(cpu), "%" PRIu64, bounds->seconds * cores + 1);
	snprintf(file, sizeof(file), "%" PRIu64, bounds->file_bytes);
	argv[0] = (char *)(uintptr_t)options->box;
	argv[1] = (char *)(uintptr_t) "run";
	argv[2] = (char *)(uintptr_t)box;
	argv[3] = folder->path;
	argv[4] = memory;
	argv[5] = cpu;
	argv[6] = file;
	memcpy(argv + BOX_WORDS, command->words,
	       command->count * sizeof(*argv));
	process->path = options->box;
	process->argv = argv;
	process->environment = environment.words;
	return box_process_run(process);
}
