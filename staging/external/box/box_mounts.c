/* SPDX-License-Identifier: MIT */
/*
 * What a converter sees of the file system: all of it as it is, but not to
 * be written to and without devices; three folders of its own; and empty
 * ones where others leave sockets and pipes.
 *
 * Facts: mount_namespaces(7), mount_setattr(2), pivot_root(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/external/box/box.h"

/* Where the new root is while it is put together. */
static char *at_root(const struct box *box, const char *path)
{
	return mem_printf("%s/" BOX_ROOT "%s", box->folder, path);
}

static int lock_down(const char *path, unsigned int flags, uint64_t set)
{
	struct mount_attr attributes = { .attr_set = set };

	return mount_setattr(AT_FDCWD, path, flags, &attributes,
			     sizeof(attributes));
}

static int copy_root(const struct box *box)
{
	auto_free char *root = at_root(box, "");

	if (!root || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("/", root, NULL, MS_BIND | MS_REC, NULL) < 0)
		return box_complain("copy the mounts");
	if (lock_down(root, AT_RECURSIVE,
		      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
			      MOUNT_ATTR_NODEV) < 0)
		return box_complain("make the mounts read-only");
	return 0;
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/* Whether the converter itself, or the job, lies in @folder. */
static bool is_needed(const struct box *box, const char *folder)
{
	for (char **word = box->argv; *word; word++)
		if (is_below(*word, folder))
			return true;
	return is_below(box->folder, folder);
}

/* An empty folder of memory over @path, if there is such a folder. */
static int cover(const struct box *box, const char *path)
{
	auto_free char *target = at_root(box, path);
	auto_free char *options = mem_printf(
		"mode=1777,size=%llu", (unsigned long long)CONVERT_TMPFS_BYTES);
	struct stat st;

	if (!target || !options)
		return box_complain("get memory");
	if (lstat(target, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	if (mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
		return box_complain("mount an empty folder");
	return 0;
}

static int hide(const struct box *box)
{
	static const char *const folders[] = { "/run", "/tmp", "/var/tmp" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(folders); i++)
		if (!is_needed(box, folders[i]))
			r = cover(box, folders[i]);
	return r;
}

/* A device: an empty file that the old one is mounted on. */
static int show_device(const struct box *box, const char *path)
{
	auto_free char *target = at_root(box, path);
	int fd = target ? open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)
			: -1;

	if (fd < 0)
		return box_complain("make /dev");
	close(fd);
	if (mount(path, target, NULL, MS_BIND, NULL) < 0)
		return box_complain("show a device");
	return 0;
}

static int make_dev(const struct box *box)
{
	static const char *const devices[] = { "/dev/null", "/dev/zero",
					       "/dev/full", "/dev/random",
					       "/dev/urandom" };
	auto_free char *shm = at_root(box, "/dev/shm");
	auto_free char *fds = at_root(box, "/dev/fd");
	int r = cover(box, "/dev");

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(devices); i++)
		r = show_device(box, devices[i]);
	if (r)
		return r;
	if (!shm || !fds || mkdir(shm, 01777) < 0 ||
	    symlink("/proc/self/fd", fds) < 0)
		return box_complain("make /dev");
	return 0;
}

/*
 * Processes of the box only.  A container that hides parts of /proc lets
 * nobody mount another: then it stays what it is, read-only.
 */
static int make_proc(const struct box *box)
{
	auto_free char *target = at_root(box, "/proc");

	if (!target)
		return box_complain("get memory");
	if (mount("proc", target, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) < 0)
		return 0;
	if (lock_down(target, 0, MOUNT_ATTR_RDONLY) < 0)
		return box_complain("make /proc read-only");
	return 0;
}

/* From the place where it is writable still. */
static int open_folders(const struct box *box)
{
	static const char *const names[] = BOX_FOLDERS;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		auto_free char *from = mem_printf("%s/%s", box->folder,
						  names[i]);
		auto_free char *to = from ? at_root(box, from) : NULL;

		if (!to || mount(from, to, NULL, MS_BIND, NULL) < 0 ||
		    lock_down(to, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV) < 0)
			return box_complain("open the job's folders");
	}
	return 0;
}

/* The old root goes, and with it every mount that was not copied. */
static int enter_root(const struct box *box)
{
	auto_free char *root = at_root(box, "");

	if (!root || chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return box_complain("enter the new root");
	return 0;
}

int box_mount(const struct box *box)
{
	int r = copy_root(box);

	r = r ?: hide(box);
	r = r ?: make_dev(box);
	r = r ?: make_proc(box);
	r = r ?: open_folders(box);
	return r ?: enter_root(box);
}
