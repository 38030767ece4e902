/* SPDX-License-Identifier: MIT */
/*
 * tools/command.h - the subcommands of `omnihub`, one file each.
 *
 * A command gets its arguments with its own name as argv[0] and returns an
 * exit status: 0, 1 (it failed) or 2 (it was called wrongly).
 */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include "base/annot.h"

#define EXIT_USAGE 2

int command_mount(int argc, char **argv);
int command_umount(int argc, char **argv);
int command_stage(int argc, char **argv);
int command_info(int argc, char **argv);
int command_status(int argc, char **argv);
int command_convert(int argc, char **argv);

/* mount(8) calls us as mount.omnihub SOURCE MOUNTPOINT [-o OPTIONS]. */
int command_mount_helper(int argc, char **argv);

/* "omnihub: " and a line on standard error; returns 1. */
int complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* As complain(), naming the command's --help; returns EXIT_USAGE. */
int complain_usage(const char *command, const char *format, ...)
	PRINTF_LIKE(2, 3);

#endif
