/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "fs/config.h"
#include "fs/daemon.h"
#include "tools/command.h"

/* What getopt_long() returns for options that are settings. */
#define OPTION_SETTING 1000

static const struct option options[] = {
	{ "cache", required_argument, NULL, OPTION_SETTING },
	{ "cache-size", required_argument, NULL, OPTION_SETTING },
	{ "keep-free", required_argument, NULL, OPTION_SETTING },
	{ "endpoint", required_argument, NULL, OPTION_SETTING },
	{ "verify", required_argument, NULL, OPTION_SETTING },
	{ "form", required_argument, NULL, OPTION_SETTING },
	{ "profile", required_argument, NULL, OPTION_SETTING },
	{ "skeletons", required_argument, NULL, OPTION_SETTING },
	{ "converter", required_argument, NULL, OPTION_SETTING },
	{ "converter-sandbox", required_argument, NULL, OPTION_SETTING },
	{ "converter-memory", required_argument, NULL, OPTION_SETTING },
	{ "converter-timeout", required_argument, NULL, OPTION_SETTING },
	{ "timeout", required_argument, NULL, OPTION_SETTING },
	{ "log", required_argument, NULL, OPTION_SETTING },
	{ "log-level", required_argument, NULL, OPTION_SETTING },
	{ "offline", no_argument, NULL, OPTION_SETTING },
	{ "allow-other", no_argument, NULL, OPTION_SETTING },
	{ "foreground", no_argument, NULL, OPTION_SETTING },
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void mount_help(void)
{
	fputs("Usage: omnihub mount [OPTION]... [MOUNTPOINT]\n"
	      "\n"
	      "Mounts the model hubs at MOUNTPOINT (default /mnt/omnihub) "
	      "and returns when\n"
	      "they can be read.\n"
	      "\n"
	      "  --cache DIR            where blocks are kept (default "
	      "~/.cache/omnihub)\n"
	      "  --cache-size N         how much, such as 50G (default: a "
	      "tenth of the disk)\n"
	      "  --keep-free N          left free on that disk (default: a "
	      "twentieth of it, at\n"
	      "                         most 10G)\n"
	      "  --endpoint NAME=URL    where a hub is: a URL, or a folder "
	      "with <org>/<model>/\n"
	      "                         or a Hugging Face cache in it; may "
	      "be repeated\n"
	      "  --verify MODE          check a file's digest: complete "
	      "(default, when all of it\n"
	      "                         is there), full (before the first "
	      "byte), off\n"
	      "  --form FORM            staged.onnx is plain (default) or "
	      "dl4j\n"
	      "  --profile PROFILE      halves as float32 (portable, the "
	      "default), or as they\n"
	      "                         are (native)\n"
	      "  --skeletons DIR        graphs of your own architectures: "
	      "DIR/<name>.onnx\n"
	      "  --converter COMMAND    what converts a model that is not "
	      "staged, with {snapshot},\n"
	      "                         {out} and {task} in it (default: "
	      "optimum's exporter); none\n"
	      "  --converter-sandbox S  auto (default), namespaces, landlock "
	      "or off\n"
	      "  --converter-memory N   of the converter, such as 8G\n"
	      "  --converter-timeout S  seconds it may take (default 3600)\n"
	      "  --offline              use only what is in the cache\n"
	      "  --allow-other          let other users read the mount\n"
	      "  --foreground           stay, and log to standard error\n"
	      "  --timeout SECONDS      when a request is given up (default "
	      "120)\n"
	      "  --log FILE             the log (default: omnihub.log in the "
	      "cache)\n"
	      "  --log-level LEVEL      error, warn, info (default), debug\n"
	      "  --config FILE          read settings first: \"cache-size = "
	      "50G\", [endpoints]\n"
	      "  --help                 this text\n"
	      "\n"
	      "Environment: HF_TOKEN, HF_TOKEN_PATH, HF_HOME, HF_ENDPOINT, "
	      "HF_HUB_OFFLINE as\n"
	      "the Hugging Face tools use them.\n",
	      stdout);
}

/* A setting of the command line or the file, or a complaint. */
static int apply(struct config *config, const char *name, const char *value)
{
	auto_str struct str why;

	str_init(&why, PATH_BYTES_MAX);
	if (config_set(config, name, value, &why) < 0)
		return complain_usage("mount", "--%s", str_text(&why));
	return 0;
}

static int apply_file(struct config *config, const char *path)
{
	auto_str struct str why;

	str_init(&why, 2 * PATH_BYTES_MAX);
	if (config_read(config, path, &why) < 0)
		return complain_usage("mount", "%s", str_text(&why));
	return 0;
}

/* The file first, so that the command line wins. */
static int apply_config_option(struct config *config, int argc, char **argv)
{
	int option;
	int status = 0;

	opterr = 0;
	optind = 1;
	while (status == 0 &&
	       (option = getopt_long(argc, argv, "h", options, NULL)) != -1)
		if (option == 'c')
			status = apply_file(config, optarg);
	optind = 1;
	opterr = 1;
	return status;
}

/* -1: go on and mount; else an exit status. */
static int apply_arguments(struct config *config, int argc, char **argv)
{
	int status = apply_config_option(config, argc, argv);
	int option;
	int index = 0;

	while (status == 0 &&
	       (option = getopt_long(argc, argv, "h", options, &index)) != -1) {
		if (option == 'h') {
			mount_help();
			return 0;
		}
		if (option == '?')
			return EXIT_USAGE;
		if (option == OPTION_SETTING)
			status = apply(config, options[index].name, optarg);
	}
	if (status == 0 && optind + 1 < argc)
		return complain_usage("mount", "one mount point, please");
	if (status == 0 && optind < argc)
		status = apply(config, "mountpoint", argv[optind]);
	return status ? status : -1;
}

/* The daemon lives in "/": names must not depend on where we are. */
static int make_absolute(char **path)
{
	auto_free char *cwd = NULL;
	char *absolute;

	if (!*path || **path == '/')
		return 0;
	cwd = getcwd(NULL, 0);
	absolute = cwd ? mem_printf("%s/%s", cwd, *path) : NULL;
	if (!absolute)
		return -ENOMEM;
	free(*path);
	*path = absolute;
	return 0;
}

/* As the kernel will name it: no links, no "..", if it is there. */
static int make_real(char **path)
{
	char *real;
	int r = make_absolute(path);

	if (r < 0)
		return r;
	real = realpath(*path, NULL);
	if (real) {
		free(*path);
		*path = real;
	}
	return 0;
}

static int make_paths(struct config *config)
{
	int r = make_real(&config->mountpoint);

	if (r == 0)
		r = make_real(&config->cache_dir);
	if (r == 0)
		r = make_absolute(&config->log_file);
	for (size_t i = 0; r == 0 && i < config->endpoint_count; i++)
		if (config->endpoints[i].value[0] == '.')
			r = make_absolute(&config->endpoints[i].value);
	return r;
}

/* Where the log of a daemon goes; standard error is gone by then. */
static int open_log(const struct config *config)
{
	auto_free char *path = NULL;
	int fd;

	if (config->foreground && !config->log_file) {
		log_open(STDERR_FILENO, config->log_level);
		return 0;
	}
	/* Where that fails the cache says why. */
	if (!config->log_file)
		(void)!folders_make(config->cache_dir);
	path = config->log_file
		       ? mem_strdup(config->log_file)
		       : mem_printf("%s/omnihub.log", config->cache_dir);
	if (!path)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	log_open(fd, config->log_level);
	return 0;
}

static void ready_here(void *arg, int error, const char *why)
{
	const struct config *config = arg;

	if (error < 0)
		complain("%s", why);
	else
		fprintf(stderr, "omnihub: mounted at %s\n", config->mountpoint);
}

/* The child tells the waiting parent: nothing, or what is wrong. */
static void ready_parent(void *arg, int error, const char *why)
{
	int fd = *(const int *)arg;
	int null = open("/dev/null", O_RDWR);

	if (error < 0) {
		if (write(fd, why, strlen(why)) < 0)
			log_error("mount", "%s", why);
	} else if (write(fd, "", 1) < 0) {
		log_warn("mount", "nobody waits for the mount");
	}
	close(fd);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
}

/* A NUL from the child: mounted.  A text: why not.  Nothing: it died. */
static int wait_for_child(int fd)
{
	char why[2 * PATH_BYTES_MAX];
	size_t len = 0;
	ssize_t got;

	while (len < sizeof(why) - 1 &&
	       (got = read(fd, why + len, sizeof(why) - 1 - len)) > 0)
		len += (size_t)got;
	if (len > 0 && why[0] == '\0')
		return 0;
	why[len] = '\0';
	return complain("%s", len ? why : "the mount ended before it began");
}

static int run_in_background(const struct config *config)
{
	int ready[2];
	pid_t child;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return complain("cannot start: %s", strerror(errno));
	child = fork();
	if (child < 0)
		return complain("cannot start: %s", strerror(errno));
	if (child > 0) {
		close(ready[1]);
		return wait_for_child(ready[0]);
	}
	close(ready[0]);
	setsid();
	if (chdir("/") < 0)
		_exit(1);
	_exit(daemon_run(config, ready_parent, &ready[1]) < 0);
}

static int run(struct config *config)
{
	auto_str struct str why;
	int r;

	str_init(&why, PATH_BYTES_MAX);
	if (config_complete(config, &why) < 0)
		return complain("%s", str_text(&why));
	r = make_paths(config);
	if (r == 0)
		r = open_log(config);
	if (r < 0)
		return complain("cannot start: %s", strerror(-r));
	if (!config->foreground)
		return run_in_background(config);
	return daemon_run(config, ready_here, config) < 0;
}

int command_mount(int argc, char **argv)
{
	auto_config struct config config;
	int status;

	config_init(&config);
	status = apply_arguments(&config, argc, argv);
	return status < 0 ? run(&config) : status;
}

/* Options of mount(8) that mean nothing here. */
static bool is_generic(const char *name)
{
	static const char *const names[] = {
		"rw",	 "ro",	    "defaults", "auto",	  "noauto",
		"user",	 "users",   "nouser",	"owner",  "dev",
		"nodev", "suid",    "nosuid",	"exec",	  "noexec",
		"atime", "noatime", "_netdev",	"nofail", "relatime",
	};

	if (strncmp(name, "x-", 2) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* "cache=/var/cache/omnihub,offline", which is taken apart. */
static int apply_mount_options(struct config *config, char *text)
{
	char *rest = text;
	char *word;
	int status = 0;

	while (status == 0 && (word = strsep(&rest, ","))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		if (strcmp(word, "allow_other") == 0)
			status = apply(config, "allow-other", value);
		else if (strcmp(word, "config") == 0 && value)
			status = apply_file(config, value);
		else if (*word && !is_generic(word))
			status = apply(config, word, value);
	}
	return status;
}

int command_mount_helper(int argc, char **argv)
{
	auto_config struct config config;
	int status = 0;
	int option;

	config_init(&config);
	while (status == 0 &&
	       (option = getopt(argc, argv, "sfnvo:N:t:")) != -1) {
		if (option == 'f')
			return 0; /* "fake": only say what would be done */
		if (option == 'o')
			status = apply_mount_options(&config, optarg);
		else if (option == '?')
			status = EXIT_USAGE;
	}
	if (status == 0 && optind + 2 != argc)
		status = complain_usage("mount", "mount.omnihub SOURCE "
						 "MOUNTPOINT [-o OPTIONS]");
	if (status == 0)
		status = apply(&config, "mountpoint", argv[optind + 1]);
	return status ? status : run(&config);
}
