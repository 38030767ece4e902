/* SPDX-License-Identifier: MIT */
/*
 * Starts a conversion in a mount and watches it, by what every program can
 * see: an attribute that acts, and staged.status.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "tools/command.h"
#include "tools/progress.h"

#define ATTRIBUTE "user.omnihub.convert"
#define LOOK_US 200000

/* So long the kernel may believe in the status of before. */
#define STALE_US 1200000

/* As shells have it: ended by SIGINT. */
#define EXIT_INTERRUPTED 130

static const struct option options[] = {
	{ "background", no_argument, NULL, 'b' },
	{ "stop", no_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static bool has(const char *folder, const char *name)
{
	auto_free char *path = mem_printf("%s/%s", folder, name);

	return path && access(path, F_OK) == 0;
}

/*
 * The directory of views that is meant: @path itself, the one it is a file
 * of, or pytorch/ of a model.  NULL: there is none.
 */
static char *find_folder(const char *path)
{
	auto_free char *real = realpath(path, NULL);
	auto_free char *below = NULL;
	struct stat st;

	if (!real || stat(real, &st) < 0)
		return NULL;
	if (!S_ISDIR(st.st_mode))
		*strrchr(real, '/') = '\0';
	below = mem_printf("%s/pytorch", real);
	if (!has(real, "staged.status") && !has(real, "info.json") && below &&
	    access(below, F_OK) == 0)
		return take_ptr(below);
	return take_ptr(real);
}

/* 0 and the document; -ENOENT: no status is there, so something else is. */
static int read_status(const char *folder, struct json_doc **out)
{
	auto_free char *path = mem_printf("%s/staged.status", folder);
	auto_str struct str text;
	int r;

	str_init(&text, CONFIG_BYTES_MAX);
	r = path ? file_read_all(AT_FDCWD, path, &text) : -ENOMEM;
	if (r == -ESTALE)
		return -EAGAIN; /* another has come meanwhile */
	if (r < 0)
		return r;
	r = json_parse(str_text(&text), text.len, CONFIG_BYTES_MAX, out);
	return r == -EBADMSG ? -EAGAIN : r;
}

static const char *text_at(const struct json *root, const char *key)
{
	const char *text = json_string(json_get(root, key));

	return text ? text : "";
}

static int tell_refusal(const char *folder, const struct json *root)
{
	complain("%s: %s", folder, text_at(root, "reason"));
	if (*text_at(root, "converter"))
		return complain("%s", text_at(root, "converter"));
	return complain("that cannot be converted either (%s)",
			text_at(root, "code"));
}

static int tell_failure(const struct json *root)
{
	const struct json *failure = json_get(root, "failure");
	const char *output = text_at(failure, "output");

	complain("the conversion failed: %s", text_at(failure, "reason"));
	if (*output)
		fprintf(stderr, "Its last lines were:\n%s", output);
	return 1;
}

static int tell_done(const char *folder)
{
	printf("%s/%s\n", folder,
	       has(folder, "staged.onnx") ? "staged.onnx" : "");
	return 0;
}

/* What was last told of it, so that it is told once. */
struct watch {
	const char *folder;
	char phase[32];
	struct progress progress;
};

static void end_phase(struct watch *watch)
{
	if (watch->phase[0])
		progress_end(&watch->progress);
}

static void tell_progress(struct watch *watch, const struct json *root)
{
	const char *phase = text_at(root, "phase");
	uint64_t done = 0, total = 0, seconds = 0;

	json_u64(json_get(root, "done"), &done);
	json_u64(json_get(root, "total"), &total);
	json_u64(json_get(root, "seconds"), &seconds);
	if (strcmp(watch->phase, phase) != 0) {
		end_phase(watch);
		snprintf(watch->phase, sizeof(watch->phase), "%s", phase);
		progress_start(&watch->progress, watch->phase, total);
		if (!watch->progress.on)
			fprintf(stderr, "omnihub: %s\n", phase);
	}
	if (total > 0)
		progress_show(&watch->progress, done);
	else if (watch->progress.on)
		fprintf(stderr, "\r%s, %llu s\033[K", phase,
			(unsigned long long)seconds);
}

static int look_failed(const char *folder, int r)
{
	return complain("cannot look at %s: %s", folder, strerror(-r));
}

/* -1: it goes on; else an exit status. */
static int look(struct watch *watch)
{
	auto_json struct json_doc *doc = NULL;
	const struct json *root;
	const char *state;
	int r = read_status(watch->folder, &doc);

	if (r == -EAGAIN)
		return -1;
	if (r == -ENOENT)
		return has(watch->folder, "info.json")
			       ? tell_done(watch->folder)
			       : -1;
	if (r < 0)
		return look_failed(watch->folder, r);
	root = json_root(doc);
	state = text_at(root, "state");
	if (strcmp(state, "converting") == 0) {
		tell_progress(watch, root);
		return -1;
	}
	end_phase(watch);
	if (strcmp(state, "failed") == 0)
		return tell_failure(root);
	if (strcmp(state, "convertible") == 0)
		return complain("the conversion was stopped");
	return tell_refusal(watch->folder, root);
}

static int watch_all(const char *folder)
{
	struct sigaction action = { .sa_handler = on_interrupt };
	struct watch watch = { .folder = folder };
	int status = -1;

	sigaction(SIGINT, &action, NULL);
	usleep(STALE_US);
	while (status < 0 && !interrupted) {
		usleep(LOOK_US);
		status = look(&watch);
	}
	if (status >= 0)
		return status;
	end_phase(&watch);
	fprintf(stderr,
		"\nomnihub: the conversion goes on; omnihub convert --stop %s "
		"ends it\n",
		folder);
	return EXIT_INTERRUPTED;
}

/* -1: it has begun; else an exit status. */
static int start(const char *folder)
{
	auto_json struct json_doc *doc = NULL;

	if (setxattr(folder, ATTRIBUTE, "1", 1, 0) == 0)
		return -1;
	if (errno != EOPNOTSUPP)
		return complain("cannot convert %s: %s", folder,
				strerror(errno));
	if (read_status(folder, &doc) == 0)
		return tell_refusal(folder, json_root(doc));
	if (has(folder, "staged.onnx"))
		return tell_done(folder); /* composed: no need to */
	return complain("%s is no folder of a model's view in a mount; name "
			"one such as .../pytorch",
			folder);
}

static int stop(const char *folder)
{
	if (setxattr(folder, ATTRIBUTE, "0", 1, 0) == 0)
		return 0;
	return complain(errno == EOPNOTSUPP ? "%s was not converted and is "
					      "not being so"
					    : "cannot stop %s",
			folder);
}

static int help(void)
{
	fputs("Usage: omnihub convert [OPTION]... PATH\n"
	      "\n"
	      "Converts the model at PATH, a folder in a mount such as "
	      ".../pytorch whose\n"
	      "staged.status says \"convertible\", by the mount's converter, "
	      "and waits for it.\n"
	      "\n"
	      "  --background   does not wait\n"
	      "  --stop         ends the conversion, or forgets its result\n"
	      "  --help         this text\n"
	      "\n"
	      "Ctrl-C ends the waiting, not the conversion.\n",
	      stdout);
	return 0;
}

int command_convert(int argc, char **argv)
{
	auto_free char *folder = NULL;
	bool wait = true, end = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return help();
		if (option == '?')
			return EXIT_USAGE;
		wait = wait && option != 'b';
		end = end || option == 's';
	}
	if (optind + 1 != argc)
		return complain_usage("convert", "name one PATH");
	folder = find_folder(argv[optind]);
	if (!folder)
		return complain("cannot look at %s: %s", argv[optind],
				strerror(errno));
	if (end)
		return stop(folder);
	status = start(folder);
	if (status >= 0)
		return status;
	return wait ? watch_all(folder) : 0;
}
