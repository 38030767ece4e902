/* SPDX-License-Identifier: MIT */
#include "fs/reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/content.h"
#include "base/limits.h"
#include "base/mem.h"
#include "fs/call.h"
#include "fs/reply.h"

/*
 * A block found damaged is fetched again.  Each try finds one at least, and
 * a read of a composed file may lie over many.
 */
#define READ_TRIES_MAX 32

/*
 * A wake may come before the FUSE thread has begun to watch the call, whose
 * request must not be answered until then.
 *
 *	STARTING -> WATCHED	reader_read(): parked, deadline set
 *	STARTING -> WOKEN	read_woken(): left to reader_read()
 *	WATCHED -> WOKEN	read_woken(): goes to the disk lane
 *	WOKEN -> WATCHED	read_run(), before it may park again
 */
enum read_phase { STARTING, WATCHED, WOKEN };

struct read_call {
	struct call call;
	struct cache_wait wait;
	struct content *content; /* one reference */
	uint64_t off;
	size_t len;
	int result; /* of the wait, once woken */
	atomic_int phase;
	unsigned int tries;
};

/* One buffer a thread: a new megabyte for each read would be page faults. */
static pthread_key_t buffer_key;
static pthread_once_t buffer_once = PTHREAD_ONCE_INIT;

static void buffer_key_make(void)
{
	if (pthread_key_create(&buffer_key, free) != 0)
		abort();
}

static void *buffer_get(size_t len)
{
	void *buffer;

	if (len > READ_BYTES_MAX)
		return NULL;
	pthread_once(&buffer_once, buffer_key_make);
	buffer = pthread_getspecific(buffer_key);
	if (!buffer) {
		buffer = mem_alloc(READ_BYTES_MAX);
		if (buffer && pthread_setspecific(buffer_key, buffer) != 0) {
			free(buffer);
			return NULL;
		}
	}
	return buffer;
}

static struct read_call *read_of_call(struct call *call)
{
	return container_of(call, struct read_call, call);
}

static void read_free(struct call *call)
{
	struct read_call *read = read_of_call(call);

	content_unref(read->content);
	free(read);
}

/* The deadline or an interrupt answered: if no wake comes, it is ours. */
static void read_abandon(struct call *call)
{
	struct read_call *read = read_of_call(call);

	if (cache_cancel(&read->wait))
		call_unref(call);
}

static void read_woken(struct cache_wait *wait, int result);
static void read_run(struct call *call);

static const struct call_ops read_ops = {
	.run = read_run,
	.abandon = read_abandon,
	.free = read_free,
	.late = EIO,
};

/* Asks the cache for the range; as cache_ensure(). */
static int read_ensure(struct read_call *read)
{
	auto_extents struct extents extents;
	int r;

	extents_init(&extents);
	r = content_resolve(read->content, read->off, read->len, &extents);
	if (r < 0)
		return r;
	return cache_ensure(read->call.fs->cache, &extents,
			    fs_deadline_ns(read->call.fs), &read->wait);
}

/* Everything is resident and pinned. -ENODATA: damage was found. */
static int read_copy(struct read_call *read, void **buffer)
{
	*buffer = buffer_get(read->len);
	if (!*buffer)
		return -ENOMEM;
	return content_copy(read->content, read->off, read->len, *buffer);
}

static void read_answer(struct read_call *read, int result, void *buffer)
{
	struct fs *fs = read->call.fs;

	if (!call_claim(&read->call))
		return;
	fs->counters.reads++;
	if (result < 0) {
		call_failed(&read->call, result);
		reply_read_error(read->call.req, result);
		return;
	}
	fs->counters.read_bytes += read->len;
	fuse_reply_buf(read->call.req, buffer, read->len);
}

/*
 * Goes on with a read whose range was ensured with @r, until it is
 * answered or parked.  True: parked, with the work's reference.
 */
static bool read_go(struct read_call *read, int r)
{
	void *buffer = NULL;

	while (r == 0) {
		r = read_copy(read, &buffer);
		cache_release(&read->wait);
		if (r != -ENODATA || ++read->tries == READ_TRIES_MAX)
			break;
		r = read_ensure(read);
	}
	if (r == -EINPROGRESS)
		return true;
	read_answer(read, r, buffer);
	call_unref(&read->call);
	return false;
}

static void read_run(struct call *call)
{
	struct read_call *read = read_of_call(call);

	atomic_store(&read->phase, WATCHED);
	if (read->result == 0 && atomic_load(&call->answered)) {
		cache_release(&read->wait);
		call_unref(call);
		return;
	}
	/* The check of the whole found damage: what is left is asked for. */
	if (read->result == -ENODATA && ++read->tries < READ_TRIES_MAX)
		read->result = read_ensure(read);
	read_go(read, read->result);
}

/* The copy is for the disk lane; a full one must not lose a read. */
static void read_dispatch(struct read_call *read)
{
	if (pool_add(read->call.fs->disk, &read->call.work) < 0)
		read_run(&read->call);
}

/* On the transport's thread. */
static void read_woken(struct cache_wait *wait, int result)
{
	struct read_call *read = container_of(wait, struct read_call, wait);

	read->result = result;
	if (atomic_exchange(&read->phase, WOKEN) == WATCHED)
		read_dispatch(read);
}

/* Parked before anyone watched: from now on it may be answered. */
static void read_park(struct read_call *read)
{
	read->call.fs->counters.parked++;
	call_watch(&read->call);
	if (atomic_exchange(&read->phase, WATCHED) == WOKEN)
		read_dispatch(read);
}

/* What a sequential reader of @handle will want next. */
static struct range read_next(struct handle *handle, uint64_t off, size_t len)
{
	struct range range;

	lock_take(&handle->lock);
	range = readahead_next(&handle->ahead, off, len, handle->content->size);
	lock_drop(&handle->lock);
	return range;
}

static void read_ahead(struct read_call *read, struct range range)
{
	auto_extents struct extents extents;

	extents_init(&extents);
	if (range.len == 0)
		return;
	if (content_resolve(read->content, range.off, range.len, &extents) == 0)
		cache_prefetch(read->call.fs->cache, &extents,
			       read->call.deadline_ns);
}

static struct read_call *read_new(struct fs *fs, fuse_req_t req,
				  const struct handle *handle, uint64_t off,
				  size_t len)
{
	struct read_call *read = mem_zalloc(sizeof(*read));

	if (!read)
		return NULL;
	call_init(&read->call, &read_ops, fs, req);
	atomic_init(&read->phase, STARTING);
	read->wait.wake = read_woken;
	read->content = content_ref(handle->content);
	read->off = off;
	read->len = len;
	call_ask(&read->call,
		 (struct late_range){ handle->id, off, off + len });
	return read;
}

void reader_read(struct fs *fs, fuse_req_t req, struct handle *handle,
		 uint64_t off, size_t len)
{
	uint64_t size = handle->content->size;
	struct read_call *read;
	struct range next;
	int r;

	if (off >= size || len == 0) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	len = (size_t)u64_min(u64_min(len, size - off), READ_BYTES_MAX);
	/* Once it is answered, the kernel may close @handle. */
	next = read_next(handle, off, len);
	read = read_new(fs, req, handle, off, len);
	if (!read) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	call_ref(&read->call); /* ours, beside the work's */
	r = read_ensure(read);
	if (!read->call.hurried)
		read_ahead(read, next);
	if (r == -EINPROGRESS || read_go(read, r))
		read_park(read);
	call_unref(&read->call);
}
