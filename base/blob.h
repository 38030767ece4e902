/* SPDX-License-Identifier: MIT */
/*
 * base/blob.h - immutable bytes that this machine has, or can get.
 *
 * The cache makes blobs of what providers offer (base/source.h); a local
 * file is one too (blob_open_file()).  What the mount shows is composed of
 * ranges of blobs (base/content.h).
 *
 * Reference counted; safe from any thread.
 */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/hash.h"

struct blob;

struct blob_ops {
	/*
	 * Copies [off, off + len), which lies within the blob and is
	 * resident.  Never waits for a network.  -ENODATA: a part is not
	 * resident (never zeros from a hole); -EIO: damage or disk.
	 */
	int (*read)(struct blob *blob, uint64_t off, size_t len, void *to);

	/*
	 * As read(), but gets what is missing and waits for it, at most
	 * until @deadline_ns.  For the slow lane only, but with DEADLINE_NOW
	 * anyone's: then -EINPROGRESS where read() has -ENODATA.
	 * -ETIMEDOUT, or the errno of the hub's answer.
	 */
	int (*fetch)(struct blob *blob, uint64_t off, size_t len, void *to,
		     uint64_t deadline_ns);

	/* The last reference is gone. */
	void (*free)(struct blob *blob);
};

struct blob {
	const struct blob_ops *ops;
	atomic_uint refs;
	uint64_t size;		/* exact, fixed */
	struct content_key key; /* fixed */
	struct digest digest;	/* fixed; kind NONE where unknown */
};

/* One reference. */
void blob_init(struct blob *blob, const struct blob_ops *ops, uint64_t size,
	       const struct content_key *key, const struct digest *digest);
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob);

/* The ops, with the range checked: -EINVAL where it leaves the blob. */
int blob_read(struct blob *blob, uint64_t off, size_t len, void *to) MUST_CHECK;
int blob_fetch(struct blob *blob, uint64_t off, size_t len, void *to,
	       uint64_t deadline_ns) MUST_CHECK;

/*
 * A regular local file, read in place.  Reads of it give -ESTALE once its
 * size or mtime is no longer what it was.  -errno of open or stat; -EINVAL.
 */
int blob_open_file(const char *path, struct blob **out) MUST_CHECK;

/*
 * As blob_open_file(), of an open file; takes @fd, also on failure.
 * @digest NULL: none.  @key NULL: made of @digest, or else of the file's
 * device, inode, size and mtime, which holds on this machine only.
 */
int blob_of_fd(int fd, const struct content_key *key,
	       const struct digest *digest, struct blob **out) MUST_CHECK;

/* Bytes in memory; takes @bytes (of mem_alloc()), also on failure. */
int blob_of_bytes(void *bytes, size_t len, struct blob **out) MUST_CHECK;

DEFINE_AUTO_PTR(blob, struct blob, blob_unref)
#define auto_blob auto_of(blob)

#endif
