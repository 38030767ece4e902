/* SPDX-License-Identifier: MIT */
#include "staging/archive/archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/archive/job.h"
#include "staging/stage_repo.h"
#include "staging/weights/zip_directory.h"

#define HEAD_BYTES 512 /* a tar's first header */

struct archive *archive_ref(struct archive *archive)
{
	atomic_fetch_add(&archive->refs, 1);
	return archive;
}

void archive_unref(struct archive *archive)
{
	if (!archive || atomic_fetch_sub(&archive->refs, 1) != 1)
		return;
	table_release(&archive->table);
	zip_directory_free(archive->zip);
	blob_unref(archive->blob);
	free(archive->label);
	free(archive);
}

/* Without members. */
static int open_bare(const struct stage_repo *repo, size_t index,
		     struct archive **out)
{
	auto_archive struct archive *archive = mem_zalloc(sizeof(*archive));
	int r;

	if (!archive)
		return -ENOMEM;
	atomic_init(&archive->refs, 1);
	table_init(&archive->table);
	archive->label = mem_printf("%s/%s", repo->id, repo->files[index].path);
	archive->jobs = repo->jobs;
	archive->memo = repo->memo;
	archive->keep = repo->keep;
	archive->keep_arg = repo->keep_arg;
	r = archive->label ? stage_repo_open(repo, index, &archive->blob)
			   : -ENOMEM;
	if (r == 0)
		*out = take_ptr(archive);
	return r;
}

int archive_new_like(const struct archive *like, struct archive_table *table,
		     struct zip_directory *zip, struct archive **out)
{
	auto_zip_directory struct zip_directory *owned = zip;
	auto_archive struct archive *archive = mem_zalloc(sizeof(*archive));

	if (!archive)
		return -ENOMEM;
	atomic_init(&archive->refs, 1);
	archive->label = mem_strdup(like->label);
	if (!archive->label)
		return -ENOMEM;
	archive->blob = blob_ref(like->blob);
	archive->jobs = like->jobs;
	archive->memo = like->memo;
	archive->keep = like->keep;
	archive->keep_arg = like->keep_arg;
	archive->zip = take_ptr(owned);
	archive->table = *table;
	table_init(table);
	archive->members = archive->table.members;
	archive->count = archive->table.count;
	archive->left_out = archive->table.left_out;
	*out = take_ptr(archive);
	return 0;
}

static bool ends_with(const char *path, const char *end)
{
	size_t len = strlen(path), end_len = strlen(end);

	return len >= end_len && strcmp(path + len - end_len, end) == 0;
}

/* Whose end is looked at before its beginning. */
static bool is_named_zip(const char *path)
{
	static const char *const ends[] = { ".zip", ".mar", ".war", ".keras" };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (ends_with(path, ends[i]))
			return true;
	return false;
}

/* Early enough that how far the job is can be told before time is up. */
static uint64_t wait_until_ns(uint64_t deadline_ns)
{
	uint64_t now = clock_now_ns();

	if (deadline_ns == CLOCK_NEVER || deadline_ns <= now)
		return deadline_ns;
	return deadline_ns - (deadline_ns - now) / 4;
}

/* The table that a job finds, which is waited for. */
static int open_tar(struct archive *bare, uint64_t deadline_ns,
		    struct archive **out, struct refusal *why)
{
	struct job_spec spec = { &bare->blob->key, bare, NO_MEMBER };
	auto_job struct job *job = NULL;
	int r;

	r = jobs_join(bare->jobs, &spec, NULL, &job);
	if (r < 0)
		return r;
	r = job_wait(job, wait_until_ns(deadline_ns));
	if (r == -EBADMSG && job->why.code)
		return refuse(why, job->why.code, job->why.detail, "%s",
			      job->why.reason ? job->why.reason : "");
	if (r == 0)
		*out = archive_ref(job->archive);
	return r;
}

/* By its first bytes: names lie. */
static int open_by_head(struct archive *bare, uint64_t deadline_ns,
			struct archive **out, struct refusal *why)
{
	size_t len = (size_t)u64_min(bare->blob->size, HEAD_BYTES);
	uint8_t head[HEAD_BYTES];
	bool zip = false;
	int r = blob_fetch(bare->blob, 0, len, head, deadline_ns);

	r = r ?: archive_check_head(head, len, bare->label, &zip, why);
	if (r < 0)
		return r;
	if (!zip)
		return open_tar(bare, deadline_ns, out, why);
	r = archive_read_zip(bare, deadline_ns, out, why);
	if (r == -ENODATA)
		return refuse(why, "archive-damaged", bare->label,
			      "the zip has no end, or is followed by something "
			      "else");
	return r;
}

/* What was kept of it is told first: that is not waited for. */
static int open_bared(struct archive *bare, const char *path,
		      uint64_t deadline_ns, struct archive **out,
		      struct refusal *why)
{
	bool zip = is_named_zip(path);
	int r = zip ? -ENOENT : archive_recall(bare, out, why);

	if (r != -ENOENT)
		return r;
	if (deadline_ns == DEADLINE_NOW)
		return -EINPROGRESS;
	r = zip ? archive_read_zip(bare, deadline_ns, out, why) : -ENODATA;
	if (r == -ENODATA)
		r = open_by_head(bare, deadline_ns, out, why);
	return r;
}

int archive_open(const struct stage_repo *repo, size_t index,
		 struct archive **out, struct refusal *why)
{
	const char *path = repo->files[index].path;
	auto_archive struct archive *bare = NULL;
	int r;

	if (!repo->jobs || !repo->keep)
		return refuse(why, "archive", path,
			      "archives are not unpacked here");
	r = open_bare(repo, index, &bare);
	return r ?: open_bared(bare, path, repo->deadline_ns, out, why);
}

bool archive_find(const struct archive *archive, const char *path,
		  size_t *member)
{
	const struct archive_member *found = table_find(&archive->table, path);

	if (found)
		*member = (size_t)(found - archive->members);
	return found != NULL;
}

static int empty_blob(struct blob **out)
{
	void *bytes = mem_alloc(1);

	return bytes ? blob_of_bytes(bytes, 0, out) : -ENOMEM;
}

int archive_member_blob(struct archive *archive, size_t member,
			struct blob **out)
{
	auto_source struct source *source = NULL;
	int r;

	if (member >= archive->count)
		return -EINVAL;
	if (archive->members[member].size == 0)
		return empty_blob(out);
	r = member_source_new(archive, member, &source);
	return r ?: archive->keep(archive->keep_arg, source, out);
}
