/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/content.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "fs/stage_folder.h"
#include "tools/command.h"
#include "tools/progress.h"

/* What is copied at a time. */
#define COPY_BYTES ((size_t)1 << 20)

static const struct option options[] = {
	{ "task", required_argument, NULL, 't' },
	{ "output", required_argument, NULL, 'o' },
	{ "form", required_argument, NULL, 'f' },
	{ "format", required_argument, NULL, 'm' },
	{ "profile", required_argument, NULL, 'r' },
	{ "skeleton", required_argument, NULL, 's' },
	{ "application", required_argument, NULL, 'a' },
	{ "skeletons", required_argument, NULL, 'S' },
	{ "plan", no_argument, NULL, 'p' },
	{ "force", no_argument, NULL, 'F' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

struct stage_arguments {
	const char *source;
	const char *task;	 /* NULL: the base model */
	const char *output;	 /* NULL: its own name, here */
	const char *skeleton;	 /* or NULL */
	const char *application; /* or NULL */
	const char *skeletons;	 /* the user's folder, or NULL */
	const char *format;	 /* "onnx", "pb"; NULL: not said */
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
	      "                      standard output; its ending may choose "
	      "(.h5, .onnx)\n"
	      "      --skeleton NAME    the graph of PyTorch weights: "
	      "torchvision/resnet50,\n"
	      "                         timm/vit_base_patch16_224\n"
	      "      --application NAME   what Keras weights are of: "
	      "ResNet50/top\n"
	      "      --skeletons DIR   graphs of your own\n"
	      "      --format FORMAT    onnx, or pb: a frozen graph of "
	      "TensorFlow\n"
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

/* 0 and *@out filled, or -1 after --help, or an exit status. */
static int parse_arguments(int argc, char **argv, struct stage_arguments *out)
{
	int option;

	while ((option = getopt_long(argc, argv, "t:o:h", options, NULL)) !=
	       -1) {
		switch (option) {
		case 't':
			out->task = optarg;
			break;
		case 'o':
			out->output = optarg;
			break;
		case 'f':
			if (strcmp(optarg, "dl4j") == 0)
				out->form = STAGE_FORM_DL4J;
			else if (strcmp(optarg, "plain") != 0)
				return complain_usage(
					"stage", "--form takes plain or dl4j");
			break;
		case 'm':
			if (strcmp(optarg, "onnx") != 0 &&
			    strcmp(optarg, "pb") != 0)
				return complain_usage(
					"stage", "--format takes onnx or pb");
			out->format = optarg;
			break;
		case 'r':
			if (strcmp(optarg, "native") == 0)
				out->profile = STAGE_PROFILE_NATIVE;
			else if (strcmp(optarg, "portable") != 0)
				return complain_usage("stage",
						      "--profile takes "
						      "portable or native");
			break;
		case 's':
			out->skeleton = optarg;
			break;
		case 'a':
			out->application = optarg;
			break;
		case 'S':
			out->skeletons = optarg;
			break;
		case 'p':
			out->plan = true;
			break;
		case 'F':
			out->force = true;
			break;
		case 'h':
			stage_help();
			return -1;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind + 1 != argc)
		return complain_usage("stage", "name one SOURCE");
	out->source = argv[optind];
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

static bool wants(const struct stage_arguments *arguments, const char *format)
{
	return arguments->format && strcmp(arguments->format, format) == 0;
}

/* "pytorch" or "pytorch/fill-mask"; the form is the repository's. */
static char *view_dir(const struct stage_arguments *arguments,
		      const struct stage_folder *folder)
{
	const char *view = wants(arguments, "pb") ? "tensorflow" : "pytorch";
	const char *task = arguments->task;

	if (folder->kind)
		return mem_strdup(task ? task : "");
	if (!task || strcmp(task, "feature-extraction") == 0)
		return mem_strdup(view);
	return mem_printf("%s/%s", view, task);
}

static const struct stage_entry *find_entry(const struct stage_listing *listing,
					    const char *name)
{
	for (size_t i = 0; i < listing->count; i++)
		if (strcmp(listing->entries[i].name, name) == 0)
			return &listing->entries[i];
	return NULL;
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
		return complain("%s has no model to stage; of weights alone "
				"say what they are: --skeleton or "
				"--application",
				arguments->source);
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

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t wrote = write(fd, bytes, len);

		if (wrote < 0 && errno != EINTR)
			return -errno;
		if (wrote > 0) {
			bytes += wrote;
			len -= (size_t)wrote;
		}
	}
	return 0;
}

static int copy_content(struct content *content, int fd, const char *name)
{
	struct progress progress;
	auto_free char *buffer = mem_alloc(COPY_BYTES);
	uint64_t off = 0;
	int r = buffer ? 0 : -ENOMEM;

	progress_start(&progress, name, content->size);
	while (r == 0 && off < content->size) {
		size_t len = (size_t)u64_min(COPY_BYTES, content->size - off);

		r = content_copy(content, off, len, buffer);
		if (r == 0)
			r = write_all(fd, buffer, len);
		off += len;
		progress_show(&progress, off);
	}
	progress_end(&progress);
	return r;
}

/* Whole or not at all: under another name until it is complete. */
static int write_file(struct content *content, const char *path, bool force)
{
	auto_free char *part = mem_printf("%s.part", path);
	auto_close int fd = -1;
	int r;

	if (!part)
		return -ENOMEM;
	if (!force && access(path, F_OK) == 0)
		return -EEXIST;
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	r = copy_content(content, fd, path);
	if (r == 0 && (fsync(fd) < 0 || rename(part, path) < 0))
		r = -errno;
	if (r < 0)
		unlink(part);
	return r;
}

static int write_named(const struct stage_entry *entry, const char *path,
		       bool force)
{
	int r;

	if (strcmp(path, "-") == 0)
		r = copy_content(entry->content, STDOUT_FILENO, entry->name);
	else
		r = write_file(entry->content, path, force);
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

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* The staged file: by --format, by the output's ending, else the first. */
static const struct stage_entry *find_model(
	const struct stage_arguments *arguments,
	const struct stage_listing *listing)
{
	static const char *const ends[] = { ".h5", ".pb", ".onnx" };
	const struct stage_entry *first = NULL;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char name[16];
		const struct stage_entry *entry;

		snprintf(name, sizeof(name), "staged%s", ends[i]);
		entry = find_entry(listing, name);
		if (arguments->format && !wants(arguments, ends[i] + 1))
			continue;
		if (entry && !first)
			first = entry;
		if (entry && arguments->output &&
		    ends_with(arguments->output, ends[i]))
			return entry;
	}
	return first;
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
	data = find_entry(&listing, "staged.onnx.data");
	if (!model)
		return complain_refused(arguments, &listing);
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
	dir = view_dir(&arguments, &folder);
	if (r < 0 || !dir)
		return complain("out of memory");
	stage_folder_repo(&folder, arguments.form, &repo);
	repo.profile = arguments.profile;
	repo.skeletons = arguments.skeletons;
	return arguments.plan ? stage_plan(&arguments, &folder, &repo, dir)
			      : stage_write(&arguments, &repo, dir);
}
