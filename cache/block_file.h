/* SPDX-License-Identifier: MIT */
/*
 * cache/block_file.h - one sparse file for each blob.
 *
 * blobs/<2 hex>/<64 hex>: byte N of the file is byte N of the blob; what
 * is not cached is a hole.  Descriptors are kept open for a few at a time.
 *
 * Threads: any.
 */
#ifndef CACHE_BLOCK_FILE_H
#define CACHE_BLOCK_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/hash.h"

struct block_files;

/* "ab/abcd..." below blobs/. */
struct block_name {
	char path[3 + CONTENT_KEY_HEX];
};
void block_name_make(const struct content_key *key, struct block_name *out);

/* @dir_fd is borrowed for as long as @out is used. */
int block_files_new(int dir_fd, struct block_files **out) MUST_CHECK;
void block_files_free(struct block_files *files);

/* All of the bytes.  -ENOENT: no such file; -EIO: it ends before. */
int block_file_read(struct block_files *files, const struct block_name *name,
		    uint64_t off, size_t len, void *to) MUST_CHECK;

/* -ENOENT: no such file, see block_file_make(). */
int block_file_write(struct block_files *files, const struct block_name *name,
		     uint64_t off, size_t len, const void *from) MUST_CHECK;

/* An empty file, if there is none. */
int block_file_make(struct block_files *files,
		    const struct block_name *name) MUST_CHECK;

/* A hole instead of [off, off + len). */
int block_file_punch(struct block_files *files, const struct block_name *name,
		     uint64_t off, uint64_t len) MUST_CHECK;

/* The bytes, then the names of file and folder, are on the disk. */
int block_file_sync(struct block_files *files,
		    const struct block_name *name) MUST_CHECK;
int block_file_remove(struct block_files *files,
		      const struct block_name *name) MUST_CHECK;

/* 0 if the file has @size bytes and no hole; -ENOENT otherwise. */
int block_file_whole(struct block_files *files, const struct block_name *name,
		     uint64_t size) MUST_CHECK;

struct block_file_found {
	struct content_key key;
	uint64_t disk_bytes; /* holes take none */
	int64_t written_wall_s;
};

/* Each file that is named as one of ours; what else is there is left alone. */
int block_files_walk(struct block_files *files,
		     void (*found)(void *arg,
				   const struct block_file_found *file),
		     void *arg) MUST_CHECK;

#endif
