/* SPDX-License-Identifier: MIT */
/* Which jobs there are: one for a content; who waits; what failed. */
#include "staging/archive/archive.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/archive/job.h"

struct job_failure {
	unsigned int tries;
	uint64_t forgive_ns;
};

static int start_pools(struct jobs *jobs)
{
	int r = pool_new("omnihub-job", JOB_THREADS, JOB_QUEUE_MAX,
			 &jobs->pool);

	return r ?: pool_new("omnihub-spool", 1, JOB_RANGES_MAX, &jobs->serve);
}

int jobs_new(const struct jobs_options *options, struct jobs **out)
{
	struct jobs *jobs = mem_zalloc(sizeof(*jobs));
	int r = 0;

	if (!jobs)
		return -ENOMEM;
	lock_init(&jobs->lock);
	cond_init(&jobs->changed);
	map_init(&jobs->running);
	map_init(&jobs->failures);
	jobs->dir = mem_strdup(options->dir);
	if (options->worker)
		jobs->worker = mem_strdup(options->worker);
	else
		r = worker_find(&jobs->worker);
	if (r == 0 && (!jobs->dir || !jobs->worker))
		r = -ENOMEM;
	if (r == 0)
		r = start_pools(jobs);
	if (r < 0)
		jobs_free(jobs);
	else
		*out = jobs;
	return r;
}

void jobs_stop(struct jobs *jobs)
{
	if (!jobs)
		return;
	lock_take(&jobs->lock);
	atomic_store(&jobs->closing, true); /* no job begins from now on */
	lock_drop(&jobs->lock);
	pool_stop(jobs->pool);
	pool_stop(jobs->serve);
}

void jobs_free(struct jobs *jobs)
{
	const struct map_slot *slot;
	size_t at = 0;

	if (!jobs)
		return;
	jobs_stop(jobs);
	pool_free(jobs->pool);
	pool_free(jobs->serve);
	while ((slot = map_next(&jobs->failures, &at)))
		free(slot->value);
	map_release(&jobs->failures);
	map_release(&jobs->running);
	cond_release(&jobs->changed);
	lock_release(&jobs->lock);
	free(jobs->worker);
	free(jobs->dir);
	free(jobs);
}

static struct job *job_new(struct jobs *jobs, const struct job_spec *spec)
{
	struct job *job = mem_zalloc(sizeof(*job));

	if (!job)
		return NULL;
	job->work.run = job_run;
	job->jobs = jobs;
	content_key_hex(spec->key, job->entry.key);
	job->from = archive_ref(spec->archive);
	job->member = spec->member;
	job->entry.label = job->from->label;
	job->entry.begun_ns = clock_now_ns();
	atomic_init(&job->entry.state, "unpacking");
	atomic_init(&job->entry.total,
		    spec->member == NO_MEMBER
			    ? spec->archive->blob->size
			    : spec->archive->members[spec->member].size);
	atomic_init(&job->refs, 1);
	return job;
}

void job_unref(struct job *job)
{
	if (!job || atomic_fetch_sub(&job->refs, 1) != 1)
		return;
	spool_free(job->spool);
	archive_unref(job->archive);
	archive_unref(job->from);
	refusal_release(&job->why);
	free(job);
}

static struct job *job_ref(struct job *job)
{
	atomic_fetch_add(&job->refs, 1);
	return job;
}

/* Died so often that it is left alone for a while? */
static bool is_hopeless_locked(struct jobs *jobs, const char *key)
{
	struct job_failure *failure = map_get(&jobs->failures, key);

	lock_assert_held(&jobs->lock);
	if (!failure)
		return false;
	if (failure->forgive_ns <= clock_now_ns()) {
		free(map_remove(&jobs->failures, key));
		return false;
	}
	return failure->tries >= JOB_TRIES_MAX;
}

/* Without memory it is forgotten, and tried once more. */
static void note_failure_locked(struct jobs *jobs, const char *key,
				unsigned int tries)
{
	struct job_failure *failure = map_get(&jobs->failures, key);

	lock_assert_held(&jobs->lock);
	if (!failure && jobs->failures.count < JOB_FAILED_MAX) {
		failure = mem_zalloc(sizeof(*failure));
		if (failure && map_add(&jobs->failures, key, failure) < 0)
			free(take_ptr(failure));
	}
	if (!failure)
		return;
	failure->tries += tries;
	failure->forgive_ns = clock_after_ns(JOB_FORGIVE_S * NS_PER_S);
}

/* Adds the job of @spec to the table, and queues it. */
static int begin_locked(struct jobs *jobs, const struct job_spec *spec,
			const char *key, struct job **out)
{
	struct job *job;
	int r;

	lock_assert_held(&jobs->lock);
	if (atomic_load(&jobs->closing))
		return -ESHUTDOWN;
	if (is_hopeless_locked(jobs, key))
		return -EIO;
	job = job_new(jobs, spec);
	if (!job)
		return -ENOMEM;
	r = map_add(&jobs->running, key, &job->entry);
	if (r == 0) {
		r = pool_add(jobs->pool, &job->work);
		if (r < 0)
			map_remove(&jobs->running, key);
	}
	if (r < 0)
		job_unref(job);
	else
		*out = job;
	return r == -EBUSY ? -EAGAIN : r;
}

static int give_range_locked(struct job *job, struct range *range)
{
	int r = 0;

	lock_assert_held(&job->jobs->lock);
	range->job = job_ref(job);
	if (job->state == JOB_SPOOLED) {
		r = pool_add(job->jobs->serve, &range->work);
	} else {
		range->next = job->ranges;
		job->ranges = range;
	}
	if (r < 0) /* not the last reference: the table has one */
		job_unref(take_ptr(range->job));
	return r == -EBUSY ? -EAGAIN : r;
}

int jobs_join(struct jobs *jobs, const struct job_spec *spec,
	      struct range *range, struct job **out)
{
	char key[CONTENT_KEY_HEX];
	struct job_entry *entry;
	struct job *job = NULL;
	int r = 0;

	content_key_hex(spec->key, key);
	lock_take(&jobs->lock);
	entry = map_get(&jobs->running, key);
	if (entry)
		job = container_of(entry, struct job, entry);
	else
		r = begin_locked(jobs, spec, key, &job);
	if (r == 0 && range)
		r = give_range_locked(job, range);
	if (r == 0 && out)
		*out = job_ref(job);
	lock_drop(&jobs->lock);
	return r;
}

int job_wait(struct job *job, uint64_t deadline_ns)
{
	struct jobs *jobs = job->jobs;
	int r = 0;

	lock_take(&jobs->lock);
	while (r == 0 && job->state == JOB_WORKING)
		r = cond_wait_until(&jobs->changed, &jobs->lock, deadline_ns);
	if (job->state != JOB_WORKING)
		r = job->result;
	lock_drop(&jobs->lock);
	return r;
}

/*
 * What is told of @result.  -EPROTO is a worker that died or said nonsense:
 * another try may do.  A member that is damaged will be so again.
 */
static int judge_locked(struct job *job, int result)
{
	bool member = job->member != NO_MEMBER;

	if (result == -EPROTO)
		note_failure_locked(job->jobs, job->entry.key, 1);
	else if (member && (result == -EBADMSG || result == -EFBIG))
		note_failure_locked(job->jobs, job->entry.key, JOB_TRIES_MAX);
	return result == -EPROTO ? -EIO : result;
}

void job_finish(struct job *job, int result)
{
	struct jobs *jobs = job->jobs;
	struct range *ranges;
	bool last = result < 0;

	lock_take(&jobs->lock);
	job->result = judge_locked(job, result);
	job->state = last ? JOB_ENDED : JOB_SPOOLED;
	atomic_store(&job->entry.state, "keeping");
	ranges = take_ptr(job->ranges);
	if (last)
		map_remove(&jobs->running, job->entry.key);
	cond_wake_all(&jobs->changed);
	lock_drop(&jobs->lock);
	while (ranges) {
		struct range *range = ranges;
		int r = job->result;

		ranges = range->next;
		if (r == 0)
			r = pool_add(jobs->serve, &range->work);
		if (r < 0)
			range_end(range, r);
	}
	if (last)
		job_unref(job);
}

void job_leave(struct job *job)
{
	struct jobs *jobs = job->jobs;

	lock_take(&jobs->lock);
	job->state = JOB_ENDED;
	map_remove(&jobs->running, job->entry.key);
	lock_drop(&jobs->lock);
	job_unref(job);
}

/* A member's frames have heads, so a little more than all may have come. */
static uint64_t entry_done(struct job_entry *entry)
{
	return u64_min(atomic_load(&entry->done), atomic_load(&entry->total));
}

static int status_of(struct job_entry *entry, struct job_status *out)
{
	out->label = mem_strdup(entry->label);
	if (!out->label)
		return -ENOMEM;
	out->total = atomic_load(&entry->total);
	out->done = entry_done(entry);
	out->seconds = (clock_now_ns() - entry->begun_ns) / NS_PER_S;
	out->state = atomic_load(&entry->state);
	return 0;
}

static int status_locked(struct jobs *jobs, struct jobs_status *out)
{
	const struct map_slot *slot;
	size_t at = 0;
	int r = 0;

	lock_assert_held(&jobs->lock);
	out->jobs = mem_array(jobs->running.count + 1, sizeof(*out->jobs));
	if (!out->jobs)
		return -ENOMEM;
	while (r == 0 && (slot = map_next(&jobs->running, &at))) {
		r = status_of(slot->value, &out->jobs[out->count]);
		out->count += r == 0;
	}
	return r;
}

int jobs_status(struct jobs *jobs, struct jobs_status *out)
{
	int r;

	*out = (struct jobs_status){ 0 };
	lock_take(&jobs->lock);
	r = status_locked(jobs, out);
	lock_drop(&jobs->lock);
	if (r < 0)
		jobs_status_release(out);
	return r;
}

void jobs_status_release(struct jobs_status *status)
{
	for (size_t i = 0; i < status->count; i++)
		free(status->jobs[i].label);
	free(status->jobs);
	*status = (struct jobs_status){ 0 };
}

int archive_progress(struct jobs *jobs, const struct content_key *key,
		     uint64_t *done, uint64_t *total)
{
	char hex[CONTENT_KEY_HEX];
	struct job_entry *entry;

	content_key_hex(key, hex);
	lock_take(&jobs->lock);
	entry = map_get(&jobs->running, hex);
	if (entry) {
		*done = entry_done(entry);
		*total = atomic_load(&entry->total);
	}
	lock_drop(&jobs->lock);
	return entry ? 0 : -ENOENT;
}

int jobs_enter(struct jobs *jobs, struct job_entry *entry)
{
	int r = -ESHUTDOWN;

	lock_take(&jobs->lock);
	if (!atomic_load(&jobs->closing))
		r = map_add(&jobs->running, entry->key, entry);
	lock_drop(&jobs->lock);
	return r;
}

void jobs_exit(struct jobs *jobs, struct job_entry *entry)
{
	lock_take(&jobs->lock);
	map_remove(&jobs->running, entry->key);
	lock_drop(&jobs->lock);
}

int jobs_serve(struct jobs *jobs, struct pool_work *work)
{
	return pool_add(jobs->serve, work);
}
