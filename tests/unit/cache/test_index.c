/* SPDX-License-Identifier: MIT */
#include "cache/index.h"

#include <lmdb.h>
#include <sys/resource.h>

#include "cache/index_check.h"
#include "tests/unit/cache/cache_fixture.h"

static char index_path[sizeof(folder) + 8];
static struct index *idx;

static int group_set_up(void **state)
{
	int r = folder_make(state);

	snprintf(index_path, sizeof(index_path), "%s/index", folder);
	return r;
}

static int set_up(void **state)
{
	(void)state;
	return index_open(index_path, &idx);
}

static int tear_down(void **state)
{
	if (idx)
		index_close(take_ptr(idx));
	return folder_empty(state);
}

static void reopen(void)
{
	index_close(take_ptr(idx));
	assert_int_equal(index_open(index_path, &idx), 0);
}

static struct content_key key_of(uint32_t number)
{
	struct content_key key;

	assert_int_equal(sha256(&number, sizeof(number), key.bytes), 0);
	return key;
}

static struct group_record group_of(uint32_t number)
{
	struct group_record group = { { 0 }, { 0 } };

	memset(group.present, 0x11, sizeof(group.present));
	for (size_t i = 0; i < GROUP_BLOCKS; i++)
		group.sums[i] = number * 1000 + i;
	return group;
}

/* A blob of @number with as many groups. */
static void put_blob(struct index_batch *batch, uint32_t number,
		     uint32_t groups)
{
	struct content_key key = key_of(number);
	struct blob_record record = { .size = number };

	assert_int_equal(index_put_blob(batch, &key, &record), 0);
	for (uint32_t i = 0; i < groups; i++) {
		struct group_record group = group_of(i);

		assert_int_equal(index_put_group(batch, &key, i, &group), 0);
	}
}

static void put_and_commit(uint32_t number, uint32_t groups)
{
	struct index_batch *batch;

	assert_int_equal(index_begin(idx, &batch), 0);
	put_blob(batch, number, groups);
	assert_int_equal(index_commit(batch), 0);
}

static void delete_and_commit(uint32_t number)
{
	struct content_key key = key_of(number);
	struct index_batch *batch;

	assert_int_equal(index_begin(idx, &batch), 0);
	assert_int_equal(index_delete_blob(batch, &key), 0);
	assert_int_equal(index_commit(batch), 0);
}

/* Groups of the blob, of which all that are there are right. */
static uint32_t groups_there(uint32_t number, uint32_t max)
{
	struct content_key key = key_of(number);
	uint32_t there = 0;

	for (uint32_t i = 0; i < max; i++) {
		struct group_record want = group_of(i);
		struct group_record got;
		int r = index_get_group(idx, &key, i, &got);

		if (r == 0)
			assert_memory_equal(&got, &want, sizeof(got));
		else
			assert_int_equal(r, -ENOENT);
		there += r == 0;
	}
	return there;
}

static int blob_there(uint32_t number)
{
	struct content_key key = key_of(number);
	struct blob_record record;
	int r = index_get_blob(idx, &key, &record);

	if (r == 0)
		assert_int_equal(record.size, number);
	return r;
}

static int memo_put_now(const char *key, const void *value, size_t len)
{
	struct index_batch *batch;
	int r = index_begin(idx, &batch);

	if (r < 0)
		return r;
	r = index_put_memo(batch, key, 1234, value, len);
	if (r == 0)
		return index_commit(batch);
	index_abort(batch);
	return r;
}

static void a_new_one_is_empty(void **state)
{
	(void)state;
	assert_true(index_is_new(idx));
	assert_int_equal(blob_there(1), -ENOENT);
	assert_int_equal(groups_there(1, 3), 0);
	reopen();
	assert_false(index_is_new(idx));
}

static void what_was_committed_stays(void **state)
{
	(void)state;
	put_and_commit(1, 3);
	put_and_commit(2, 0);
	reopen();
	assert_int_equal(blob_there(1), 0);
	assert_int_equal(groups_there(1, 5), 3);
	assert_int_equal(blob_there(2), 0);
	assert_int_equal(blob_there(3), -ENOENT);
}

static void a_batch_is_seen_whole_or_not(void **state)
{
	struct index_batch *batch;

	(void)state;
	assert_int_equal(index_begin(idx, &batch), 0);
	put_blob(batch, 1, 2);
	assert_int_equal(blob_there(1), -ENOENT);
	index_abort(batch);
	assert_int_equal(blob_there(1), -ENOENT);
	assert_int_equal(index_begin(idx, &batch), 0);
	put_blob(batch, 1, 2);
	assert_int_equal(index_commit(batch), 0);
	assert_int_equal(groups_there(1, 3), 2);
}

/* Over many pages, and only those: the neighbours stay. */
static void deleting_takes_all_groups(void **state)
{
	static const uint32_t counts[] = { 0, 1, 2, 40, 400 };

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		put_and_commit(100 + i, 3);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		put_and_commit(5, counts[i]);
		assert_int_equal(groups_there(5, 500), counts[i]);
		delete_and_commit(5);
		assert_int_equal(groups_there(5, 500), 0);
		assert_int_equal(blob_there(5), -ENOENT);
		delete_and_commit(5); /* of what is not there: fine */
	}
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(groups_there(100 + i, 4), 3);
	/* The last of all keys, and all of them. */
	for (uint32_t i = 0; i < 20; i++) {
		delete_and_commit(100 + i);
		assert_int_equal(groups_there(100 + i, 4), 0);
		if (i < 19)
			assert_int_equal(groups_there(119, 4), 3);
	}
}

struct walked {
	uint32_t blobs;
	uint64_t blocks;
	int stop;
};

static int walk_one(void *arg, const struct content_key *key,
		    const struct blob_record *record, uint64_t blocks)
{
	struct walked *walked = arg;
	struct content_key want = key_of((uint32_t)record->size);

	assert_true(content_key_equal(key, &want));
	walked->blobs++;
	walked->blocks += blocks;
	return walked->stop;
}

static void walking_counts_blocks(void **state)
{
	struct walked walked = { 0 };

	(void)state;
	assert_int_equal(index_walk(idx, walk_one, &walked), 0);
	assert_int_equal(walked.blobs, 0);
	for (uint32_t i = 0; i < 30; i++)
		put_and_commit(i, i % 3);
	assert_int_equal(index_walk(idx, walk_one, &walked), 0);
	assert_int_equal(walked.blobs, 30);
	assert_int_equal(walked.blocks, 30 * GROUP_BLOCKS / 4);
	walked = (struct walked){ .stop = -ECANCELED };
	assert_int_equal(index_walk(idx, walk_one, &walked), -ECANCELED);
	assert_int_equal(walked.blobs, 1);
}

static void memos_of_any_size(void **state)
{
	static const size_t lens[] = { 0, 1, 1000, 5000, 3 << 20 };
	auto_free char *long_key = malloc(2000);
	auto_free char *value = malloc(3 << 20);

	(void)state;
	memset(long_key, 'k', 1999);
	long_key[1999] = '\0';
	memset(value, 'v', 3 << 20);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		const char *key = i % 2 ? long_key : "";
		auto_str struct str got;
		int64_t at_s;

		str_init(&got, 4 << 20);
		assert_int_equal(memo_put_now(key, value, lens[i]), 0);
		assert_int_equal(str_append_text(&got, "before"), 0);
		assert_int_equal(index_get_memo(idx, key, &got, &at_s), 0);
		assert_int_equal(got.len, lens[i] + 6);
		assert_memory_equal(got.bytes, "before", 6);
		assert_memory_equal(got.bytes + 6, value, lens[i]);
		assert_int_equal(at_s, 1234);
	}
}

static void a_memo_past_the_callers_bound(void **state)
{
	auto_str struct str got;

	(void)state;
	str_init(&got, 4);
	assert_int_equal(memo_put_now("key", "12345", 5), 0);
	assert_int_equal(index_get_memo(idx, "key", &got, NULL), -EFBIG);
	assert_int_equal(index_get_memo(idx, "kez", &got, NULL), -ENOENT);
	assert_int_equal(got.len, 0);
}

/* Flips a bit of each value of a table, as a bad disk would. */
static void spoil(const char *table)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_cursor *cursor;
	MDB_val key, value;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
	assert_int_equal(mdb_env_set_mapsize(env, 1 << 26), 0);
	assert_int_equal(mdb_env_open(env, index_path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, table, 0, &dbi), 0);
	assert_int_equal(mdb_cursor_open(txn, dbi, &cursor), 0);
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
		/* Copies: what a cursor gave is gone with the put. */
		MDB_val same = { key.mv_size,
				 mem_dup(key.mv_data, key.mv_size) };
		MDB_val bad = { value.mv_size,
				mem_dup(value.mv_data, value.mv_size) };

		((char *)bad.mv_data)[bad.mv_size - 1] ^= 1;
		assert_int_equal(
			mdb_cursor_put(cursor, &same, &bad, MDB_CURRENT), 0);
		free(same.mv_data);
		free(bad.mv_data);
	}
	mdb_cursor_close(cursor);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void damaged_values_are_absent(void **state)
{
	auto_str struct str got;
	struct walked walked = { 0 };

	(void)state;
	str_init(&got, 100);
	put_and_commit(1, 3);
	assert_int_equal(memo_put_now("key", "value", 5), 0);
	index_close(take_ptr(idx));
	spoil("groups");
	spoil("memos");
	assert_int_equal(index_open(index_path, &idx), 0);
	assert_int_equal(groups_there(1, 3), 0);
	assert_int_equal(index_get_memo(idx, "key", &got, NULL), -ENOENT);
	assert_int_equal(index_walk(idx, walk_one, &walked), 0);
	assert_int_equal(walked.blobs, 1);
	assert_int_equal(walked.blocks, 0);
	index_close(take_ptr(idx));
	spoil("blobs");
	assert_int_equal(index_open(index_path, &idx), 0);
	assert_int_equal(blob_there(1), -ENOENT);
	assert_int_equal(index_walk(idx, walk_one, &walked), 0);
	assert_int_equal(walked.blobs, 1);
}

/* Of those moved aside one is kept, however often it happens. */
static void a_damaged_one_is_moved_aside(void **state)
{
	auto_free char *file = mem_printf("%s/data.mdb", index_path);
	auto_free char *bad = mem_printf("%s.bad/data.mdb", index_path);

	(void)state;
	for (int i = 0; i < 3; i++) {
		put_and_commit(1, 3);
		index_close(take_ptr(idx));
		assert_int_equal(truncate(file, 5000 + i), 0);
		assert_int_equal(index_open(index_path, &idx), 0);
		assert_true(index_is_new(idx));
		assert_int_equal(blob_there(1), -ENOENT);
		assert_int_equal(access(bad, F_OK), 0);
	}
	put_and_commit(2, 1);
	reopen();
	assert_int_equal(blob_there(2), 0);
}

/* Whatever stands where it should be. */
static void what_is_no_index_is_moved_aside(void **state)
{
	auto_free char *file = mem_printf("%s/data.mdb", index_path);
	auto_close int fd = -1;

	(void)state;
	index_close(take_ptr(idx));
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_int_equal(index_open(index_path, &idx), 0);
	index_close(take_ptr(idx));
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(index_open(index_path, &idx), 0);
	index_close(take_ptr(idx));
	tree_empty(index_path);
	assert_int_equal(rmdir(index_path), 0);
	fd = open(index_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(index_open(index_path, &idx), 0);
	put_and_commit(1, 1);
}

/* A machine short of something is no reason to throw an index away. */
static void want_of_descriptors_is_no_damage(void **state)
{
	struct rlimit was;
	struct rlimit few;

	(void)state;
	put_and_commit(1, 3);
	index_close(take_ptr(idx));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = (struct rlimit){ 0, was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(index_open(index_path, &idx), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(index_open(index_path, &idx), 0);
	assert_int_equal(groups_there(1, 3), 3);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* Sanitizers need more address space than any limit that would do. */
static void little_address_space_is_enough(void **state)
{
	struct rlimit was;
	struct rlimit few;

	(void)state;
	put_and_commit(1, 3);
	index_close(take_ptr(idx));
	assert_int_equal(getrlimit(RLIMIT_AS, &was), 0);
	few = (struct rlimit){ (rlim_t)6 << 30, was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_AS, &few), 0);
	assert_int_equal(index_open(index_path, &idx), 0);
	assert_int_equal(setrlimit(RLIMIT_AS, &was), 0);
	assert_int_equal(groups_there(1, 3), 3);
	put_and_commit(2, 300);
	assert_int_equal(groups_there(2, 300), 300);
}
#endif

static int open_and_use(void)
{
	struct content_key key = key_of(1);
	struct blob_record record = { 0 };
	struct index_batch *batch = NULL;
	auto_str struct str got;
	int r = index_open(index_path, &idx);

	str_init(&got, 100);
	if (r < 0)
		return r;
	r = index_begin(idx, &batch);
	if (r == 0)
		r = index_put_blob(batch, &key, &record);
	if (r == 0)
		r = index_put_memo(batch, "key", 1, "value", 5);
	if (r == 0)
		r = index_commit(take_ptr(batch));
	if (batch)
		index_abort(batch);
	if (r == 0)
		r = index_get_memo(idx, "key", &got, NULL);
	index_close(take_ptr(idx));
	return r;
}

static void faults(void **state)
{
	(void)state;
	index_close(take_ptr(idx));
	run_with_faults(open_and_use);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_new_one_is_empty),
		TEST(what_was_committed_stays),
		TEST(a_batch_is_seen_whole_or_not),
		TEST(deleting_takes_all_groups),
		TEST(walking_counts_blocks),
		TEST(memos_of_any_size),
		TEST(a_memo_past_the_callers_bound),
		TEST(damaged_values_are_absent),
		TEST(a_damaged_one_is_moved_aside),
		TEST(what_is_no_index_is_moved_aside),
		TEST(want_of_descriptors_is_no_damage),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		TEST(little_address_space_is_enough),
#endif
		TEST(faults),
	};

	return cmocka_run_group_tests(tests, group_set_up, folder_remove);
}
