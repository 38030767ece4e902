/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_source.h - a source in memory, whose answers a test orders.
 *
 * fetch() only queues.  A request is answered, in order, on the thread that
 * calls fake_source_answer(), or by a thread of its own between
 * fake_source_serve() and fake_source_quiet().  Deadlines are not kept: a
 * test answers -ETIMEDOUT where a provider would.
 */
#ifndef TESTS_FAKE_FAKE_SOURCE_H
#define TESTS_FAKE_FAKE_SOURCE_H

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/mem.h"
#include "base/source.h"

enum fake_answer {
	FAKE_GOOD,
	FAKE_HALF,	/* half of the bytes, then done(0) */
	FAKE_BROKEN,	/* half of the bytes, then done(-EIO) */
	FAKE_NOTHING,	/* done(-EIO) at once */
	FAKE_LATE,	/* done(-ETIMEDOUT) at once */
	FAKE_MISPLACED, /* the bytes, as if they were from elsewhere */
	FAKE_TOO_MUCH	/* the bytes, and some more */
};

struct fake_asked {
	struct fake_asked *next;
	struct source_sink *sink;
	uint64_t off, len;
	uint64_t deadline_ns;
	enum source_urgency urgency;
};

struct fake_source {
	struct source source;
	uint8_t *bytes;	   /* owned; what it is true of */
	size_t piece;	   /* bytes given to data() at a time */
	const char *local; /* NULL, or the file open_local() opens */
	struct lock lock;
	struct cond asked;
	struct fake_asked *first GUARDED_BY(lock), *last GUARDED_BY(lock);
	unsigned int fetches GUARDED_BY(lock);
	uint64_t fetched GUARDED_BY(lock); /* bytes */
	int refuse GUARDED_BY(lock);	   /* what fetch() returns */
	enum fake_answer served GUARDED_BY(lock);
	bool serving GUARDED_BY(lock);
	pthread_t server;
};

static inline struct fake_source *fake_source_of(struct source *source)
{
	return container_of(source, struct fake_source, source);
}

static inline int fake_source_fetch(struct source *source, uint64_t off,
				    uint64_t len, enum source_urgency urgency,
				    uint64_t deadline_ns,
				    struct source_sink *sink)
{
	struct fake_source *fake = fake_source_of(source);
	struct fake_asked *asked = malloc(sizeof(*asked));
	int refuse;

	assert(len > 0 && off + len <= source->size);
	*asked = (struct fake_asked){
		NULL, sink, off, len, deadline_ns, urgency
	};
	lock_take(&fake->lock);
	refuse = fake->refuse;
	if (!refuse) {
		if (fake->last)
			fake->last->next = asked;
		else
			fake->first = asked;
		fake->last = asked;
		fake->fetches++;
		fake->fetched += len;
		cond_wake_all(&fake->asked);
	}
	lock_drop(&fake->lock);
	if (refuse)
		free(asked);
	return refuse;
}

static inline int fake_source_local(struct source *source)
{
	const char *path = fake_source_of(source)->local;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	return !path ? -ENOENT : fd < 0 ? -errno : fd;
}

/* The test's own; its references end before it does. */
static inline void fake_source_gone(struct source *source)
{
	(void)source;
}

/* Bytes that differ from block to block and from @seed to @seed. */
static inline void fake_source_bytes(uint8_t *bytes, size_t size, uint32_t seed)
{
	uint32_t x = seed * 2654435761u + 1;

	for (size_t i = 0; i < size; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		bytes[i] = (uint8_t)x;
	}
}

/* @digest: what the hub says it is; the key is of @seed and @size. */
static inline void fake_source_init_as(struct fake_source *fake, size_t size,
				       uint32_t seed,
				       const struct digest *digest)
{
	static const struct source_ops ops = { fake_source_fetch,
					       fake_source_local,
					       fake_source_gone };
	auto_free char *pin = mem_printf("fake:%u:%zu", seed, size);
	struct content_key key;

	*fake = (struct fake_source){ .bytes = malloc(size + 1),
				      .piece = 10000 };
	fake_source_bytes(fake->bytes, size, seed);
	lock_init(&fake->lock);
	cond_init(&fake->asked);
	if (content_key_make(digest, pin, &key) < 0 ||
	    source_init(&fake->source, &ops, size, digest, &key,
			"fake/model/file") < 0)
		abort();
}

static inline void fake_source_init(struct fake_source *fake, size_t size,
				    uint32_t seed)
{
	static const struct digest none = { .kind = DIGEST_NONE };

	fake_source_init_as(fake, size, seed, &none);
}

/* With its true digest. */
static inline void fake_source_init_proven(struct fake_source *fake,
					   size_t size, uint32_t seed)
{
	struct digest digest = { .kind = DIGEST_SHA256 };
	uint8_t *bytes = calloc(1, size + 1);

	fake_source_bytes(bytes, size, seed);
	if (sha256(bytes, size, digest.bytes) < 0)
		abort();
	free(bytes);
	fake_source_init_as(fake, size, seed, &digest);
}

static inline unsigned int fake_source_fetches(struct fake_source *fake)
{
	unsigned int fetches;

	lock_take(&fake->lock);
	fetches = fake->fetches;
	lock_drop(&fake->lock);
	return fetches;
}

static inline uint64_t fake_source_fetched(struct fake_source *fake)
{
	uint64_t fetched;

	lock_take(&fake->lock);
	fetched = fake->fetched;
	lock_drop(&fake->lock);
	return fetched;
}

static inline void fake_source_refuse(struct fake_source *fake, int error)
{
	lock_take(&fake->lock);
	fake->refuse = error;
	lock_drop(&fake->lock);
}

/* NULL: none is queued, and none is waited for. */
static inline struct fake_asked *fake_source_take(struct fake_source *fake,
						  bool wait)
{
	struct fake_asked *asked;

	lock_take(&fake->lock);
	while (!fake->first && wait)
		cond_wait(&fake->asked, &fake->lock);
	asked = fake->first;
	if (asked) {
		fake->first = asked->next;
		if (!fake->first)
			fake->last = NULL;
	}
	lock_drop(&fake->lock);
	return asked;
}

/* Gives [off, off + len) in pieces, as bytes of @off + @shift. */
static inline int fake_source_give(struct fake_source *fake,
				   struct source_sink *sink, uint64_t off,
				   uint64_t len, uint64_t shift)
{
	int r = 0;

	while (r == 0 && len > 0) {
		size_t part = len < fake->piece ? (size_t)len : fake->piece;
		uint8_t *copy = malloc(part);

		memcpy(copy, fake->bytes + off, part);
		r = sink->data(sink, off + shift, copy, part);
		free(copy); /* nobody may keep it */
		off += part;
		len -= part;
	}
	return r;
}

/* The result that done() got. */
static inline int fake_source_reply(struct fake_source *fake,
				    struct fake_asked *asked,
				    enum fake_answer answer)
{
	struct source_sink *sink = asked->sink;
	uint64_t off = asked->off;
	uint64_t len = asked->len;
	int r = 0;

	free(asked);
	if (answer == FAKE_HALF || answer == FAKE_BROKEN)
		len /= 2;
	if (answer != FAKE_NOTHING && answer != FAKE_LATE)
		r = fake_source_give(fake, sink, off, len,
				     answer == FAKE_MISPLACED);
	if (r == 0 && answer == FAKE_TOO_MUCH)
		r = sink->data(sink, off + len, fake->bytes, 1);
	if (r == 0 && (answer == FAKE_BROKEN || answer == FAKE_NOTHING))
		r = -EIO;
	if (r == 0 && answer == FAKE_LATE)
		r = -ETIMEDOUT;
	sink->done(sink, r);
	return r;
}

/* Waits for a request, and answers it. */
static inline int fake_source_answer(struct fake_source *fake,
				     enum fake_answer answer)
{
	return fake_source_reply(fake, fake_source_take(fake, true), answer);
}

/* All that are queued, and those that come of it; how many. */
static inline unsigned int fake_source_answer_all(struct fake_source *fake,
						  enum fake_answer answer)
{
	struct fake_asked *asked;
	unsigned int count = 0;

	while ((asked = fake_source_take(fake, false))) {
		fake_source_reply(fake, asked, answer);
		count++;
	}
	return count;
}

static inline void *fake_source_run(void *arg)
{
	struct fake_source *fake = arg;
	enum fake_answer answer;
	bool serving = true;

	while (serving) {
		lock_take(&fake->lock);
		while (!fake->first && fake->serving)
			cond_wait(&fake->asked, &fake->lock);
		serving = fake->serving || fake->first;
		answer = fake->served;
		lock_drop(&fake->lock);
		if (serving)
			fake_source_answer(fake, answer);
	}
	return NULL;
}

static inline void fake_source_serve(struct fake_source *fake,
				     enum fake_answer answer)
{
	fake->serving = true;
	fake->served = answer;
	if (pthread_create(&fake->server, NULL, fake_source_run, fake) != 0)
		abort();
}

/* Ends once all that is queued was answered. */
static inline void fake_source_quiet(struct fake_source *fake)
{
	lock_take(&fake->lock);
	fake->serving = false;
	cond_wake_all(&fake->asked);
	lock_drop(&fake->lock);
	pthread_join(fake->server, NULL);
}

/*
 * Waits for who still holds it: the cache does, until it has committed.  A
 * test that failed may have left it serving.
 */
static inline void fake_source_release(struct fake_source *fake)
{
	if (fake->serving)
		fake_source_quiet(fake);
	fake_source_answer_all(fake, FAKE_NOTHING);
	for (int i = 0; i < 5000 && fake->source.refs != 1; i++)
		usleep(1000);
	if (fake->source.refs != 1)
		return; /* left to the leak checker */
	source_fini(&fake->source);
	cond_release(&fake->asked);
	lock_release(&fake->lock);
	free(fake->bytes);
}

#endif
