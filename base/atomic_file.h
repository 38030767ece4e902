/* SPDX-License-Identifier: MIT */
/*
 * base/atomic_file.h - small files appear whole or not at all.
 */
#ifndef BASE_ATOMIC_FILE_H
#define BASE_ATOMIC_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/str.h"

/* Writes a temporary, syncs, renames to @name in @dir_fd, syncs the folder. */
int atomic_file_write(int dir_fd, const char *name, const void *bytes,
		      size_t len) MUST_CHECK;

/* Appends the whole regular file to @out.  -EFBIG: past @out's bound. */
int file_read_all(int dir_fd, const char *name, struct str *out) MUST_CHECK;

/* pread() of all @len bytes.  -EIO: the file ends before. */
int file_pread(int fd, uint64_t off, size_t len, void *to) MUST_CHECK;
int file_pwrite(int fd, uint64_t off, size_t len, const void *from) MUST_CHECK;

/* As mkdir -p: @path for its owner alone, those above with usual rights. */
int folders_make(const char *path) MUST_CHECK;

#endif
