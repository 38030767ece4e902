/* SPDX-License-Identifier: MIT */
/*
 * staging/archive/archive.h - archives as their members, and the jobs that
 * unpack them.
 *
 * An archive of a repository (.tar, .tar.gz and so on, .zip, .mar) becomes a
 * table of members, each of which is a blob.  Nothing is unpacked before a
 * member is read, but for a tar that was never seen: its table is at no one
 * place.  What takes long is a *job*: one for a content, whoever asks, in a
 * process of its own (worker/sandbox.h).  A job unpacks a whole tar, or one
 * member of a zip, to a file without a name, serves who waits, then gives
 * all of it to the cache.  The table of a tar is kept in the memo, so a
 * second mount needs no job; one whose members were evicted has another.
 *
 * What is never a member, and only counted: links, devices, names that
 * leave the archive (archive_name.h), files that are also directories.
 *
 * Threads: any, except where said.
 */
#ifndef STAGING_ARCHIVE_ARCHIVE_H
#define STAGING_ARCHIVE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "staging/archive/archive_table.h"
#include "staging/jobs.h"
#include "staging/refusal.h"
#include "staging/staging.h"

struct archive {
	struct archive_member *members; /* sorted by path */
	size_t count;
	uint64_t left_out; /* entries that are no members */

	/* Private. */
	atomic_uint refs;
	struct archive_table table;
	struct zip_directory *zip; /* owned; NULL: a tar */
	struct blob *blob;	   /* of the archive; one reference */
	char *label;		   /* owned */
	struct jobs *jobs;
	struct memo *memo;
	int (*keep)(void *arg, struct source *source, struct blob **out);
	void *keep_arg;
};

/*
 * The table of file @index of @repo.  One reference.  @repo is borrowed for
 * the call, but its .jobs, .memo, .keep and .keep_arg are used for as long as
 * there is an archive or a job.  The file is no member of another archive:
 * a job that waits for a job would keep a thread from it.
 *
 * A zip's comes from its directory, a tar's from the memo, else from a job,
 * which is waited for until the deadline.  -EBADMSG: refused, see @why.
 * -ETIMEDOUT: the job goes on.  -EINPROGRESS: the deadline is DEADLINE_NOW
 * and something would have to be waited for; no job is begun.  -EIO: the
 * worker died; after some times it is not tried again for a while.  Else
 * the errno of getting the archive, or of the disk.
 */
int archive_open(const struct stage_repo *repo, size_t index,
		 struct archive **out, struct refusal *why) MUST_CHECK;
struct archive *archive_ref(struct archive *archive);
void archive_unref(struct archive *archive);
DEFINE_AUTO_PTR(archive, struct archive, archive_unref)
#define auto_archive auto_of(archive)

/* False: no such member. */
bool archive_find(const struct archive *archive, const char *path,
		  size_t *member);

/*
 * A member as a blob of the cache; no job before it is read.  Its bytes are
 * checked (a zip's CRC) before the first of them is given.  One reference.
 *
 * A member that is .stored need not be unpacked at all: a plan may take its
 * bytes out of the archive's blob, then without that check.
 */
int archive_member_blob(struct archive *archive, size_t member,
			struct blob **out) MUST_CHECK;

#endif
