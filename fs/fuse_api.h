/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse_api.h - libfuse's low-level interface, at the version we write to.
 *
 * 3.5 is the newest that every libfuse from 3.10 to 3.18 offers alike.
 */
#ifndef FS_FUSE_API_H
#define FS_FUSE_API_H

#define FUSE_USE_VERSION 35

#include <fuse_lowlevel.h>

#endif
