/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/atomic_file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "tools/command.h"
#include "tools/progress.h"

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* Longer than any value of ours. */
#define VALUE_BYTES_MAX 4096

static void print_row(const char *title, const char *value)
{
	if (value && *value)
		printf("  %-12s %s\n", title, value);
}

static void print_attribute(const char *path, const char *name)
{
	auto_free char *full = mem_printf("user.omnihub.%s", name);
	char value[VALUE_BYTES_MAX];
	ssize_t len = full ? getxattr(path, full, value, sizeof(value) - 1)
			   : -1;

	if (len <= 0)
		return;
	value[len] = '\0';
	print_row(name, value);
}

static int print_shape(const struct json *shape)
{
	const struct json *dim = json_first(shape);
	uint64_t size;

	if (json_string(shape))
		return printf("[%s]\n", json_string(shape));
	putchar('[');
	for (; dim; dim = json_next(dim)) {
		if (json_u64(dim, &size))
			printf("%llu", (unsigned long long)size);
		else
			printf("%s", json_string(dim) ? json_string(dim) : "?");
		if (json_next(dim))
			fputs(", ", stdout);
	}
	return printf("]\n");
}

static void print_values(const struct json *values, const char *title)
{
	const struct json *value = json_first(values);

	for (; value; value = json_next(value)) {
		const char *name = json_string(json_get(value, "name"));
		const char *dtype = json_string(json_get(value, "dtype"));

		/* Where only a hub's table tells: texts. */
		if (!dtype)
			dtype = json_string(json_get(value, "type"));
		printf("  %-12s %s: %s ", title, name ? name : "?",
		       dtype ? dtype : "?");
		print_shape(json_get(value, "shape"));
	}
}

/* A text, a number, true or false; nothing of what holds others. */
static void print_one(const struct json *value)
{
	double number;

	if (json_string(value))
		fputs(json_string(value), stdout);
	else if (json_double(value, &number))
		printf("%.10g", number);
	else if (json_bool(value, false))
		fputs("true", stdout);
	else if (!json_bool(value, true))
		fputs("false", stdout);
}

/* A value in a line: "shortest_edge 256", "0.5, 0.5, 0.5", "RGB". */
static void print_plain(const struct json *value)
{
	const struct json *item = json_first(value);

	print_one(value);
	for (; item; item = json_next(item)) {
		if (json_key(item))
			printf("%s ", json_key(item));
		print_one(item);
		if (json_next(item))
			fputs(", ", stdout);
	}
	putchar('\n');
}

static void print_preprocessing(const struct json *steps)
{
	const struct json *step = json_first(steps);

	if (json_kind(steps) != JSON_OBJECT)
		return;
	for (; step; step = json_next(step)) {
		printf("  %-12s %s: ", "preprocess", json_key(step));
		print_plain(step);
	}
}

static void print_info(const struct json *root)
{
	static const char *const rows[] = { "id",	 "licence", "task",
					    "family",	 "form",    "staged_by",
					    "signature", "state",   "code",
					    "reason",	 "detail",  "convert",
					    "install" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		print_row(rows[i], json_string(json_get(root, rows[i])));
	print_values(json_get(root, "inputs"), "input");
	print_values(json_get(root, "outputs"), "output");
	print_preprocessing(json_get(root, "preprocessing"));
}

/* 0 and the document; -ENOENT: no such file beside. */
static int read_beside(const char *folder, const char *name, struct str *text)
{
	auto_free char *path = mem_printf("%s/%s", folder, name);

	return path ? file_read_all(AT_FDCWD, path, text) : -ENOMEM;
}

static char *folder_of(const char *path, const struct stat *st)
{
	const char *slash = strrchr(path, '/');

	if (S_ISDIR(st->st_mode))
		return mem_strdup(path);
	if (!slash)
		return mem_strdup(".");
	return mem_strndup(path, (size_t)(slash - path));
}

static int show_beside(const char *folder, const char *name, bool as_json)
{
	auto_json struct json_doc *doc = NULL;
	auto_str struct str text;
	int r;

	str_init(&text, CONFIG_BYTES_MAX);
	r = read_beside(folder, name, &text);
	if (r < 0)
		return r;
	if (as_json) {
		fputs(str_text(&text), stdout);
		return 0;
	}
	r = json_parse(str_text(&text), text.len, CONFIG_BYTES_MAX, &doc);
	if (r == 0)
		print_info(json_root(doc));
	return r;
}

/* What stands in @folder; of a model's own, in its base model's. */
static int show_folder(const char *folder, bool as_json)
{
	static const char *const folders[] = { "", "pytorch/", "jax/",
					       "tensorflow/" };
	static const char *const names[] = { "info.json", "staged.status" };
	int r = -ENOENT;

	for (size_t i = 0; r == -ENOENT && i < 2 * ARRAY_LEN(folders); i++) {
		auto_free char *name = mem_printf("%s%s", folders[i / 2],
						  names[i % 2]);

		r = name ? show_beside(folder, name, as_json) : -ENOMEM;
	}
	return r;
}

static void show_file(const char *path, const struct stat *st)
{
	static const char *const names[] = { "url",  "revision", "sha256",
					     "plan", "state",	 "cached" };
	char size[PROGRESS_SIZE_TEXT];

	printf("%s\n", path);
	if (S_ISREG(st->st_mode))
		printf("  %-12s %lld (%s)\n", "size", (long long)st->st_size,
		       progress_size((uint64_t)st->st_size, size));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		print_attribute(path, names[i]);
}

static int show(const char *path, bool as_json)
{
	auto_free char *folder = NULL;
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return complain("cannot look at %s: %s", path, strerror(errno));
	folder = folder_of(path, &st);
	if (!folder)
		return complain("out of memory");
	if (!as_json)
		show_file(path, &st);
	r = show_folder(folder, as_json);
	if (r == -ENOENT && as_json)
		return complain("%s has no info.json", folder);
	if (r < 0 && r != -ENOENT)
		return complain("cannot read what is said of %s: %s", path,
				strerror(-r));
	return 0;
}

int command_info(int argc, char **argv)
{
	bool as_json = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs("Usage: omnihub info [--json] PATH\n"
			      "\n"
			      "Tells what the model at PATH (a file or folder "
			      "in a mount) is: inputs,\n"
			      "outputs, task, licence, revision; or why it is "
			      "not staged.\n"
			      "\n"
			      "  --json   info.json as it is\n"
			      "  --help   this text\n",
			      stdout);
			return 0;
		}
		if (option == '?')
			return EXIT_USAGE;
		as_json = true;
	}
	if (optind + 1 != argc)
		return complain_usage("info", "name one PATH");
	return show(argv[optind], as_json);
}
