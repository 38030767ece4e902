/* SPDX-License-Identifier: MIT */
/* A member as a source for the cache: its ranges come out of a job's spool. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/archive/job.h"

#define GIVE_BYTES ((size_t)128 << 10)

struct member_source {
	struct source source;
	struct archive *archive; /* one reference */
	size_t member;
};

static struct member_source *member_of(struct source *source)
{
	return container_of(source, struct member_source, source);
}

static const char *path_of(struct source *source)
{
	const struct member_source *member = member_of(source);

	return member->archive->members[member->member].path;
}

/* Frees @range, after the last call of its sink. */
void range_end(struct range *range, int result)
{
	struct source_sink *sink = range->sink;

	/* The archive is at fault, not who reads it. */
	if (result == -EBADMSG || result == -EFBIG)
		result = -EIO;
	sink->done(sink, result);
	source_unref(range->source);
	job_unref(range->job);
	free(range);
}

/* Where the member begins in the spool.  -EIO: it is not the same one. */
static int find_in_spool(const struct range *range, uint64_t *off)
{
	const struct job *job = range->job;
	const struct archive_member *member;

	*off = 0;
	if (job->member != NO_MEMBER)
		return 0;
	member = table_find(&job->archive->table, path_of(range->source));
	if (!member || member->size != range->source->size)
		return -EIO;
	*off = member->off;
	return 0;
}

static int give(const struct range *range, uint64_t base)
{
	auto_free uint8_t *bytes = mem_alloc(GIVE_BYTES);
	uint64_t at = range->off, end = range->off + range->len;
	int r = bytes ? 0 : -ENOMEM;

	while (r == 0 && at < end) {
		size_t len = (size_t)u64_min(end - at, GIVE_BYTES);

		if (atomic_load(&range->job->jobs->closing))
			return -ESHUTDOWN;
		r = spool_read(range->job->spool, base + at, len, bytes);
		if (r == 0)
			r = range->sink->data(range->sink, at, bytes, len);
		at += len;
	}
	return r;
}

void range_serve(struct pool_work *work)
{
	struct range *range = container_of(work, struct range, work);
	uint64_t base;
	int r = find_in_spool(range, &base);

	if (r == 0)
		r = give(range, base);
	range_end(range, r);
}

static struct range *range_new(struct source *source, uint64_t off,
			       uint64_t len, struct source_sink *sink)
{
	struct range *range = mem_zalloc(sizeof(*range));

	if (!range)
		return NULL;
	range->work.run = range_serve;
	range->source = source_ref(source);
	range->off = off;
	range->len = len;
	range->sink = sink;
	return range;
}

/*
 * The deadline is not looked at: the job goes on whoever waits for it, and
 * who does has a deadline of his own.
 */
static int member_fetch(struct source *source, uint64_t off, uint64_t len,
			enum source_urgency urgency, uint64_t deadline_ns,
			struct source_sink *sink)
{
	struct member_source *member = member_of(source);
	struct archive *archive = member->archive;
	struct job_spec spec = { &archive->blob->key, archive, NO_MEMBER };
	struct range *range = range_new(source, off, len, sink);
	int r;

	(void)urgency;
	(void)deadline_ns;
	if (!range)
		return -ENOMEM;
	if (archive->zip) {
		spec.key = &source->key;
		spec.member = member->member;
	}
	r = jobs_join(archive->jobs, &spec, range, NULL);
	if (r < 0) {
		source_unref(range->source);
		free(range);
	}
	return r;
}

static void member_free(struct source *source)
{
	struct member_source *member = member_of(source);

	archive_unref(member->archive);
	source_fini(source);
	free(member);
}

static const struct source_ops member_ops = {
	.fetch = member_fetch,
	.free = member_free,
};

int member_source_new(struct archive *archive, size_t member,
		      struct source **out)
{
	static const struct digest none = { .kind = DIGEST_NONE };
	const struct archive_member *it = &archive->members[member];
	struct member_source *source = mem_zalloc(sizeof(*source));
	auto_free char *label = mem_printf("%s/%s", archive->label, it->path);
	auto_free char *pin = NULL;
	char hex[CONTENT_KEY_HEX];
	struct content_key key;
	int r = -ENOMEM;

	content_key_hex(&archive->blob->key, hex);
	pin = mem_printf("unpacked/1/%s/%s", hex, it->path);
	if (source && label && pin)
		r = content_key_make(&none, pin, &key);
	if (r == 0)
		r = source_init(&source->source, &member_ops, it->size, &none,
				&key, label);
	if (r < 0) {
		free(source);
		return r;
	}
	source->archive = archive_ref(archive);
	source->member = member;
	*out = &source->source;
	return 0;
}
