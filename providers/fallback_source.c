/* SPDX-License-Identifier: MIT */
#include "providers/fallback_source.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "providers/fetch_errno.h"

#define NONE_CHOSEN SIZE_MAX

struct fallback {
	struct source source;
	atomic_size_t chosen; /* gave the first byte; NONE_CHOSEN before */
	size_t count;
	struct source *sources[]; /* one reference each */
};

/* A range on its way from one of the places. */
struct attempt {
	struct source_sink sink;
	struct fallback *fallback; /* one reference */
	struct source_sink *outer;
	uint64_t off, len;
	enum source_urgency urgency;
	uint64_t deadline_ns;
	size_t at;  /* the place that is asked */
	bool began; /* a byte of it was given away */
	int error;  /* the most telling of those before, or 0 */
};

static struct fallback *fallback_of(struct source *source)
{
	return container_of(source, struct fallback, source);
}

static struct attempt *attempt_of(struct source_sink *sink)
{
	return container_of(sink, struct attempt, sink);
}

/* Each of the places left has its share of the time. */
static uint64_t share_of_time(const struct attempt *attempt)
{
	const struct fallback *fallback = attempt->fallback;
	uint64_t now = clock_now_ns();

	if (atomic_load(&fallback->chosen) != NONE_CHOSEN ||
	    attempt->deadline_ns <= now)
		return attempt->deadline_ns;
	return now +
	       (attempt->deadline_ns - now) / (fallback->count - attempt->at);
}

static int attempt_fetch(struct attempt *attempt)
{
	struct source *source = attempt->fallback->sources[attempt->at];

	return source->ops->fetch(source, attempt->off, attempt->len,
				  attempt->urgency, share_of_time(attempt),
				  &attempt->sink);
}

static int attempt_data(struct source_sink *sink, uint64_t off,
			const void *bytes, size_t len)
{
	struct attempt *attempt = attempt_of(sink);
	size_t chosen = NONE_CHOSEN;

	if (!atomic_compare_exchange_strong(&attempt->fallback->chosen, &chosen,
					    attempt->at) &&
	    chosen != attempt->at)
		return -ECANCELED; /* another was faster: begin anew there */
	attempt->began = true;
	return attempt->outer->data(attempt->outer, off, bytes, len);
}

/* Another place may have it. */
static bool worth_another(int error)
{
	switch (error) {
	case -ENOENT:
	case -EACCES:
	case -EIO:
	case -ESTALE:
	case -EBADMSG:
	case -ETIMEDOUT:
	case -ENETUNREACH:
		return true;
	default:
		return false;
	}
}

/* Where to go on after @error.  False: nowhere. */
static bool attempt_next(struct attempt *attempt, int error)
{
	size_t chosen = atomic_load(&attempt->fallback->chosen);

	if (attempt->began || chosen == attempt->at)
		return false;
	if (chosen != NONE_CHOSEN) {
		attempt->at = chosen;
		return error == -ECANCELED || worth_another(error);
	}
	attempt->error = errno_of_places(attempt->error, error);
	return worth_another(error) && ++attempt->at < attempt->fallback->count;
}

static void attempt_end(struct attempt *attempt, int result)
{
	struct source_sink *outer = attempt->outer;

	if (result < 0 && !attempt->began && worth_another(result))
		result = errno_of_places(attempt->error, result);
	source_unref(&attempt->fallback->source);
	free(attempt);
	outer->done(outer, result);
}

static void attempt_done(struct source_sink *sink, int result)
{
	struct attempt *attempt = attempt_of(sink);

	while (result < 0 && attempt_next(attempt, result)) {
		log_debug("fetch", "%s: %s, trying place %zu",
			  attempt->fallback->source.label, strerror(-result),
			  attempt->at + 1);
		result = attempt_fetch(attempt);
		if (result == 0)
			return;
	}
	attempt_end(attempt, result);
}

static int fallback_fetch(struct source *source, uint64_t off, uint64_t len,
			  enum source_urgency urgency, uint64_t deadline_ns,
			  struct source_sink *sink)
{
	struct fallback *fallback = fallback_of(source);
	size_t chosen = atomic_load(&fallback->chosen);
	struct attempt *attempt = mem_zalloc(sizeof(*attempt));
	int r;

	if (!attempt)
		return -ENOMEM;
	*attempt = (struct attempt){
		.sink = { attempt_data, attempt_done },
		.fallback = fallback,
		.outer = sink,
		.off = off,
		.len = len,
		.urgency = urgency,
		.deadline_ns = deadline_ns,
		.at = chosen == NONE_CHOSEN ? 0 : chosen,
	};
	source_ref(source);
	r = attempt_fetch(attempt);
	if (r < 0) {
		source_unref(source);
		free(attempt);
	}
	return r;
}

static void fallback_free(struct source *source)
{
	struct fallback *fallback = fallback_of(source);

	for (size_t i = 0; i < fallback->count; i++)
		source_unref(fallback->sources[i]);
	source_fini(source);
	free(fallback);
}

static const struct source_ops fallback_ops = {
	.fetch = fallback_fetch,
	.free = fallback_free,
};

int fallback_source_new(struct source *const *sources, size_t count,
			struct source **out)
{
	const struct source *first = sources[0];
	struct fallback *fallback =
		mem_zalloc(sizeof(*fallback) + count * sizeof(*sources));
	int r = -ENOMEM;

	if (fallback)
		r = source_init(&fallback->source, &fallback_ops, first->size,
				&first->digest, &first->key, first->label);
	if (r < 0) {
		for (size_t i = 0; i < count; i++)
			source_unref(sources[i]);
		free(fallback);
		return r;
	}
	atomic_init(&fallback->chosen, NONE_CHOSEN);
	fallback->count = count;
	for (size_t i = 0; i < count; i++) {
		assert(sources[i]->size == first->size);
		fallback->sources[i] = sources[i];
	}
	*out = &fallback->source;
	return 0;
}
