/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/command.h"

static const struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "mount", "mount the model hubs", command_mount },
	{ "umount", "unmount them", command_umount },
	{ "stage", "write a model folder as one staged file", command_stage },
	{ "convert", "convert a model that cannot be staged", command_convert },
	{ "info", "tell what a model in a mount is and takes", command_info },
	{ "status", "tell how a mount is doing", command_status },
};

PRINTF_LIKE(2, 0)
static void complain_with(const char *command, const char *format, va_list args)
{
	fprintf(stderr, "omnihub%s%s: ", command ? " " : "",
		command ? command : "");
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain_with(NULL, format, args);
	va_end(args);
	return 1;
}

int complain_usage(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain_with(command, format, args);
	va_end(args);
	fprintf(stderr, "Try: omnihub %s --help\n", command);
	return EXIT_USAGE;
}

static int usage(FILE *to)
{
	fputs("omnihub - model hubs as a filesystem\n"
	      "\n"
	      "Usage: omnihub COMMAND [OPTION]... [ARGUMENT]...\n"
	      "\n",
	      to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name,
			commands[i].summary);
	fputs("\n"
	      "  omnihub COMMAND --help   the options of a command\n"
	      "  omnihub --version        versions of the program and libfuse\n"
	      "\n"
	      "Example:\n"
	      "  omnihub mount ~/models\n"
	      "  ls ~/models/huggingface/google-bert/bert-base-uncased\n"
	      "  omnihub info "
	      "~/models/huggingface/bert-base/pytorch/staged.onnx\n",
	      to);
	return to == stdout ? 0 : EXIT_USAGE;
}

static int version(void)
{
	printf("omnihub %s (libfuse %s)\n", OMNIHUB_VERSION,
	       OMNIHUB_FUSE_VERSION);
	return 0;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	if (strcmp(slash ? slash + 1 : argv[0], "mount.omnihub") == 0)
		return command_mount_helper(argc, argv);
	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return usage(stdout);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return version();
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	complain("there is no command \"%s\"", argv[1]);
	return usage(stderr);
}
