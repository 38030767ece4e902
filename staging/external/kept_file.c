/* SPDX-License-Identifier: MIT */
#include "staging/external/kept_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "staging/job_table.h"

#define GIVE_BYTES ((size_t)128 << 10)

struct kept_source {
	struct source source;
	struct jobs *jobs;
	struct lock lock;
	int fd; /* lock; owned; -1: closed */
};

struct kept_range {
	struct pool_work work;
	struct source *source; /* one reference */
	int fd;		       /* owned: its own */
	uint64_t off, len;
	struct source_sink *sink;
};

static struct kept_source *kept_of(struct source *source)
{
	return container_of(source, struct kept_source, source);
}

static int give(const struct kept_range *range)
{
	auto_free uint8_t *bytes = mem_alloc(GIVE_BYTES);
	uint64_t end = range->off + range->len;
	int r = bytes ? 0 : -ENOMEM;

	for (uint64_t at = range->off; r == 0 && at < end;) {
		size_t len = (size_t)u64_min(end - at, GIVE_BYTES);

		r = file_pread(range->fd, at, len, bytes);
		r = r ?: range->sink->data(range->sink, at, bytes, len);
		at += len;
	}
	return r;
}

static void range_free(struct kept_range *range)
{
	if (range->fd >= 0)
		close(range->fd);
	source_unref(range->source);
	free(range);
}

static void range_run(struct pool_work *work)
{
	struct kept_range *range = container_of(work, struct kept_range, work);
	int r = give(range);

	range->sink->done(range->sink, r);
	range_free(range);
}

/* -EIO: it is closed. */
static int own_fd(struct kept_source *kept)
{
	int fd = -1;

	lock_take(&kept->lock);
	if (kept->fd >= 0)
		fd = fcntl(kept->fd, F_DUPFD_CLOEXEC, 0);
	lock_drop(&kept->lock);
	return fd < 0 ? -EIO : fd;
}

static int kept_fetch(struct source *source, uint64_t off, uint64_t len,
		      enum source_urgency urgency, uint64_t deadline_ns,
		      struct source_sink *sink)
{
	struct kept_source *kept = kept_of(source);
	int fd = own_fd(kept);
	struct kept_range *range;
	int r;

	(void)urgency;
	(void)deadline_ns;
	if (fd < 0)
		return fd;
	range = mem_zalloc(sizeof(*range));
	if (!range) {
		close(fd);
		return -ENOMEM;
	}
	range->work.run = range_run;
	range->source = source_ref(source);
	range->fd = fd;
	range->off = off;
	range->len = len;
	range->sink = sink;
	r = jobs_serve(kept->jobs, &range->work);
	if (r < 0)
		range_free(range);
	return r;
}

static void kept_free(struct source *source)
{
	struct kept_source *kept = kept_of(source);

	kept_file_close(source);
	lock_release(&kept->lock);
	source_fini(source);
	free(kept);
}

void kept_file_close(struct source *source)
{
	struct kept_source *kept = kept_of(source);
	int fd;

	lock_take(&kept->lock);
	fd = take_fd(kept->fd);
	lock_drop(&kept->lock);
	if (fd >= 0)
		close(fd);
}

int kept_file_source(const struct kept_file *file, struct jobs *jobs,
		     int handed, struct source **out)
{
	static const struct source_ops ops = { .fetch = kept_fetch,
					       .free = kept_free };
	static const struct digest none = { .kind = DIGEST_NONE };
	auto_close int fd = handed;
	struct kept_source *kept = mem_zalloc(sizeof(*kept));
	struct content_key key;
	int r;

	if (!kept)
		return -ENOMEM;
	r = content_key_make(&none, file->pin, &key);
	if (r == 0)
		r = source_init(&kept->source, &ops, file->size, &file->digest,
				&key, file->label);
	if (r < 0) {
		free(kept);
		return r;
	}
	lock_init(&kept->lock);
	kept->jobs = jobs;
	kept->fd = take_fd(fd);
	*out = &kept->source;
	return 0;
}
