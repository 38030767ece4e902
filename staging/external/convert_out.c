/* SPDX-License-Identifier: MIT */
#include "staging/external/convert_out.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/external/box_process.h"
#include "staging/external/plain_name.h"

#define MODEL_END ".onnx"
#define MODEL_NAME "model.onnx"
#define STAGED_NAME "staged.onnx"

void convert_out_release(struct convert_out *out)
{
	for (size_t i = 0; i < out->count; i++) {
		free(out->files[i].name);
		free(out->files[i].look);
	}
	free(out->files);
	free(out->folder);
	*out = (struct convert_out){ 0 };
}

static bool is_model(const char *name)
{
	size_t len = strlen(name), end = strlen(MODEL_END);

	return len > end && strcmp(name + len - end, MODEL_END) == 0;
}

static size_t count_models(const struct convert_out *out)
{
	size_t count = 0;

	for (size_t i = 0; i < out->count; i++)
		count += is_model(out->files[i].name);
	return count;
}

const char *convert_out_name(const struct convert_out *out,
			     const struct out_file *file)
{
	if (strcmp(file->name, MODEL_NAME) == 0 ||
	    (is_model(file->name) && count_models(out) == 1))
		return STAGED_NAME;
	return file->name;
}

static int add_file(struct convert_out *out, const char *name, uint64_t size)
{
	struct out_file *files = mem_resize(out->files, out->count + 1,
					    sizeof(*files));
	char *copy = mem_strdup(name);

	if (files)
		out->files = files;
	if (!files || !copy) {
		free(copy);
		return -ENOMEM;
	}
	files[out->count++] = (struct out_file){ .name = copy, .size = size };
	return 0;
}

static int list(struct convert_out *out, struct refusal *why)
{
	DIR *dir = opendir(out->folder);
	const struct dirent *entry;
	struct stat st;
	int r = dir ? 0 : -errno;

	while (r == 0 && (entry = readdir(dir))) {
		if (!name_is_plain(entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (out->count == CONVERT_FILES_MAX)
			r = refuse(why, "bad-file", NULL,
				   "the converter wrote too many files");
		else
			r = add_file(out, entry->d_name, (uint64_t)st.st_size);
	}
	if (dir)
		closedir(dir);
	return r;
}

static struct out_file *find(struct convert_out *out, const char *name)
{
	for (size_t i = 0; i < out->count; i++)
		if (strcmp(out->files[i].name, name) == 0)
			return &out->files[i];
	return NULL;
}

static bool is_reserved(const char *name)
{
	return strcmp(name, "info.json") == 0 ||
	       strcmp(name, "staged.status") == 0 ||
	       strcmp(name, STAGED_NAME) == 0;
}

/* The data of model @name is there, and long enough. */
static int check_data(struct convert_out *out, const char *name,
		      const struct json *look, struct refusal *why)
{
	const struct json *data = json_first(json_get(look, "data"));

	for (; data; data = json_next(data)) {
		const char *beside = json_string(json_get(data, "name"));
		struct out_file *file = beside ? find(out, beside) : NULL;
		uint64_t size = 0;

		if (!file || is_reserved(beside) || is_model(beside) ||
		    !json_u64(json_get(data, "size"), &size) ||
		    file->size < size)
			return refuse(why, "bad-file", name,
				      "the data of the converted model is not "
				      "beside it, or too short");
		file->wanted = true;
	}
	return 0;
}

static int take_look(struct convert_out *out, struct out_file *file,
		     const struct str *text, struct refusal *why)
{
	auto_json struct json_doc *doc = NULL;
	int r = json_parse(str_text(text), text->len, CONVERT_LOOK_BYTES_MAX,
			   &doc);

	if (r < 0)
		return r == -ENOMEM ? r
				    : refuse(why, "bad-file", file->name,
					     "what the converter wrote is not "
					     "an ONNX model");
	file->wanted = true;
	file->look = mem_strdup(str_text(text));
	return file->look ? check_data(out, file->name, json_root(doc), why)
			  : -ENOMEM;
}

static int look_at(struct convert_out *out, struct out_file *file,
		   struct box_process *process, struct refusal *why)
{
	auto_free char *path = mem_printf("%s/%s", out->folder, file->name);
	char *argv[] = { (char *)(uintptr_t)process->path,
			 (char *)(uintptr_t) "look", path, NULL };
	char *environment[] = { NULL };
	auto_str struct str output;
	int r;

	/* Twice: the tail of what is longer would be cut in front. */
	str_init(&output, 2 * CONVERT_LOOK_BYTES_MAX);
	if (!path)
		return -ENOMEM;
	process->argv = argv;
	process->environment = environment;
	process->output = &output;
	r = box_process_run(process);
	if (r < 0)
		return r;
	if (r > 0)
		return refuse(why, "bad-file", file->name,
			      "what the converter wrote is not an ONNX model");
	return take_look(out, file, &output, why);
}

int convert_out_open(const char *folder, const char *box,
		     int (*look)(void *arg), void *arg, struct convert_out *out,
		     struct refusal *why)
{
	struct box_process process = {
		.path = box,
		.until_ns = clock_after_ns(2 * CONVERT_LOOK_S * NS_PER_S),
		.look = look,
		.arg = arg,
	};
	int r = 0;

	out->folder = mem_strdup(folder);
	if (!out->folder)
		return -ENOMEM;
	r = list(out, why);
	if (r == 0 && count_models(out) == 0)
		return refuse(why, "no-file", NULL,
			      "the converter wrote no .onnx file");
	for (size_t i = 0; r == 0 && i < out->count; i++)
		if (is_model(out->files[i].name))
			r = look_at(out, &out->files[i], &process, why);
	return r;
}
