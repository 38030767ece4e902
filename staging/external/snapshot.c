/* SPDX-License-Identifier: MIT */
#include "staging/external/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/stage_repo.h"
#include "staging/weights/shard_index.h"
#include "staging/weights/weights_open.h"

#define FETCH_TRIES_MAX 5
#define FOLDERS_MAX 2 /* "1_Pooling/config.json" has one */

void snapshot_release(struct snapshot *snapshot)
{
	free(snapshot->files);
	*snapshot = (struct snapshot){ 0 };
}

static bool ends_with(const char *path, const char *end)
{
	size_t len = strlen(path), end_len = strlen(end);

	return len > end_len && strcmp(path + len - end_len, end) == 0;
}

bool snapshot_wants(const char *path, uint64_t size)
{
	static const char *const ends[] = { ".json",  ".txt",	   ".model",
					    ".jinja", ".tiktoken", ".bpe",
					    ".vocab" };
	size_t folders = 0;

	if (size > CONVERT_SMALL_BYTES || path[0] == '.' || strstr(path, "/."))
		return false;
	for (const char *at = path; (at = strchr(at, '/')); at++)
		folders++;
	for (size_t i = 0; folders <= FOLDERS_MAX && i < ARRAY_LEN(ends); i++)
		if (ends_with(path, ends[i]))
			return true;
	return false;
}

static int mark_shards(const struct stage_repo *repo, size_t index,
		       bool *wanted, struct refusal *why)
{
	auto_shard_index struct shard_index shards = { 0 };
	auto_str struct str text;
	int r;

	str_init(&text, SHARD_INDEX_BYTES_MAX);
	r = stage_repo_read(repo, index, &text);
	r = r ?: shard_index_parse(str_text(&text), text.len, &shards, why);
	for (size_t i = 0; r == 0 && i < shards.count; i++) {
		if (!stage_repo_find(repo, shards.names[i], &index))
			return refuse(why, "shard-index", shards.names[i],
				      "a file of the weights is not in the "
				      "repository");
		wanted[index] = true;
	}
	return r;
}

static int mark(const struct stage_repo *repo, bool *wanted,
		struct refusal *why)
{
	size_t index;
	const struct weights_kind *kind = weights_pick(repo, FRAMEWORK_PYTORCH,
						       &index);

	if (!kind)
		return refuse(why, "weights", NULL,
			      "the repository has no PyTorch weights");
	wanted[index] = true;
	for (size_t i = 0; i < repo->file_count; i++)
		if (snapshot_wants(repo->files[i].path, repo->files[i].size))
			wanted[i] = true;
	return kind->sharded ? mark_shards(repo, index, wanted, why) : 0;
}

int snapshot_choose(const struct stage_repo *repo, struct snapshot *out,
		    struct refusal *why)
{
	auto_free bool *wanted = mem_array(repo->file_count + 1, sizeof(bool));
	auto_snapshot struct snapshot snapshot = { 0 };
	int r = wanted ? mark(repo, wanted, why) : -ENOMEM;

	if (r < 0)
		return r;
	snapshot.files = mem_array(repo->file_count + 1, sizeof(size_t));
	if (!snapshot.files)
		return -ENOMEM;
	for (size_t i = 0; i < repo->file_count; i++) {
		if (!wanted[i])
			continue;
		snapshot.files[snapshot.count++] = i;
		if (!u64_add(snapshot.bytes, repo->files[i].size,
			     &snapshot.bytes))
			return -EFBIG;
	}
	*out = snapshot;
	snapshot = (struct snapshot){ 0 };
	return 0;
}

/* The folders that @path, of a file, goes through. */
static int make_folders(char *path, size_t from)
{
	for (char *at = path + from; (at = strchr(at, '/')); at++) {
		int r;

		*at = '\0';
		r = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
		*at = '/';
		if (r < 0)
			return r;
	}
	return 0;
}

/* On a slow line a piece may take longer: what came of it is kept. */
static int fetch_piece(struct blob *blob, uint64_t off, size_t len, void *to,
		       const struct snapshot_copy *copy)
{
	int r = -ETIMEDOUT;

	for (int i = 0; r == -ETIMEDOUT && i < FETCH_TRIES_MAX; i++) {
		uint64_t until_ns =
			clock_after_ns(REQUEST_DEADLINE_S * NS_PER_S);

		r = copy->look(copy->arg);
		if (r == 0)
			r = blob_fetch(blob, off, len, to, until_ns);
	}
	return r;
}

static int copy_bytes(struct blob *blob, int fd, struct hasher *hasher,
		      const struct snapshot_copy *copy)
{
	auto_free uint8_t *piece =
		mem_alloc((size_t)u64_min(blob->size, CONVERT_PIECE_BYTES) + 1);
	int r = piece ? 0 : -ENOMEM;

	for (uint64_t off = 0; r == 0 && off < blob->size;) {
		size_t len = (size_t)u64_min(blob->size - off,
					     CONVERT_PIECE_BYTES);

		r = fetch_piece(blob, off, len, piece, copy);
		r = r ?: file_pwrite(fd, off, len, piece);
		if (r == 0 && hasher)
			r = hasher_add(hasher, piece, len);
		off += len;
		atomic_fetch_add(copy->done, len);
	}
	return r;
}

/* The hub's digest, where it gives one. */
static int copy_proven(struct blob *blob, int fd,
		       const struct snapshot_copy *copy, const char *path,
		       struct refusal *why)
{
	struct hasher *hasher = NULL;
	struct digest found;
	int r;

	if (blob->digest.kind == DIGEST_NONE)
		return copy_bytes(blob, fd, NULL, copy);
	hasher = hasher_new(blob->digest.kind, blob->size);
	if (!hasher)
		return -ENOMEM;
	r = copy_bytes(blob, fd, hasher, copy);
	if (r < 0) {
		hasher_free(hasher);
		return r;
	}
	r = hasher_finish(hasher, &found);
	if (r == 0 && !digest_proves(&found, &blob->digest))
		return refuse(why, "digest", path,
			      "a file is not what the hub's digest says");
	return r;
}

static int write_file(const struct stage_repo *repo, size_t index,
		      const char *folder, const struct snapshot_copy *copy,
		      struct refusal *why)
{
	const char *path = repo->files[index].path;
	auto_free char *target = mem_printf("%s/%s", folder, path);
	auto_blob struct blob *blob = NULL;
	auto_close int fd = -1;
	int r;

	if (!target)
		return -ENOMEM;
	if (path[0] == '/' || strstr(path, ".."))
		return -EINVAL; /* a hub that leads out of the folder */
	r = make_folders(target, strlen(folder) + 1);
	r = r ?: stage_repo_open(repo, index, &blob);
	if (r < 0)
		return r;
	fd = open(target, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
		  0400);
	if (fd < 0)
		return -errno;
	return copy_proven(blob, fd, copy, path, why);
}

int snapshot_write(const struct snapshot *snapshot,
		   const struct stage_repo *repo, const char *folder,
		   const struct snapshot_copy *copy, struct refusal *why)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < snapshot->count; i++)
		r = write_file(repo, snapshot->files[i], folder, copy, why);
	return r;
}
