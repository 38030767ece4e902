/* SPDX-License-Identifier: MIT */
#include "cache/index.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cache/index_check.h"

#define MAP_BYTES_MIN ((size_t)1 << 30)

/* LMDB's header and 126 readers of 64 bytes are 8 KiB. */
#define LOCK_FILE_BYTES (16 << 10)

/* What a memo's value may be: a listing of the largest repository. */
#define MEMO_VALUE_MAX ((size_t)256 << 20)

struct index {
	bool is_new;
	MDB_env *env;
	MDB_dbi blobs;
	MDB_dbi groups;
	MDB_dbi memos;
};

struct index_batch {
	struct index *index;
	MDB_txn *txn;
	struct str scratch;
};

/* The one place where an LMDB code becomes an errno. */
static int errno_from_mdb(int code)
{
	switch (code) {
	case 0:
		return 0;
	case MDB_NOTFOUND:
		return -ENOENT;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		return -ENOSPC;
	case MDB_READERS_FULL:
		return -EAGAIN;
	case MDB_CORRUPTED:
	case MDB_PANIC:
	case MDB_PAGE_NOTFOUND:
	case MDB_VERSION_MISMATCH:
	case MDB_INVALID:
		return -EBADMSG;
	default:
		return code > 0 ? -code : -EIO;
	}
}

static int env_try(const char *dir, size_t map_bytes, MDB_env **out)
{
	MDB_env *env;
	int code = mdb_env_create(&env);

	if (code)
		return errno_from_mdb(code);
	mdb_env_set_maxdbs(env, 4);
	mdb_env_set_mapsize(env, map_bytes);
	code = mdb_env_open(env, dir, MDB_NOTLS, 0600);
	if (code)
		mdb_env_close(env); /* it cannot be opened again */
	else
		*out = env;
	return errno_from_mdb(code);
}

/* Sanitizers and limits leave less address space. */
static int env_open(const char *dir, MDB_env **out)
{
	size_t map_bytes = INDEX_MAP_BYTES;
	int r;

	do {
		r = env_try(dir, map_bytes, out);
		map_bytes /= 4;
	} while (r == -ENOMEM && map_bytes >= MAP_BYTES_MIN);
	return r;
}

static int dbs_open(struct index *index)
{
	MDB_txn *txn;
	int code = mdb_txn_begin(index->env, NULL, 0, &txn);

	if (code)
		return errno_from_mdb(code);
	code = mdb_dbi_open(txn, "blobs", 0, &index->blobs);
	index->is_new = code == MDB_NOTFOUND;
	if (index->is_new)
		code = mdb_dbi_open(txn, "blobs", MDB_CREATE, &index->blobs);
	if (!code)
		code = mdb_dbi_open(txn, "groups", MDB_CREATE, &index->groups);
	if (!code)
		code = mdb_dbi_open(txn, "memos", MDB_CREATE, &index->memos);
	if (code)
		mdb_txn_abort(txn);
	else
		code = mdb_txn_commit(txn);
	return errno_from_mdb(code);
}

/*
 * LMDB maps its lock file, and makes it as a hole: on a full disk the first
 * write to it would be a SIGBUS.  So it gets its bytes before.
 */
static int lock_file_make(const char *dir)
{
	auto_free char *path = mem_printf("%s/lock.mdb", dir);
	auto_close int fd = -1;

	if (!path)
		return -ENOMEM;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	return -posix_fallocate(fd, 0, LOCK_FILE_BYTES);
}

static int index_try(const char *dir, struct index **out)
{
	struct index *index = mem_zalloc(sizeof(*index));
	int r = index ? lock_file_make(dir) : -ENOMEM;

	if (r == 0)
		r = env_open(dir, &index->env);
	if (r == 0)
		r = dbs_open(index);
	if (r < 0) {
		if (index && index->env)
			mdb_env_close(index->env);
		free(index);
		return r;
	}
	*out = index;
	return 0;
}

/* Another index would fare no better, or this one may tomorrow. */
static bool is_passing(int error)
{
	return error == -ENOMEM || error == -ENOSPC || error == -EDQUOT ||
	       error == -EMFILE || error == -ENFILE || error == -EROFS ||
	       error == -EAGAIN || error == -EINTR;
}

int index_open(const char *dir, struct index **out)
{
	int r = 0;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	r = index_check(dir);
	if (r == 0)
		r = index_try(dir, out);
	if (r == 0 || is_passing(r))
		return r;
	log_warn("cache", "the index is damaged (%s): starting a new one",
		 strerror(-r));
	r = index_set_aside(dir);
	return r < 0 ? r : index_try(dir, out);
}

void index_close(struct index *index)
{
	mdb_env_close(index->env);
	free(index);
}

bool index_is_new(const struct index *index)
{
	return index->is_new;
}

static MDB_val val_of(const void *bytes, size_t len)
{
	return (MDB_val){ len, (void *)(uintptr_t)bytes };
}

static int get(struct index *index, MDB_dbi dbi, const void *key,
	       size_t key_len,
	       int (*decode)(void *arg, const void *value, size_t len),
	       void *arg)
{
	MDB_val name = val_of(key, key_len);
	MDB_val value;
	MDB_txn *txn;
	int code = mdb_txn_begin(index->env, NULL, MDB_RDONLY, &txn);
	int r = errno_from_mdb(code);

	if (r == 0) {
		r = errno_from_mdb(mdb_get(txn, dbi, &name, &value));
		if (r == 0)
			r = decode(arg, value.mv_data, value.mv_size);
		mdb_txn_abort(txn);
	}
	return r == -EBADMSG ? -ENOENT : r;
}

struct want_blob {
	const struct content_key *key;
	struct blob_record *out;
};

static int decode_blob(void *arg, const void *value, size_t len)
{
	struct want_blob *want = arg;

	return blob_record_decode(want->key, value, len, want->out);
}

int index_get_blob(struct index *index, const struct content_key *key,
		   struct blob_record *out)
{
	struct want_blob want = { key, out };

	return get(index, index->blobs, key->bytes, sizeof(key->bytes),
		   decode_blob, &want);
}

struct want_group {
	const struct content_key *key;
	uint32_t group;
	struct group_record *out;
};

static int decode_group(void *arg, const void *value, size_t len)
{
	struct want_group *want = arg;

	return group_record_decode(want->key, want->group, value, len,
				   want->out);
}

int index_get_group(struct index *index, const struct content_key *key,
		    uint32_t group, struct group_record *out)
{
	struct want_group want = { key, group, out };
	uint8_t name[GROUP_KEY_BYTES];

	group_key(key, group, name);
	return get(index, index->groups, name, sizeof(name), decode_group,
		   &want);
}

/* Memo keys may be longer than LMDB's 511 bytes: their hash is the key. */
struct memo_name {
	uint8_t hash[SHA256_BYTES];
	const char *key;
};

static int memo_name(const char *key, struct memo_name *out)
{
	out->key = key;
	return sha256(key, strlen(key), out->hash);
}

struct want_memo {
	const struct memo_name *name;
	struct str *out;
	int64_t *stored_wall_s;
};

/* i64 time, u32 length of the key, the key, the value. */
static int decode_memo(void *arg, const void *value, size_t len)
{
	struct want_memo *want = arg;
	const char *key = want->name->key;
	size_t key_len = strlen(key);
	const uint8_t *body;
	size_t body_len;
	int r = record_open(want->name->hash, SHA256_BYTES, value, len, &body,
			    &body_len);

	if (r < 0)
		return r;
	if (body_len < 12 + key_len || le32(body + 8) != key_len ||
	    memcmp(body + 12, key, key_len) != 0)
		return -EBADMSG;
	if (want->stored_wall_s)
		*want->stored_wall_s = (int64_t)le64(body);
	return str_append(want->out, body + 12 + key_len,
			  body_len - 12 - key_len);
}

int index_get_memo(struct index *index, const char *key, struct str *value,
		   int64_t *stored_wall_s)
{
	struct memo_name name;
	struct want_memo want = { &name, value, stored_wall_s };
	int r = memo_name(key, &name);

	return r < 0 ? r
		     : get(index, index->memos, name.hash, sizeof(name.hash),
			   decode_memo, &want);
}

int index_begin(struct index *index, struct index_batch **out)
{
	struct index_batch *batch = mem_zalloc(sizeof(*batch));
	int code;

	if (!batch)
		return -ENOMEM;
	batch->index = index;
	str_init(&batch->scratch, MEMO_VALUE_MAX);
	code = mdb_txn_begin(index->env, NULL, 0, &batch->txn);
	if (code) {
		free(batch);
		return errno_from_mdb(code);
	}
	*out = batch;
	return 0;
}

/* Writes batch->scratch under @key. */
static int put(struct index_batch *batch, MDB_dbi dbi, const void *key,
	       size_t key_len)
{
	MDB_val name = val_of(key, key_len);
	MDB_val value = val_of(batch->scratch.bytes, batch->scratch.len);

	return errno_from_mdb(mdb_put(batch->txn, dbi, &name, &value, 0));
}

int index_put_blob(struct index_batch *batch, const struct content_key *key,
		   const struct blob_record *record)
{
	int r;

	str_clear(&batch->scratch);
	r = blob_record_encode(key, record, &batch->scratch);
	return r < 0 ? r
		     : put(batch, batch->index->blobs, key->bytes,
			   sizeof(key->bytes));
}

int index_put_group(struct index_batch *batch, const struct content_key *key,
		    uint32_t group, const struct group_record *record)
{
	uint8_t name[GROUP_KEY_BYTES];
	int r;

	str_clear(&batch->scratch);
	group_key(key, group, name);
	r = group_record_encode(key, group, record, &batch->scratch);
	return r < 0 ? r : put(batch, batch->index->groups, name, sizeof(name));
}

int index_put_memo(struct index_batch *batch, const char *key,
		   int64_t stored_wall_s, const void *value, size_t len)
{
	auto_str struct str body;
	struct memo_name name;
	uint8_t head[12];
	int r = memo_name(key, &name);

	str_init(&body, MEMO_VALUE_MAX);
	str_clear(&batch->scratch);
	put_le64(head, (uint64_t)stored_wall_s);
	put_le32(head + 8, (uint32_t)strlen(key));
	if (r == 0)
		r = str_append(&body, head, sizeof(head));
	if (r == 0)
		r = str_append_text(&body, key);
	if (r == 0)
		r = str_append(&body, value, len);
	if (r == 0)
		r = record_seal(name.hash, sizeof(name.hash), body.bytes,
				body.len, &batch->scratch);
	return r < 0 ? r
		     : put(batch, batch->index->memos, name.hash,
			   sizeof(name.hash));
}

int index_delete_blob(struct index_batch *batch, const struct content_key *key)
{
	MDB_val name = val_of(key->bytes, sizeof(key->bytes));
	uint8_t first[GROUP_KEY_BYTES] = { 0 };
	MDB_val at = val_of(first, sizeof(first));
	MDB_val value;
	MDB_cursor *cursor;
	int code = mdb_del(batch->txn, batch->index->blobs, &name, NULL);

	if (code && code != MDB_NOTFOUND)
		return errno_from_mdb(code);
	code = mdb_cursor_open(batch->txn, batch->index->groups, &cursor);
	if (code)
		return errno_from_mdb(code);
	group_key(key, 0, first);
	code = mdb_cursor_get(cursor, &at, &value, MDB_SET_RANGE);
	while (!code && at.mv_size == GROUP_KEY_BYTES &&
	       memcmp(at.mv_data, key->bytes, SHA256_BYTES) == 0) {
		code = mdb_cursor_del(cursor, 0);
		if (!code)
			code = mdb_cursor_get(cursor, &at, &value,
					      MDB_GET_CURRENT);
	}
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND || code == EINVAL ? 0
						      : errno_from_mdb(code);
}

int index_commit(struct index_batch *batch)
{
	int code = mdb_txn_commit(batch->txn);

	str_release(&batch->scratch);
	free(batch);
	return errno_from_mdb(code);
}

void index_abort(struct index_batch *batch)
{
	mdb_txn_abort(batch->txn);
	str_release(&batch->scratch);
	free(batch);
}

/* Blocks that the groups of @key have, by a cursor of their own. */
static uint64_t count_blocks(MDB_cursor *cursor, const struct content_key *key)
{
	uint8_t first[GROUP_KEY_BYTES] = { 0 };
	MDB_val at = val_of(first, sizeof(first));
	MDB_val value;
	struct group_record record;
	uint64_t blocks = 0;
	uint32_t group = 0;
	int code;

	group_key(key, 0, first);
	code = mdb_cursor_get(cursor, &at, &value, MDB_SET_RANGE);
	while (!code && at.mv_size == GROUP_KEY_BYTES &&
	       memcmp(at.mv_data, key->bytes, SHA256_BYTES) == 0) {
		const uint8_t *n = (uint8_t *)at.mv_data + SHA256_BYTES;

		group = (uint32_t)n[0] << 24 | (uint32_t)n[1] << 16 |
			(uint32_t)n[2] << 8 | n[3];
		if (group_record_decode(key, group, value.mv_data,
					value.mv_size, &record) == 0)
			for (size_t i = 0; i < sizeof(record.present); i++)
				blocks += (uint64_t)__builtin_popcount(
					record.present[i]);
		code = mdb_cursor_get(cursor, &at, &value, MDB_NEXT);
	}
	return blocks;
}

static int walk_txn(struct index *index, MDB_txn *txn,
		    int (*blob)(void *arg, const struct content_key *key,
				const struct blob_record *record,
				uint64_t blocks),
		    void *arg)
{
	MDB_cursor *blobs;
	MDB_cursor *groups;
	MDB_val name;
	MDB_val value;
	int code = mdb_cursor_open(txn, index->blobs, &blobs);
	int r = 0;

	if (code)
		return errno_from_mdb(code);
	code = mdb_cursor_open(txn, index->groups, &groups);
	if (!code)
		code = mdb_cursor_get(blobs, &name, &value, MDB_FIRST);
	while (!code && r == 0) {
		struct blob_record record;
		struct content_key key;

		if (name.mv_size == sizeof(key.bytes)) {
			memcpy(key.bytes, name.mv_data, sizeof(key.bytes));
			if (blob_record_decode(&key, value.mv_data,
					       value.mv_size, &record) == 0)
				r = blob(arg, &key, &record,
					 count_blocks(groups, &key));
		}
		code = mdb_cursor_get(blobs, &name, &value, MDB_NEXT);
	}
	mdb_cursor_close(groups);
	mdb_cursor_close(blobs);
	return r < 0 || code == MDB_NOTFOUND ? r : errno_from_mdb(code);
}

int index_walk(struct index *index,
	       int (*blob)(void *arg, const struct content_key *key,
			   const struct blob_record *record, uint64_t blocks),
	       void *arg)
{
	MDB_txn *txn;
	int code = mdb_txn_begin(index->env, NULL, MDB_RDONLY, &txn);
	int r;

	if (code)
		return errno_from_mdb(code);
	r = walk_txn(index, txn, blob, arg);
	mdb_txn_abort(txn);
	return r;
}
