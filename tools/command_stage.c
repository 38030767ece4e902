/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/content.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "fs/stage_folder.h"
#include "tools/command.h"
#include "tools/save.h"

static const struct option options[] = {
	{ "task", required_argument, NULL, 't' },
	{ "output", required_argument, NULL, 'o' },
	{ "form", required_argument, NULL, 'f' },
	{ "format", required_argument, NULL, 'm' },
	{ "part", required_argument, NULL, 'P' },
	{ "profile", required_argument, NULL, 'r' },
	{ "skeleton", required_argument, NULL, 's' },
	{ "application", required_argument, NULL, 'a' },
	{ "skeletons", required_argument, NULL, 'S' },
	{ "plan", no_argument, NULL, 'p' },
	{ "force", no_argument, NULL, 'F' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* The endings of staged files, those of the original format first. */
static const char *const formats[] = { "h5", "pb", "onnx" };

static const char *const parts[] = { "encoder_model", "decoder_model" };

/* What a model of the Hugging Face hub is staged from, best first. */
static const struct view {
	const char *name;
	const char *format;
} views[] = {
	{ "pytorch", "onnx" },
	{ "jax", "onnx" },
	{ "tensorflow", "pb" },
};

struct stage_arguments {
	const char *source;
	const char *task;	 /* NULL: the base model */
	const char *output;	 /* NULL: its own name, here */
	const char *skeleton;	 /* or NULL */
	const char *application; /* or NULL */
	const char *skeletons;	 /* the user's folder, or NULL */
	const char *format;	 /* of formats[]; NULL: not said */
	const char *part;	 /* of parts[]; NULL: the whole model */
	enum stage_form form;
	enum stage_profile profile;
	bool plan;
	bool force;
};

static void stage_help(void)
{
	fputs("Usage: omnihub stage [OPTION]... SOURCE\n"
	      "\n"
	      "Writes the model in SOURCE as one file that importers read.  "
	      "SOURCE is a folder\n"
	      "with config.json and weights (gives staged.onnx), a SavedModel "
	      "(staged.pb), a\n"
	      "file of weights (with --skeleton or --application), or a "
	      "model's folder in a\n"
	      "mount.  No mount is needed.\n"
	      "\n"
	      "  -t, --task TASK     with a head: text-classification, "
	      "text-generation,\n"
	      "                      image-classification and others; of a "
	      "SavedModel: the\n"
	      "                      signature\n"
	      "  -o, --output FILE   default: the staged file's name, in this "
	      "folder; \"-\":\n"
	      "                      standard output; its ending says the "
	      "format\n"
	      "      --skeleton NAME    the graph of PyTorch weights: "
	      "torchvision/resnet50,\n"
	      "                         timm/vit_base_patch16_224\n"
	      "      --application NAME   what Keras weights are of: "
	      "ResNet50/top\n"
	      "      --skeletons DIR   graphs of your own\n"
	      "      --format FORMAT    onnx; pb: a frozen graph of "
	      "TensorFlow; h5: Keras\n"
	      "      --part PART     encoder_model or decoder_model alone\n"
	      "      --form FORM     plain (default) or dl4j\n"
	      "      --profile PROFILE  halves as float32 (portable, the "
	      "default), or as\n"
	      "                         they are (native)\n"
	      "      --plan          write nothing; print what would be "
	      "written, as JSON\n"
	      "      --force         overwrite FILE\n"
	      "      --help          this text\n",
	      stdout);
}

/* @text as the table has it; NULL: it does not. */
static const char *one_of(const char *const *table, size_t count,
			  const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i], text) == 0)
			return table[i];
	return NULL;
}

/* By the ending of its name; NULL: it says nothing. */
static const char *format_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? one_of(formats, ARRAY_LEN(formats), dot + 1) : NULL;
}

/* 0, or -1 after --help, or an exit status. */
static int parse_option(int option, struct stage_arguments *out)
{
	switch (option) {
	case 't':
		out->task = optarg;
		return 0;
	case 'o':
		out->output = optarg;
		return 0;
	case 'f':
		if (strcmp(optarg, "dl4j") == 0)
			out->form = STAGE_FORM_DL4J;
		else if (strcmp(optarg, "plain") != 0)
			return complain_usage("stage",
					      "--form takes plain or dl4j");
		return 0;
	case 'm':
		out->format = one_of(formats, ARRAY_LEN(formats), optarg);
		if (!out->format)
			return complain_usage("stage",
					      "--format takes onnx, pb or h5");
		return 0;
	case 'P':
		out->part = one_of(parts, ARRAY_LEN(parts), optarg);
		if (!out->part)
			return complain_usage("stage",
					      "--part takes encoder_model or "
					      "decoder_model");
		return 0;
	case 'r':
		if (strcmp(optarg, "native") == 0)
			out->profile = STAGE_PROFILE_NATIVE;
		else if (strcmp(optarg, "portable") != 0)
			return complain_usage(
				"stage", "--profile takes portable or native");
		return 0;
	case 's':
		out->skeleton = optarg;
		return 0;
	case 'a':
		out->application = optarg;
		return 0;
	case 'S':
		out->skeletons = optarg;
		return 0;
	case 'p':
		out->plan = true;
		return 0;
	case 'F':
		out->force = true;
		return 0;
	case 'h':
		stage_help();
		return -1;
	default:
		return EXIT_USAGE;
	}
}

/* 0 and *@out filled, or as parse_option(). */
static int parse_arguments(int argc, char **argv, struct stage_arguments *out)
{
	int option;

	while ((option = getopt_long(argc, argv, "t:o:h", options, NULL)) !=
	       -1) {
		int r = parse_option(option, out);

		if (r != 0)
			return r;
	}
	if (optind + 1 != argc)
		return complain_usage("stage", "name one SOURCE");
	out->source = argv[optind];
	if (!out->format && out->output)
		out->format = format_of(out->output);
	return 0;
}

/* A model's folder in a mount has its files in repo/. */
static char *find_folder(const char *source)
{
	auto_free char *config = mem_printf("%s/repo/config.json", source);
	struct stat st;

	if (config && stat(config, &st) == 0)
		return mem_printf("%s/repo", source);
	return mem_strdup(source);
}

static const struct stage_entry *find_entry(const struct stage_listing *listing,
					    const char *name)
{
	for (size_t i = 0; i < listing->count; i++)
		if (strcmp(listing->entries[i].name, name) == 0)
			return &listing->entries[i];
	return NULL;
}

/* NULL wants none in particular. */
static bool is_wanted(const char *wanted, const char *format)
{
	return !wanted || strcmp(wanted, format) == 0;
}

/* The best one of @root in @format, or NULL: in any; NULL: there is none. */
static const struct view *find_view(const struct stage_listing *root,
				    const char *format)
{
	for (size_t i = 0; i < ARRAY_LEN(views); i++)
		if (is_wanted(format, views[i].format) &&
		    find_entry(root, views[i].name))
			return &views[i];
	return NULL;
}

static int complain_format(const struct stage_arguments *arguments,
			   const char *has)
{
	return complain("%s is staged as %s, not as %s", arguments->source, has,
			arguments->format);
}

static int complain_no_view(const struct stage_arguments *arguments)
{
	return complain("%s has no model to stage; of weights alone say what "
			"they are: --skeleton or --application",
			arguments->source);
}

/*
 * "pytorch" or "pytorch/fill-mask", the form is the repository's; of other
 * kinds of folders the task itself.  Else the status of a complaint.
 */
static int find_dir(const struct stage_arguments *arguments,
		    const struct stage_folder *folder,
		    const struct stage_repo *repo, char **out)
{
	auto_stage_listing struct stage_listing root = { 0 };
	const char *task = arguments->task;
	const struct view *view, *other;
	int r;

	if (folder->kind) {
		*out = mem_strdup(task ? task : "");
		return *out ? 0 : complain("out of memory");
	}
	r = stage_list(repo, "", &root);
	if (r < 0)
		return complain("cannot look at %s: %s", arguments->source,
				strerror(-r));
	view = find_view(&root, arguments->format);
	other = find_view(&root, NULL);
	if (!view)
		return other ? complain_format(arguments, other->format)
			     : complain_no_view(arguments);
	if (!task || strcmp(task, "feature-extraction") == 0)
		*out = mem_strdup(view->name);
	else
		*out = mem_printf("%s/%s", view->name, task);
	return *out ? 0 : complain("out of memory");
}

/* Says why there is no staged file, from staged.status. */
static int complain_refused(const struct stage_arguments *arguments,
			    const struct stage_listing *listing)
{
	const struct stage_entry *status = find_entry(listing, "staged.status");
	auto_json struct json_doc *doc = NULL;
	auto_free char *text = NULL;
	const struct json *root;
	const char *reason;
	const char *detail;
	size_t len;

	if (!status)
		return complain_no_view(arguments);
	len = (size_t)status->content->size;
	text = mem_alloc(len + 1);
	if (!text || content_copy(status->content, 0, len, text) < 0 ||
	    json_parse(text, len, CONFIG_BYTES_MAX, &doc) < 0)
		return complain("%s is refused", arguments->source);
	root = json_root(doc);
	reason = json_string(json_get(root, "reason"));
	detail = json_string(json_get(root, "detail"));
	return complain("%s is refused: %s%s%s%s", arguments->source,
			reason ? reason : "no reason given", detail ? " (" : "",
			detail ? detail : "", detail ? ")" : "");
}

static int write_named(const struct stage_entry *entry, const char *path,
		       bool force)
{
	int r = strcmp(path, "-") == 0
			? content_print(entry->content, entry->name)
			: content_save(entry->content, path, force);

	if (r == -EEXIST)
		return complain("%s exists; --force overwrites it", path);
	if (r < 0)
		return complain("cannot write %s: %s", path, strerror(-r));
	return 0;
}

/* External data is found by its name, beside the model. */
static int write_data(const struct stage_entry *data, const char *model,
		      bool force)
{
	const char *slash = strrchr(model, '/');
	auto_free char *path = NULL;

	if (strcmp(model, "-") == 0)
		return complain("a model over 2 GiB is two files: name one "
				"with -o");
	path = mem_printf("%.*s%s", slash ? (int)(slash + 1 - model) : 0, model,
			  data->name);
	return path ? write_named(data, path, force)
		    : complain("out of memory");
}

/* The first staged file in @format; NULL: in any of formats[]. */
static const struct stage_entry *find_staged(
	const struct stage_listing *listing, const char *format)
{
	const struct stage_entry *found = NULL;

	for (size_t i = 0; !found && i < ARRAY_LEN(formats); i++) {
		char name[16];

		snprintf(name, sizeof(name), "staged.%s", formats[i]);
		if (is_wanted(format, formats[i]))
			found = find_entry(listing, name);
	}
	return found;
}

static const struct stage_entry *find_model(
	const struct stage_arguments *arguments,
	const struct stage_listing *listing)
{
	char name[NAME_BYTES_MAX];

	if (!arguments->part)
		return find_staged(listing, arguments->format);
	snprintf(name, sizeof(name), "%s.onnx", arguments->part);
	return is_wanted(arguments->format, "onnx") ? find_entry(listing, name)
						    : NULL;
}

/* There is something, but not what was asked for; or nothing at all. */
static int complain_no_model(const struct stage_arguments *arguments,
			     const struct stage_listing *listing)
{
	const struct stage_entry *other = find_staged(listing, NULL);

	if (!other)
		return complain_refused(arguments, listing);
	if (arguments->part)
		return complain("%s has no %s: for this task it is staged as "
				"%s alone",
				arguments->source, arguments->part,
				other->name);
	return complain_format(arguments, other->name);
}

/* The data beside @model, whose name is in it; NULL: all is in one file. */
static const struct stage_entry *find_data(const struct stage_listing *listing,
					   const struct stage_entry *model)
{
	char name[NAME_BYTES_MAX];

	snprintf(name, sizeof(name), "%s.data", model->name);
	return find_entry(listing, name);
}

static int stage_write(const struct stage_arguments *arguments,
		       const struct stage_repo *repo, const char *dir)
{
	auto_stage_listing struct stage_listing listing = { 0 };
	const struct stage_entry *model, *data;
	const char *output = arguments->output;
	int status = 0;
	int r = stage_list(repo, dir, &listing);

	if (r == -ENOENT)
		return arguments->task
			       ? complain("%s has no model for %s",
					  arguments->source, arguments->task)
			       : complain_refused(arguments, &listing);
	if (r < 0)
		return complain("cannot stage %s: %s", arguments->source,
				strerror(-r));
	model = find_model(arguments, &listing);
	if (!model)
		return complain_no_model(arguments, &listing);
	data = find_data(&listing, model);
	r = content_prepare(model->content, CLOCK_NEVER);
	if (r < 0)
		return complain("cannot stage %s: %s", arguments->source,
				strerror(-r));
	if (!output)
		output = model->name;
	if (data)
		status = write_data(data, output, arguments->force);
	return status ? status : write_named(model, output, arguments->force);
}

/* The plan's own JSON object, with what making it took put in front. */
static int stage_plan(const struct stage_arguments *arguments,
		      const struct stage_folder *folder,
		      const struct stage_repo *repo, const char *dir)
{
	auto_stage_listing struct stage_listing listing = { 0 };
	uint64_t began_ns = clock_now_ns();
	const struct stage_entry *model = NULL;
	auto_str struct str json;
	double took_ms;
	int r = stage_list(repo, dir, &listing);

	str_init(&json, PLAN_BYTES_MAX);
	if (r == 0)
		model = find_model(arguments, &listing);
	if (r == 0)
		r = model ? stage_plan_json(model, CLOCK_NEVER, &json)
			  : -ENOENT;
	took_ms = (double)(clock_now_ns() - began_ns) / NS_PER_MS;
	if (r == -ENOENT || r == -EBADMSG)
		return stage_write(arguments, repo, dir);
	if (r < 0)
		return complain("cannot plan %s: %s", arguments->source,
				strerror(-r));
	printf("{\"milliseconds\": %.3f, \"requests\": %llu, "
	       "\"header_bytes\": %llu, %s\n",
	       took_ms, (unsigned long long)folder->fetches,
	       (unsigned long long)folder->fetched_bytes, str_text(&json) + 1);
	return 0;
}

int command_stage(int argc, char **argv)
{
	struct stage_arguments arguments = { .form = STAGE_FORM_PLAIN };
	auto_stage_folder struct stage_folder folder = { 0 };
	auto_free char *source = NULL;
	auto_free char *dir = NULL;
	struct stage_repo repo;
	int status = parse_arguments(argc, argv, &arguments);
	int r;

	if (status != 0)
		return status < 0 ? 0 : status;
	source = find_folder(arguments.source);
	if (!source)
		return complain("out of memory");
	r = stage_folder_open(&folder, source);
	if (r < 0)
		return complain("cannot open %s: %s", arguments.source,
				strerror(-r));
	if (arguments.skeleton || arguments.application)
		r = stage_folder_is(&folder, arguments.skeleton,
				    arguments.application);
	if (r == -ENOENT)
		return complain("%s does not hold one file of weights",
				arguments.source);
	if (r < 0)
		return complain("out of memory");
	stage_folder_repo(&folder, arguments.form, &repo);
	repo.profile = arguments.profile;
	repo.skeletons = arguments.skeletons;
	status = find_dir(&arguments, &folder, &repo, &dir);
	if (status != 0)
		return status;
	return arguments.plan ? stage_plan(&arguments, &folder, &repo, dir)
			      : stage_write(&arguments, &repo, dir);
}
