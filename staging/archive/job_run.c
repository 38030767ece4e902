/* SPDX-License-Identifier: MIT */
/*
 * A job from its beginning to its end, on one thread: the archive is
 * fetched in pieces, fed to a worker, and what that answers is taken.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "staging/archive/job.h"
#include "staging/archive/unpack_frames.h"
#include "staging/weights/zip_directory.h"

#define POLL_MS 200 /* so soon a stop is seen */

struct pump {
	struct job *job;
	struct worker worker;
	struct frame_reader reader;
	uint64_t next, end; /* of the archive: what is still to be fetched */
	uint64_t moved_ns;  /* when a byte went in or came out */
	size_t at, len;	    /* of .piece */
	uint8_t piece[JOB_PIECE_BYTES];
	uint8_t answer[FRAME_BYTES_MAX];
};

static int fetch(struct job *job, uint64_t off, size_t len, void *to)
{
	return blob_fetch(job->from->blob, off, len, to,
			  clock_after_ns(REQUEST_DEADLINE_S * NS_PER_S));
}

/* The next piece once the last one is gone; at the end, the worker sees it. */
static int pump_fetch(struct pump *pump)
{
	size_t len = (size_t)u64_min(pump->end - pump->next, JOB_PIECE_BYTES);
	int r;

	if (pump->at < pump->len || pump->worker.in < 0)
		return 0;
	if (len == 0) {
		worker_close_in(&pump->worker);
		return 0;
	}
	r = fetch(pump->job, pump->next, len, pump->piece);
	if (r < 0)
		return r;
	pump->next += len;
	pump->at = 0;
	pump->len = len;
	pump->moved_ns = clock_now_ns();
	return 0;
}

/* A worker that no longer reads has said why, or died: its answer tells. */
static void pump_write(struct pump *pump)
{
	ssize_t n = write(pump->worker.in, pump->piece + pump->at,
			  pump->len - pump->at);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		worker_close_in(&pump->worker);
	if (n <= 0)
		return;
	pump->at += (size_t)n;
	pump->moved_ns = clock_now_ns();
	if (pump->job->member == NO_MEMBER)
		atomic_fetch_add(&pump->job->entry.done, (uint64_t)n);
}

/* 1: that was all; -EPROTO: it died. */
static int pump_read(struct pump *pump)
{
	ssize_t n = read(pump->worker.out, pump->answer, FRAME_BYTES_MAX);
	int r;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -EPROTO;
	pump->moved_ns = clock_now_ns();
	if (pump->job->member != NO_MEMBER)
		atomic_fetch_add(&pump->job->entry.done, (uint64_t)n);
	r = frame_reader_feed(&pump->reader, pump->answer, (size_t)n);
	return r < 0 ? r : pump->reader.ended;
}

static int pump_wait(struct pump *pump)
{
	struct pollfd fds[] = {
		{ .fd = pump->worker.out, .events = POLLIN },
		{ .fd = pump->worker.in, .events = POLLOUT },
	};
	int n = poll(fds, ARRAY_LEN(fds), POLL_MS);

	if (n < 0 && errno != EINTR)
		return -errno;
	if (clock_now_ns() - pump->moved_ns > JOB_STALL_S * NS_PER_S) {
		log_warn("job", "%s: the worker stood still and was ended",
			 pump->job->from->label);
		return -EPROTO;
	}
	if (n > 0 && fds[1].revents)
		pump_write(pump);
	return n > 0 && fds[0].revents ? pump_read(pump) : 0;
}

static int pump_all(struct pump *pump)
{
	int r = 0;

	while (r == 0) {
		r = pump_fetch(pump);
		if (atomic_load(&pump->job->jobs->closing))
			return -ESHUTDOWN;
		if (r == 0)
			r = pump_wait(pump);
	}
	return r < 0 ? r : 0;
}

static int judge(struct pump *pump)
{
	struct job *job = pump->job;
	const char *words = pump->reader.words;

	switch (pump->reader.reason) {
	case UNPACK_FINE:
		return 0;
	case UNPACK_DAMAGED:
		return refuse(&job->why, "archive-damaged",
			      words[0] ? words : NULL,
			      "the archive is damaged, cut, or followed by "
			      "something else");
	case UNPACK_TOO_BIG:
		return refuse(&job->why, "archive-too-big", NULL,
			      "the archive unpacks to more than an archive of "
			      "its size may");
	case UNPACK_UNKNOWN:
		return refuse(&job->why, "archive-unsupported", NULL,
			      "the archive is packed in a way that is not "
			      "read");
	default:
		return -EPROTO;
	}
}

static void log_death(const struct job *job, int status)
{
	if (WIFSIGNALED(status))
		log_warn("job", "%s: the worker was ended by signal %d",
			 job->from->label, WTERMSIG(status));
	else if (status != 0)
		log_warn("job", "%s: the worker ended with status %d",
			 job->from->label, WEXITSTATUS(status));
}

/* @packed bytes go through the worker, which may use so much time. */
static int start_worker(struct pump *pump, uint64_t packed)
{
	struct job *job = pump->job;
	char bytes[24], seconds[24];
	bool tar = job->member == NO_MEMBER;
	char *argv[] = { (char *)"omnihub-unpack",
			 (char *)(tar ? "tar" : "deflated"), bytes, seconds,
			 NULL };

	snprintf(bytes, sizeof(bytes), "%" PRIu64, job_take_bytes_max(job));
	snprintf(seconds, sizeof(seconds), "%" PRIu64,
		 WORKER_CPU_S + (packed >> 20));
	return worker_start(job->jobs->worker, argv, &pump->worker);
}

/* The bytes [@off, @off + @packed) of the archive through a worker. */
static int run_worker(struct job *job, struct job_take *take, uint64_t off,
		      uint64_t packed)
{
	auto_free struct pump *pump = mem_alloc(sizeof(*pump));
	int r, status;

	if (!pump)
		return -ENOMEM;
	memset(pump, 0, offsetof(struct pump, piece));
	pump->job = job;
	pump->next = off;
	pump->end = off + packed;
	pump->moved_ns = clock_now_ns();
	frame_reader_init(&pump->reader, &job_take_ops, take);
	r = start_worker(pump, packed);
	if (r < 0) {
		log_error("job", "%s cannot be started: %s", job->jobs->worker,
			  strerror(-r));
		return r == -ENOMEM ? r : -EIO;
	}
	r = pump_all(pump);
	status = worker_end(&pump->worker);
	if (r == -EPROTO)
		log_death(job, status);
	return r < 0 ? r : judge(pump);
}

/* Nothing to unpack: as the worker would say it. */
static int copy_stored(struct job *job, struct job_take *take,
		       const struct zip_entry *entry)
{
	auto_free uint8_t *piece = mem_alloc(JOB_PIECE_BYTES);
	uint64_t left = entry->size;
	int r = piece ? job_take_ops.member(take, "-", 1, left) : -ENOMEM;

	while (r == 0 && left > 0) {
		size_t len = (size_t)u64_min(left, JOB_PIECE_BYTES);

		if (atomic_load(&job->jobs->closing))
			return -ESHUTDOWN;
		r = fetch(job, entry->payload + entry->size - left, len, piece);
		r = r ?: job_take_ops.data(take, piece, len);
		atomic_fetch_add(&job->entry.done, len);
		left -= len;
	}
	return r;
}

/* Z-09: what stands before the member must say the same as the directory. */
static int prove_entry(struct job *job, struct zip_entry *entry)
{
	size_t len = ZIP_LOCAL_BYTES + (size_t)entry->name_len;
	auto_free uint8_t *header = mem_alloc(len);
	int r;

	if (!header)
		return -ENOMEM;
	r = fetch(job, entry->local, len, header);
	if (r < 0)
		return r;
	r = zip_local_check(entry, header, len);
	if (r < 0)
		return refuse(&job->why, "archive-damaged", entry->name,
			      "the directory of the archive and the header of "
			      "a file in it differ");
	return 0;
}

static int run_member(struct job *job, struct job_take *take)
{
	const struct archive_member *member = &job->from->members[job->member];
	struct zip_entry entry = job->from->zip->entries[member->entry];
	int r = prove_entry(job, &entry);

	if (r < 0)
		return r;
	if (entry.method == ZIP_STORED)
		return copy_stored(job, take, &entry);
	return run_worker(job, take, entry.payload, entry.packed);
}

static int job_make(struct job *job)
{
	auto_job_take struct job_take *take = NULL;
	int r;

	if (atomic_load(&job->jobs->closing))
		return -ESHUTDOWN;
	r = job_take_new(job, &take);
	if (r < 0)
		return r;
	if (job->member == NO_MEMBER)
		r = run_worker(job, take, 0, job->from->blob->size);
	else
		r = run_member(job, take);
	return r ?: job_take_end(take);
}

static int keep_member(struct job *job, struct archive *archive, size_t member,
		       uint8_t *piece, uint64_t until_ns)
{
	auto_blob struct blob *blob = NULL;
	int r = archive_member_blob(archive, member, &blob);

	for (uint64_t off = 0; r == 0 && off < blob->size;) {
		size_t len = (size_t)u64_min(blob->size - off, READ_BYTES_MAX);

		if (atomic_load(&job->jobs->closing))
			return -ESHUTDOWN;
		r = blob_fetch(blob, off, len, piece, until_ns);
		off += len;
	}
	return r;
}

/* All that was unpacked is read once through the cache, which keeps it. */
static void job_keep(struct job *job)
{
	auto_free uint8_t *piece = mem_alloc(READ_BYTES_MAX);
	uint64_t until_ns = clock_after_ns(JOB_KEEP_S * NS_PER_S);
	bool tar = job->member == NO_MEMBER;
	struct archive *archive = tar ? job->archive : job->from;
	size_t first = tar ? 0 : job->member;
	size_t end = tar ? archive->count : job->member + 1;
	int r = piece ? 0 : -ENOMEM;

	for (size_t i = first; r == 0 && i < end; i++)
		r = keep_member(job, archive, i, piece, until_ns);
	if (r < 0)
		log_info("job", "%s: not all of it is kept: %s",
			 job->from->label, strerror(-r));
}

void job_run(struct pool_work *work)
{
	struct job *job = container_of(work, struct job, work);
	int r = job_make(job);

	if (r == 0 && job->archive)
		archive_remember(job->archive);
	else if (r == -EBADMSG && job->member == NO_MEMBER)
		archive_remember_refusal(job->from, &job->why);
	else if (r < 0 && r != -ESHUTDOWN)
		log_warn("job", "%s was not unpacked: %s", job->from->label,
			 r == -EBADMSG && job->why.reason ? job->why.reason
							  : strerror(-r));
	job_finish(job, r);
	if (r < 0)
		return; /* it may be gone */
	job_keep(job);
	job_leave(job);
}
