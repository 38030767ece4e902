/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "fs/mount_point.h"
#include "tools/command.h"
#include "tools/progress.h"

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static unsigned long long figure(const struct json *root, const char *name)
{
	uint64_t value = 0;

	json_u64(json_get(root, name), &value);
	return value;
}

static void print_size(const struct json *root, const char *title,
		       const char *name, const char *of)
{
	char size[PROGRESS_SIZE_TEXT];
	char whole[PROGRESS_SIZE_TEXT];

	printf("  %-12s %s", title, progress_size(figure(root, name), size));
	if (of)
		printf(" of %s", progress_size(figure(root, of), whole));
	putchar('\n');
}

static void print_text(const struct json *root, const char *title,
		       const char *name)
{
	const char *text = json_string(json_get(root, name));

	printf("  %-12s %s\n", title, text ? text : "?");
}

/* "converting org/model (fill-mask), 12 s, 45 %" */
static void print_jobs(const struct json *jobs)
{
	const struct json *job = json_first(jobs);

	for (; job; job = json_next(job)) {
		const char *label = json_string(json_get(job, "label"));
		const char *state = json_string(json_get(job, "state"));
		double total = (double)figure(job, "total");

		printf("  %-12s %s %s, %llu s", "job", state ? state : "?",
		       label ? label : "?", figure(job, "seconds"));
		if (total > 0)
			printf(", %.0f %%",
			       100 * (double)figure(job, "done") / total);
		putchar('\n');
	}
}

static void print_status(const char *mountpoint, const struct json *root)
{
	printf("%s\n", mountpoint);
	print_text(root, "version", "version");
	print_text(root, "cache", "cache");
	print_size(root, "cached", "cache_bytes", "cache_bytes_max");
	print_size(root, "downloaded", "http_bytes_total", NULL);
	printf("  %-12s %llu sent, %llu tried again, %llu answers refused\n",
	       "requests", figure(root, "http_requests_total"),
	       figure(root, "http_retries_total"),
	       figure(root, "http_rejects_total"));
	printf("  %-12s %llu, of which %llu waited for a fetch\n", "reads",
	       figure(root, "reads_total"), figure(root, "reads_parked_total"));
	printf("  %-12s %llu now; %llu ran out of time\n", "waiting",
	       figure(root, "waiting"), figure(root, "deadlines_total"));
	print_jobs(json_get(root, "jobs"));
	if (figure(root, "cache_bypass"))
		puts("  caching is off: the disk is full or failing");
	if (figure(root, "cache_damaged_total"))
		printf("  %llu damaged blocks were fetched again\n",
		       figure(root, "cache_damaged_total"));
}

static int show(const char *mountpoint, bool as_json)
{
	auto_free char *path = mem_printf("%s/.omnihub/status.json",
					  mountpoint);
	auto_json struct json_doc *doc = NULL;
	auto_str struct str text;
	int r;

	str_init(&text, CONFIG_BYTES_MAX);
	r = path ? file_read_all(AT_FDCWD, path, &text) : -ENOMEM;
	if (r < 0)
		return complain("cannot read the status of %s: %s", mountpoint,
				strerror(-r));
	if (as_json) {
		fputs(str_text(&text), stdout);
		return 0;
	}
	if (json_parse(str_text(&text), text.len, CONFIG_BYTES_MAX, &doc) < 0)
		return complain("the status of %s makes no sense", mountpoint);
	print_status(mountpoint, json_root(doc));
	return 0;
}

int command_status(int argc, char **argv)
{
	auto_free char *mountpoint = NULL;
	auto_free char *real = NULL;
	bool as_json = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs("Usage: omnihub status [--json] [PATH]\n"
			      "\n"
			      "Tells how the mount that PATH is in is doing, "
			      "or the one there is.\n"
			      "\n"
			      "  --json   all figures, for programs\n"
			      "  --help   this text\n",
			      stdout);
			return 0;
		}
		if (option == '?')
			return EXIT_USAGE;
		as_json = true;
	}
	if (optind < argc) {
		real = realpath(argv[optind], NULL);
		if (!real)
			return complain("cannot look at %s: %s", argv[optind],
					strerror(errno));
	}
	if (mount_point_find(real, &mountpoint) < 0)
		return complain(real ? "%s is in no mount of omnihub"
				     : "nothing of omnihub is mounted%s",
				real ? real : "");
	return show(mountpoint, as_json);
}
