/* SPDX-License-Identifier: MIT */
/*
 * LMDB never sees a file that makes it fault: each kind of damage is tried
 * many times, and what then is opened, read and written in a child must end
 * well, with values that are right or absent.
 */
#include "cache/index_check.h"

#include <sys/wait.h>

#include "base/atomic_file.h"
#include "cache/index.h"
#include "tests/unit/cache/cache_fixture.h"

#define KEYS 60
#define PAGE 4096u
#define TRIALS 40
#define SEED 20261125

static char index_path[sizeof(folder) + 8];
static char file_path[sizeof(folder) + 24];
static uint8_t *healthy; /* the file, after much use */
static size_t healthy_len;

static struct content_key key_of(uint32_t number)
{
	struct content_key key;

	if (sha256(&number, sizeof(number), key.bytes) < 0)
		abort();
	return key;
}

/* What there is of @number is a function of it and of nothing else. */
static int put_all_of(struct index_batch *batch, uint32_t number)
{
	struct content_key key = key_of(number);
	struct blob_record record = { .size = number };
	struct group_record group = { { 0 }, { number } };
	uint8_t value[9000];
	char name[32];
	int r = index_put_blob(batch, &key, &record);

	for (uint32_t i = 0; r == 0 && i < 1 + number % 3; i++)
		r = index_put_group(batch, &key, i, &group);
	memset(value, (int)number, sizeof(value));
	snprintf(name, sizeof(name), "memo %u", number);
	return r < 0 ? r
		     : index_put_memo(batch, name, number, value,
				      (number * 37) % sizeof(value));
}

static int change(struct index *index, uint32_t round)
{
	struct index_batch *batch;
	int r = index_begin(index, &batch);

	if (r < 0)
		return r;
	for (uint32_t i = round % 3; r == 0 && i < KEYS; i += 1 + round % 4) {
		struct content_key key = key_of(i);

		r = (i + round) % 5 ? put_all_of(batch, i)
				    : index_delete_blob(batch, &key);
	}
	if (r == 0)
		return index_commit(batch);
	index_abort(batch);
	return r;
}

/* -EBADMSG: something was neither right nor absent. */
static int look(struct index *index, uint32_t number)
{
	struct content_key key = key_of(number);
	struct blob_record record;
	struct group_record group;
	auto_str struct str value;
	char name[32];
	bool right = true;

	str_init(&value, 1 << 20);
	snprintf(name, sizeof(name), "memo %u", number);
	if (index_get_blob(index, &key, &record) == 0)
		right = record.size == number;
	if (right && index_get_group(index, &key, 0, &group) == 0)
		right = group.sums[0] == number;
	if (right && index_get_memo(index, name, &value, NULL) == 0) {
		right = value.len == (number * 37) % 9000;
		for (size_t i = 0; right && i < value.len; i++)
			right = value.bytes[i] == (char)number;
	}
	return right ? 0 : -EBADMSG;
}

static int ignore(void *arg, const struct content_key *key,
		  const struct blob_record *record, uint64_t blocks)
{
	(void)arg;
	(void)key;
	(void)record;
	(void)blocks;
	return 0;
}

/* As the cache does in a mount. */
static int use_index(void)
{
	struct index *index;
	int r = index_open(index_path, &index);

	if (r < 0)
		return r;
	r = index_walk(index, ignore, NULL);
	for (uint32_t i = 0; r == 0 && i < KEYS; i++)
		r = look(index, i);
	for (uint32_t round = 0; r == 0 && round < 4; round++)
		r = change(index, round);
	for (uint32_t i = 0; r == 0 && i < KEYS; i++)
		r = look(index, i);
	index_close(index);
	return r;
}

static int group_set_up(void **state)
{
	struct index *index;
	auto_str struct str bytes;

	str_init(&bytes, 64 << 20);
	if (folder_make(state) < 0)
		return -1;
	snprintf(index_path, sizeof(index_path), "%s/index", folder);
	snprintf(file_path, sizeof(file_path), "%s/data.mdb", index_path);
	log_open(STDERR_FILENO, LOG_LEVEL_ERROR);
	if (index_open(index_path, &index) < 0)
		return -1;
	for (uint32_t round = 0; round < 20; round++)
		if (change(index, round) < 0 || index_check(index_path) < 0)
			return -1;
	index_close(index);
	if (file_read_all(AT_FDCWD, file_path, &bytes) < 0)
		return -1;
	healthy = (uint8_t *)str_take(&bytes, &healthy_len);
	return 0;
}

static int group_tear_down(void **state)
{
	free(healthy);
	return folder_remove(state);
}

static void file_make(const uint8_t *bytes, size_t len)
{
	auto_close int fd = -1;

	tree_empty(folder);
	assert_int_equal(mkdir(index_path, 0700), 0);
	fd = open(file_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(file_pwrite(fd, 0, len, bytes), 0);
}

static void used_much_it_is_healthy(void **state)
{
	(void)state;
	file_make(healthy, healthy_len);
	assert_int_equal(index_check(index_path), 0);
	assert_int_equal(use_index(), 0);
	assert_int_equal(index_check(index_path), 0);
	assert_int_equal(access(index_path, F_OK), 0);
}

static void none_is_healthy(void **state)
{
	(void)state;
	tree_empty(folder);
	assert_int_equal(index_check(index_path), 0);
	file_make(healthy, 0); /* made, and then the power went */
	assert_int_equal(index_check(index_path), 0);
}

static uint32_t dice;

static size_t throw(size_t sides)
{
	dice = dice * 1664525 + 1013904223;
	return (size_t)(dice >> 8) % sides;
}

static void flip(uint8_t *bytes, size_t at)
{
	bytes[at] ^= (uint8_t)(1u << throw(8));
}

/* A page behind the two with the meta data. */
static size_t some_page(void)
{
	return PAGE * (2 + throw(healthy_len / PAGE - 2));
}

static size_t flip_one(uint8_t *bytes)
{
	flip(bytes, throw(healthy_len));
	return healthy_len;
}

static size_t flip_sixteen(uint8_t *bytes)
{
	for (int i = 0; i < 16; i++)
		flip(bytes, throw(healthy_len));
	return healthy_len;
}

static size_t flip_head(uint8_t *bytes)
{
	flip(bytes, some_page() + throw(64));
	return healthy_len;
}

static size_t flip_meta(uint8_t *bytes)
{
	flip(bytes, PAGE * throw(2) + throw(160));
	return healthy_len;
}

static size_t zero_page(uint8_t *bytes)
{
	memset(bytes + some_page(), 0, PAGE);
	return healthy_len;
}

static size_t random_page(uint8_t *bytes)
{
	size_t at = some_page();

	for (size_t i = 0; i < PAGE; i++)
		bytes[at + i] = (uint8_t) throw(256);
	return healthy_len;
}

/* As a disk that wrote to the wrong place. */
static size_t copy_page(uint8_t *bytes)
{
	memcpy(bytes + some_page(), healthy + some_page(), PAGE);
	return healthy_len;
}

static size_t cut_off(uint8_t *bytes)
{
	(void)bytes;
	return throw(healthy_len);
}

static size_t swap_meta(uint8_t *bytes)
{
	memcpy(bytes, healthy + PAGE, PAGE);
	memcpy(bytes + PAGE, healthy, PAGE);
	return healthy_len - throw(2) * PAGE;
}

static void damage_does_not_fault(void **state)
{
	static const struct {
		const char *what;
		size_t (*damage)(uint8_t *bytes);
	} kinds[] = {
		{ "a bit", flip_one },
		{ "16 bits", flip_sixteen },
		{ "a bit of a page's head", flip_head },
		{ "a bit of the meta pages", flip_meta },
		{ "a page of zeros", zero_page },
		{ "a page of noise", random_page },
		{ "a page of elsewhere", copy_page },
		{ "the end", cut_off },
		{ "the meta pages swapped", swap_meta },
	};
	auto_free uint8_t *bytes = malloc(healthy_len);

	(void)state;
	dice = SEED;
	print_message("seed %u, %zu pages\n", dice, healthy_len / PAGE);
	for (size_t i = 0; i < TRIALS * ARRAY_LEN(kinds); i++) {
		const size_t kind = i % ARRAY_LEN(kinds);
		size_t len;
		int status;
		pid_t pid;

		memcpy(bytes, healthy, healthy_len);
		len = kinds[kind].damage(bytes);
		file_make(bytes, len);
		pid = fork();
		if (pid == 0)
			_exit(use_index() == 0 ? 0 : 1);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0)
			fail_msg("%s, trial %zu: status %x", kinds[kind].what,
				 i, status);
	}
}

static uint64_t number_at(const uint8_t *bytes, size_t at)
{
	uint64_t number;

	memcpy(&number, bytes + at, sizeof(number));
	return number;
}

/* Where the two meta pages say so, from the format: the later one counts. */
#define FREE_ROOT 80
#define MAIN_ROOT 128
#define TXN 144

static size_t later_meta(void)
{
	return number_at(healthy, PAGE + TXN) > number_at(healthy, TXN) ? PAGE
									: 0;
}

/* LMDB finds the page of a transaction by its number's last bit. */
static void each_meta_page_is_in_its_place(void **state)
{
	auto_free uint8_t *bytes = mem_dup(healthy, healthy_len);

	(void)state;
	bytes[later_meta() + TXN]++;
	file_make(bytes, healthy_len);
	assert_int_equal(index_check(index_path), -EBADMSG);
}

/* A page of the tables that is said to be free would be written over. */
static void no_page_is_used_and_free(void **state)
{
	auto_free uint8_t *bytes = mem_dup(healthy, healthy_len);
	size_t meta = later_meta();
	uint64_t used = number_at(bytes, meta + MAIN_ROOT);
	uint8_t *leaf = bytes + PAGE * number_at(bytes, meta + FREE_ROOT);
	uint16_t node;
	uint64_t one = 1;

	(void)state;
	assert_int_equal(leaf[10], 2); /* a leaf */
	memcpy(&node, leaf + 16, sizeof(node));
	assert_int_equal(leaf[node + 4], 0); /* its value is in it */
	assert_true(number_at(leaf, node + 16) > 0);
	/* The first list of free pages becomes: that one page. */
	memcpy(leaf + node + 16, &one, sizeof(one));
	file_make(bytes, healthy_len);
	assert_int_equal(index_check(index_path), 0);
	memcpy(leaf + node + 24, &used, sizeof(used));
	file_make(bytes, healthy_len);
	assert_int_equal(index_check(index_path), -EBADMSG);
}

static size_t find(const uint8_t *bytes, const char *text)
{
	const uint8_t *at = memmem(bytes, healthy_len, text, strlen(text));

	assert_non_null(at);
	return (size_t)(at - bytes);
}

/* One bit in the name of a table: LMDB would find the others no more. */
static void names_of_tables_are_in_order(void **state)
{
	auto_free uint8_t *bytes = mem_dup(healthy, healthy_len);

	(void)state;
	for (size_t at = 0; at < healthy_len; at += 5) {
		const uint8_t *name = memmem(bytes + at, healthy_len - at,
					     "blobs", 5);

		if (!name)
			break;
		at = (size_t)(name - bytes);
		bytes[at] ^= 0x10; /* "rlobs" is behind "groups" */
	}
	assert_true(find(bytes, "rlobs") > 0);
	file_make(bytes, healthy_len);
	assert_int_equal(index_check(index_path), -EBADMSG);
	assert_int_equal(use_index(), 0);
}

static int check_it(void)
{
	return index_check(index_path);
}

static void faults(void **state)
{
	(void)state;
	file_make(healthy, healthy_len);
	run_with_faults(check_it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_much_it_is_healthy),
		cmocka_unit_test(none_is_healthy),
		cmocka_unit_test(each_meta_page_is_in_its_place),
		cmocka_unit_test(no_page_is_used_and_free),
		cmocka_unit_test(names_of_tables_are_in_order),
		cmocka_unit_test(damage_does_not_fault),
		cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
