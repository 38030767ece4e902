/* SPDX-License-Identifier: MIT */
/*
 * base/source.h - immutable bytes somewhere else, got by ranges.
 *
 * Providers make sources, the cache reads them; neither knows the other.
 *
 * Reference counted; safe from any thread.
 */
#ifndef BASE_SOURCE_H
#define BASE_SOURCE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/hash.h"

struct source;

/* Where the bytes of one range go.  Called on the provider's thread. */
struct source_sink {
	/*
	 * The next bytes of the range, in order, each byte once, @off being
	 * their place in the source.  Must be quick.  An error ends the
	 * transfer, and is what done() gets.
	 */
	int (*data)(struct source_sink *sink, uint64_t off, const void *bytes,
		    size_t len);

	/*
	 * Exactly once, last, never from within fetch().  0: all was given
	 * to data().  The sink may free itself.
	 */
	void (*done)(struct source_sink *sink, int result);
};

enum source_urgency {
	SOURCE_WANTED, /* a reader waits */
	SOURCE_AHEAD   /* readahead: after all that is wanted */
};

struct source_ops {
	/*
	 * Begins the transfer of [off, off + len), which lies within the
	 * source.  Retries, resumption and redirects are the source's own
	 * affair, until @deadline_ns.  Never blocks.  On failure @sink is
	 * not called.  -EIO after retries, -EACCES, -ENOENT, -ESTALE (no
	 * longer what was listed) and so on reach done().
	 */
	int (*fetch)(struct source *source, uint64_t off, uint64_t len,
		     enum source_urgency urgency, uint64_t deadline_ns,
		     struct source_sink *sink);

	/*
	 * NULL, or opens the local file that holds exactly these bytes:
	 * a new file descriptor or -errno.  Such a source is read in place
	 * and never copied.
	 */
	int (*open_local)(struct source *source);

	/* The last reference is gone. */
	void (*free)(struct source *source);
};

struct source {
	const struct source_ops *ops;
	atomic_uint refs;
	uint64_t size;		/* exact, fixed */
	struct digest digest;	/* of the whole, from the hub; or NONE */
	struct content_key key; /* fixed */
	char *label; /* owned; for logs: "org/model/file"; no secret */
};

/* One reference; copies @label.  -ENOMEM. */
int source_init(struct source *source, const struct source_ops *ops,
		uint64_t size, const struct digest *digest,
		const struct content_key *key, const char *label) MUST_CHECK;

/* Frees what source_init() took; for free(). */
void source_fini(struct source *source);

struct source *source_ref(struct source *source);
void source_unref(struct source *source);

DEFINE_AUTO_PTR(source, struct source, source_unref)
#define auto_source auto_of(source)

#endif
