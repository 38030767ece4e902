/* SPDX-License-Identifier: MIT */
/*
 * What comes out of a worker, to the spool and into a table.  Everything is
 * checked again: sizes against what the archive may hold, names, and for a
 * member of a zip the size and CRC that its directory says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/archive/archive_name.h"
#include "staging/archive/job.h"
#include "staging/archive/unpack_frames.h"
#include "staging/weights/zip_directory.h"

struct job_take {
	struct job *job;
	struct archive_table table; /* of a tar */
	struct spool *spool;	    /* owned */
	uint64_t bytes_max;
	uint64_t declared; /* by all members so far */
	uLong crc;
};

static bool is_tar(const struct job *job)
{
	return job->member == NO_MEMBER;
}

static const struct zip_entry *entry_of(const struct job *job)
{
	const struct archive *from = job->from;

	return &from->zip->entries[from->members[job->member].entry];
}

uint64_t job_take_bytes_max(const struct job *job)
{
	uint64_t packed = job->from->blob->size, most;

	if (!is_tar(job))
		return entry_of(job)->size;
	if (!u64_mul(packed, ARCHIVE_RATIO_MAX, &most) ||
	    !u64_add(most, ARCHIVE_RATIO_FREE, &most))
		return ARCHIVE_MEMBER_BYTES_MAX;
	return u64_min(most, ARCHIVE_MEMBER_BYTES_MAX);
}

int job_take_new(struct job *job, struct job_take **out)
{
	auto_job_take struct job_take *take = mem_zalloc(sizeof(*take));
	int r;

	if (!take)
		return -ENOMEM;
	take->job = job;
	take->bytes_max = job_take_bytes_max(job);
	take->crc = crc32(0, NULL, 0);
	table_init(&take->table);
	r = spool_new(job->jobs->dir, &take->spool);
	if (r == 0)
		*out = take_ptr(take);
	return r;
}

void job_take_free(struct job_take *take)
{
	if (!take)
		return;
	table_release(&take->table);
	spool_free(take->spool);
	free(take);
}

static int too_much(struct job_take *take)
{
	return refuse(&take->job->why, "archive-too-big", NULL,
		      "the archive holds more files or bytes than an archive "
		      "of its size may");
}

static int take_member(void *arg, const char *path, size_t len, uint64_t size)
{
	struct job_take *take = arg;
	struct archive_member *member;
	size_t clean_len;
	int r;

	if (size > take->bytes_max - take->declared)
		return too_much(take);
	take->declared += size;
	if (!is_tar(take->job))
		return size == take->bytes_max ? 0 : -EPROTO;
	if (archive_name_clean(path, len, &clean_len) != path)
		return -EPROTO; /* the worker sends clean ones only */
	r = table_add(&take->table, path, len, &member);
	if (r == -EFBIG)
		return too_much(take);
	if (r == 0) {
		member->size = size;
		member->off = spool_end(take->spool);
	}
	return r;
}

static int take_data(void *arg, const void *bytes, size_t len)
{
	struct job_take *take = arg;

	if (!is_tar(take->job))
		take->crc = crc32(take->crc, bytes, (uInt)len);
	return spool_append(take->spool, bytes, len);
}

static int take_left(void *arg, const char *path, size_t len)
{
	struct job_take *take = arg;
	size_t clean_len;
	int r;

	if (len > 0 && archive_name_clean(path, len, &clean_len) != path)
		return -EPROTO;
	r = table_leave(&take->table, len > 0 ? path : NULL, len);
	return r == -EFBIG ? too_much(take) : r;
}

const struct frame_taker_ops job_take_ops = { take_member, take_data,
					      take_left };

int job_take_end(struct job_take *take)
{
	struct job *job = take->job;
	int r = 0;

	if (is_tar(job)) {
		table_close(&take->table);
		r = archive_new_like(job->from, &take->table, NULL,
				     &job->archive);
	} else if (spool_end(take->spool) != entry_of(job)->size ||
		   take->crc != entry_of(job)->crc) {
		r = refuse(&job->why, "archive-damaged", entry_of(job)->name,
			   "a file of the archive is not what its checksum "
			   "says");
	}
	if (r == 0)
		job->spool = take_ptr(take->spool);
	return r;
}
