/* SPDX-License-Identifier: MIT */
/*
 * fs/mount_point.h - the directory a filesystem is mounted on.
 *
 * Nothing here touches a mount that is being served: that would be waiting
 * for ourselves.
 */
#ifndef FS_MOUNT_POINT_H
#define FS_MOUNT_POINT_H

#include <stdbool.h>

#include "base/annot.h"
#include "base/str.h"

/*
 * Makes @mountpoint if it is absent.  -EBUSY: something is mounted there;
 * -ENOTDIR, -ENOTEMPTY, -EINVAL (the cache is inside it), -errno; then
 * @why has a sentence for people.
 */
int mount_point_check(const char *mountpoint, const char *cache_dir,
		      struct str *why) MUST_CHECK;

/* Gives the mount a larger read-ahead, where we are allowed to (root). */
void mount_point_readahead(const char *mountpoint);

/*
 * The first mount of ours at or above @path, or any if @path is NULL; the
 * caller frees *@out.  -ENOENT: there is none.
 */
int mount_point_find(const char *path, char **out) MUST_CHECK;

/* Whether a mount of ours is there, as the kernel's table has it. */
bool mount_point_is_ours(const char *mountpoint);

/*
 * Unmounts @mountpoint; @lazy: also while files in it are open.
 * -EBUSY, -EINVAL (nothing of ours is mounted there), -EPERM.
 */
int mount_point_unmount(const char *mountpoint, bool lazy) MUST_CHECK;

#endif
