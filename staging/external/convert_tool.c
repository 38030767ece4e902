/* SPDX-License-Identifier: MIT */
#include "staging/external/convert_tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"

const char convert_tool_default[] = "python3 -m optimum.exporters.onnx "
				    "--model {snapshot} --task {task} {out}";

const char convert_tool_install[] = "python3 -m pip install optimum-onnx torch";

/*
 * Says the versions of what the default command needs, without importing
 * it, which takes seconds; fails where it is not there.
 */
static const char probe_program[] =
	"import importlib.metadata as m, importlib.util as u, os, sys\n"
	"spec = u.find_spec('optimum')\n"
	"ok = spec and any(os.path.exists(os.path.join(\n"
	"    at, 'exporters', 'onnx', '__main__.py'))\n"
	"    for at in spec.submodule_search_locations or [])\n"
	"if not ok or not u.find_spec('torch'): sys.exit(1)\n"
	"def version(name):\n"
	"    try: return name + ' ' + m.version(name)\n"
	"    except m.PackageNotFoundError: return ''\n"
	"names = 'optimum', 'optimum-onnx', 'transformers', 'torch'\n"
	"print(', '.join(filter(None, map(version, names))))\n";

struct convert_tool *convert_tool_ref(struct convert_tool *tool)
{
	atomic_fetch_add(&tool->refs, 1);
	return tool;
}

void convert_tool_unref(struct convert_tool *tool)
{
	if (!tool || atomic_fetch_sub(&tool->refs, 1) != 1)
		return;
	command_release(&tool->command);
	free(tool->text);
	free(tool->version);
	free(tool->missing);
	free(tool);
}

/* What is known while it is looked for. */
struct search {
	const struct converter_options *options;
	int (*look)(void *arg);
	void *arg;
	struct job_folder folder;
	struct convert_tool *tool;
};

static void search_release(struct search *search)
{
	job_folder_remove(&search->folder);
	convert_tool_unref(search->tool);
}
DEFINE_AUTO(search, struct search, search_release)
#define auto_search auto_of(search)

static int missing(struct convert_tool *tool, char *sentence)
{
	tool->missing = sentence;
	return sentence ? 0 : -ENOMEM;
}

/* What omnihub-box says this machine has. */
static int probe_box(const struct search *search, struct str *output)
{
	const char *box = search->options->box;
	char *argv[] = { (char *)(uintptr_t)box, (char *)(uintptr_t) "probe",
			 search->folder.path, NULL };
	char *environment[] = { NULL };
	struct box_process process = {
		.path = box,
		.argv = argv,
		.environment = environment,
		.until_ns = clock_after_ns(CONVERT_PROBE_S * NS_PER_S),
		.look = search->look,
		.arg = search->arg,
		.output = output,
	};

	return box_process_run(&process);
}

static int choose_box(const struct search *search)
{
	enum converter_sandbox wanted = search->options->sandbox;
	struct convert_tool *tool = search->tool;
	static const char *const names[] = {
		[CONVERTER_SANDBOX_NAMESPACES] = "namespaces",
		[CONVERTER_SANDBOX_LANDLOCK] = "landlock",
		[CONVERTER_SANDBOX_OFF] = "off",
	};
	auto_str struct str output;
	int r;

	str_init(&output, CONVERT_OUTPUT_BYTES);
	tool->box = names[wanted];
	if (wanted != CONVERTER_SANDBOX_AUTO)
		return 0;
	r = probe_box(search, &output);
	if (r < 0)
		return r;
	for (size_t i = CONVERTER_SANDBOX_NAMESPACES; i < ARRAY_LEN(names); i++)
		if (strcmp(str_text(&output), names[i]) == 0)
			tool->box = names[i];
	if (tool->box)
		return 0;
	return missing(tool, mem_strdup("this machine has neither user "
					"namespaces nor Landlock; "
					"--converter-sandbox off converts "
					"without"));
}

/* The program @name, as a shell would find it; -ENOENT. */
static int find_program(const char *name, char **out)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/')) {
		*out = access(name, X_OK) == 0 && *name == '/'
			       ? mem_strdup(name)
			       : NULL;
		return *out ? 0 : -ENOENT;
	}
	for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
		size_t len = strcspn(at, ":");
		auto_free char *file = mem_printf("%.*s/%s", (int)len, at,
						  name);

		if (!file)
			return -ENOMEM;
		if (*at == '/' && access(file, X_OK) == 0) {
			*out = take_ptr(file);
			return 0;
		}
		at += len + (at[len] == ':');
	}
	return -ENOENT;
}

/* Of the files that a command of one's own names: another is another. */
static char *stamp_version(const struct command *command)
{
	uint64_t stamp = 0;

	for (size_t i = 0; i < command->count; i++) {
		const char *word = command->words[i];
		struct stat st;
		int64_t facts[3];

		if (*word != '/' || stat(word, &st) < 0)
			continue;
		facts[0] = st.st_size;
		facts[1] = st.st_mtim.tv_sec;
		facts[2] = st.st_mtim.tv_nsec;
		stamp = xxh3_64_seed(facts, sizeof(facts), stamp);
	}
	return mem_printf("%016" PRIx64, stamp);
}

/* 0: it is there, and @output says the versions. */
static int probe_default(const struct search *search, struct str *output)
{
	char *words[] = { search->tool->command.words[0],
			  (char *)(uintptr_t) "-c",
			  (char *)(uintptr_t)probe_program, NULL };
	const struct command command = { words, ARRAY_LEN(words) - 1 };
	const struct convert_bounds bounds = { CONVERT_MEMORY_BYTES,
					       CONVERT_PROBE_S, BLOCK_BYTES };
	struct box_process process = {
		.until_ns = clock_after_ns(CONVERT_PROBE_S * NS_PER_S),
		.look = search->look,
		.arg = search->arg,
		.output = output,
	};

	return convert_tool_run(search->options, search->tool->box, &command,
				&search->folder, &bounds, &process);
}

/* Its last line: who was imported may have said something before. */
static int take_version(struct convert_tool *tool, struct str *output)
{
	const char *text = str_text(output);
	const char *last;

	while (output->len > 0 && text[output->len - 1] == '\n')
		str_truncate(output, output->len - 1);
	last = strrchr(str_text(output), '\n');
	tool->version = mem_strdup(last ? last + 1 : str_text(output));
	return tool->version ? 0 : -ENOMEM;
}

static int find_default(const struct search *search)
{
	auto_str struct str output;
	int r;

	str_init(&output, CONVERT_OUTPUT_BYTES);
	r = probe_default(search, &output);
	if (r == 0)
		return take_version(search->tool, &output);
	if (r == -ESHUTDOWN || r == -ENOMEM)
		return r;
	log_info("convert", "no exporter was found (%d): %s", r,
		 str_text(&output));
	return missing(search->tool,
		       mem_printf("no converter is installed: a Python "
				  "with optimum's ONNX exporter (%s), or "
				  "a command of your own named with "
				  "--converter",
				  convert_tool_install));
}

static int find_command(const struct converter_options *options,
			struct convert_tool *tool)
{
	auto_str struct str why;
	auto_free char *path = NULL;
	int r;

	str_init(&why, REASON_BYTES_MAX);
	tool->text = mem_strdup(options->command ? options->command
						 : convert_tool_default);
	if (!tool->text)
		return -ENOMEM;
	if (strcmp(tool->text, CONVERTER_NONE) == 0)
		return missing(tool, mem_strdup("converting is switched off"));
	r = command_parse(tool->text, &tool->command, &why);
	if (r == -EINVAL)
		return missing(tool, mem_printf("the converter's command is "
						"wrong: %s",
						str_text(&why)));
	r = r ?: find_program(tool->command.words[0], &path);
	if (r == -ENOENT)
		return missing(tool,
			       mem_printf("the converter's program %s is not "
					  "installed (%s)",
					  tool->command.words[0],
					  options->command
						  ? "see --converter"
						  : convert_tool_install));
	if (r < 0)
		return r;
	free(tool->command.words[0]);
	tool->command.words[0] = take_ptr(path);
	return 0;
}

/* The files a command of one's own names tell its version. */
static int find_own(const struct search *search)
{
	struct convert_tool *tool = search->tool;

	tool->version = stamp_version(&tool->command);
	return tool->version ? 0 : -ENOMEM;
}

static int make_folder(struct search *search)
{
	int r = job_folder_make(search->options->dir, &search->folder);

	if (r == 0 || r == -ENOMEM)
		return r;
	return missing(search->tool,
		       mem_printf("nothing can be converted in %s: %s",
				  search->options->dir, strerror(-r)));
}

static int search_all(struct search *search)
{
	const struct convert_tool *tool = search->tool;
	int r = find_command(search->options, search->tool);

	if (r == 0 && !tool->missing)
		r = make_folder(search);
	if (r == 0 && !tool->missing)
		r = choose_box(search);
	if (r < 0 || tool->missing)
		return r;
	return search->options->command ? find_own(search)
					: find_default(search);
}

int convert_tool_find(const struct converter_options *options,
		      int (*look)(void *arg), void *arg,
		      struct convert_tool **out)
{
	auto_search struct search search = {
		options, look, arg, { NULL }, mem_zalloc(sizeof(*search.tool))
	};
	int r;

	if (!search.tool)
		return -ENOMEM;
	atomic_init(&search.tool->refs, 1);
	r = search_all(&search);
	if (r == 0)
		*out = take_ptr(search.tool);
	return r;
}
