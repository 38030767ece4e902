/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fs/mount_point.h"
#include "tools/command.h"

static const struct option options[] = {
	{ "lazy", no_argument, NULL, 'z' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int unmount(const char *mountpoint, bool lazy)
{
	int r = mount_point_unmount(mountpoint, lazy);

	switch (r) {
	case 0:
		return 0;
	case -EINVAL:
		return complain("nothing of omnihub is mounted at %s",
				mountpoint);
	case -EBUSY:
		return complain("%s is in use (see: fuser -vm %s); --lazy "
				"unmounts it when it is not",
				mountpoint, mountpoint);
	default:
		return complain("cannot unmount %s: %s", mountpoint,
				strerror(-r));
	}
}

int command_umount(int argc, char **argv)
{
	auto_free char *found = NULL;
	auto_free char *real = NULL;
	bool lazy = false;
	int option;

	while ((option = getopt_long(argc, argv, "zh", options, NULL)) != -1) {
		if (option == 'h') {
			fputs("Usage: omnihub umount [--lazy] [MOUNTPOINT]\n"
			      "\n"
			      "Unmounts MOUNTPOINT, or the one mount there "
			      "is.\n"
			      "\n"
			      "  -z, --lazy   also while files in it are open\n"
			      "  --help       this text\n",
			      stdout);
			return 0;
		}
		if (option == '?')
			return EXIT_USAGE;
		lazy = true;
	}
	if (optind + 1 < argc)
		return complain_usage("umount", "one mount point, please");
	if (optind == argc) {
		if (mount_point_find(NULL, &found) < 0)
			return complain("nothing of omnihub is mounted");
		return unmount(found, lazy);
	}
	/* Of a dead mount realpath() knows nothing: the name as given. */
	real = realpath(argv[optind], NULL);
	return unmount(real ? real : argv[optind], lazy);
}
