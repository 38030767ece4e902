/* SPDX-License-Identifier: MIT */
/*
 * base/content.h - immutable bytes as the mount shows them.
 *
 * The read path of the whole program is: resolve() the range to extents of
 * blobs (pure), ensure these are resident (cache/cache.h), copy().
 *
 * Reference counted; safe from any thread.
 */
#ifndef BASE_CONTENT_H
#define BASE_CONTENT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/extent.h"

struct blob;
struct content;

struct content_ops {
	/* Appends to @out the blob extents under [off, off + len); pure. */
	int (*resolve)(struct content *content, uint64_t off, uint64_t len,
		       struct extents *out);

	/*
	 * Copies the range; every extent is resident.  Never waits for a
	 * network.
	 */
	int (*copy)(struct content *content, uint64_t off, size_t len,
		    void *to);

	/* The last reference is gone. */
	void (*free)(struct content *content);

	/*
	 * The one blob that these bytes are, from its byte 0, borrowed; NULL
	 * where they are composed.  May be NULL itself.
	 */
	struct blob *(*blob)(struct content *content);

	/*
	 * Learns what resolve() needs, waiting for it at most until
	 * @deadline_ns: -EINPROGRESS where that is DEADLINE_NOW, -ETIMEDOUT.
	 * Once it gave 0 it costs nothing.  NULL: nothing is to be learnt.
	 */
	int (*prepare)(struct content *content, uint64_t deadline_ns);
};

struct content {
	const struct content_ops *ops;
	atomic_uint refs;
	uint64_t size; /* exact, fixed */
};

void content_init(struct content *content, const struct content_ops *ops,
		  uint64_t size);
struct content *content_ref(struct content *content);

/* NULL is fine, as for every unref of the program. */
void content_unref(struct content *content);

/* The ops; -EINVAL where the range leaves the content. */
int content_resolve(struct content *content, uint64_t off, uint64_t len,
		    struct extents *out) MUST_CHECK;
int content_copy(struct content *content, uint64_t off, size_t len,
		 void *to) MUST_CHECK;
struct blob *content_blob(struct content *content);

/* Before the first resolve; a lane's, but with DEADLINE_NOW anyone's. */
int content_prepare(struct content *content, uint64_t deadline_ns) MUST_CHECK;

/* The whole of @blob; takes its own reference. */
int content_of_blob(struct blob *blob, struct content **out) MUST_CHECK;

/* Bytes in memory; takes @bytes (of mem_alloc()), also on failure. */
int content_of_bytes(void *bytes, size_t len, struct content **out) MUST_CHECK;

DEFINE_AUTO_PTR(content, struct content, content_unref)
#define auto_content auto_of(content)

#endif
