/* SPDX-License-Identifier: MIT */
/* TensorFlow's sorted table: what holds it together, and what does not. */
#include "base/limits.h"
#include "tests/unit/staging/bundle_fake.h"

static struct str file;

static int clear(void **state)
{
	(void)state;
	str_release(&file);
	str_init(&file, FAKE_BYTES_MAX);
	return 0;
}

static int release(void **state)
{
	(void)state;
	str_release(&file);
	return 0;
}

/* Entries of @bytes, or -errno. */
static int count_entries(const void *bytes, size_t len)
{
	auto_bundle_table struct bundle_table table = { 0 };
	int r = bundle_table_open(&table, bytes, len), count = 0;

	while (r == 0) {
		r = bundle_table_next(&table);
		if (r <= 0)
			break;
		count++;
		r = 0;
	}
	return r < 0 ? r : count;
}

static const struct fake_entry seven[] = {
	FAKE_ENTRY("", "header"),   FAKE_ENTRY("a", "1"),
	FAKE_ENTRY("ab", ""),	    FAKE_ENTRY("abc\0d", "3"),
	FAKE_ENTRY("abcd", "four"), FAKE_ENTRY("b", "5"),
	FAKE_ENTRY("\xff", "6"),
};

static void entries_come_in_order(bool packed, size_t per_block)
{
	auto_bundle_table struct bundle_table table = { 0 };

	clear(NULL);
	fake_table(&file, seven, ARRAY_LEN(seven), per_block, packed);
	assert_int_equal(bundle_table_open(&table, file.bytes, file.len), 0);
	for (size_t i = 0; i < ARRAY_LEN(seven); i++) {
		assert_int_equal(bundle_table_next(&table), 1);
		assert_int_equal(table.data.key.len, seven[i].key_len);
		assert_memory_equal(str_text(&table.data.key), seven[i].key,
				    seven[i].key_len);
		assert_int_equal(table.data.value_len, seven[i].value_len);
		assert_memory_equal(table.data.value, seven[i].value,
				    seven[i].value_len);
	}
	assert_int_equal(bundle_table_next(&table), 0);
	assert_int_equal(bundle_table_next(&table), 0);
}

static void blocks_of_any_size_read_alike(void **state)
{
	(void)state;
	for (size_t per_block = 1; per_block <= ARRAY_LEN(seven); per_block++) {
		entries_come_in_order(false, per_block);
		entries_come_in_order(true, per_block);
	}
}

static void an_empty_table_has_no_entry(void **state)
{
	(void)state;
	fake_table(&file, NULL, 0, 1, false);
	assert_int_equal(count_entries(file.bytes, file.len), 0);
}

#define BLOCK(name, contents, packing, result)                        \
	{                                                             \
		name, contents, sizeof(contents) - 1, packing, result \
	}
#define ONE "\0\1\1ax"
#define TWO ONE "\1\1\1bx"
#define AT_0 "\0\0\0\0"

static const struct {
	const char *name, *contents;
	size_t len;
	char packing;
	int result; /* entries, or -errno */
} blocks[] = {
	BLOCK("one entry", ONE AT_0 "\1\0\0\0", 0, 1),
	BLOCK("two, the second shares", TWO AT_0 "\1\0\0\0", 0, 2),
	BLOCK("none", AT_0 "\1\0\0\0", 0, 0),
	BLOCK("a second restart", ONE "\0\1\1bx" AT_0 "\5\0\0\0\2\0\0\0", 0, 2),
	BLOCK("T-02 a restart that shares", TWO AT_0 "\5\0\0\0\2\0\0\0", 0,
	      -EBADMSG),
	BLOCK("T-02 a restart inside an entry",
	      ONE "\0\1\1bx" AT_0 "\3\0\0\0\2\0\0\0", 0, -EBADMSG),
	BLOCK("T-02 a restart at the end",
	      ONE "\0\1\1bx" AT_0 "\xa\0\0\0\2\0\0\0", 0, -EBADMSG),
	BLOCK("T-02 a restart twice", ONE AT_0 AT_0 "\2\0\0\0", 0, -EBADMSG),
	BLOCK("T-02 the first not at 0",
	      ONE "\0\1\1bx"
		  "\5\0\0\0\1\0\0\0",
	      0, -EBADMSG),
	BLOCK("T-02 no restart", ONE "\0\0\0\0", 0, -EBADMSG),
	BLOCK("T-02 restarts before the block", ONE AT_0 "\3\0\0\0", 0,
	      -EBADMSG),
	BLOCK("T-02 restarts past any block", ONE AT_0 "\xff\xff\xff\xff", 0,
	      -EBADMSG),
	BLOCK("T-02 a first key that shares", "\1\1\1ax" AT_0 "\1\0\0\0", 0,
	      -EBADMSG),
	BLOCK("T-02 shares more than there is", ONE "\2\1\1bx" AT_0 "\1\0\0\0",
	      0, -EBADMSG),
	BLOCK("T-02 the same key", ONE "\1\0\1x" AT_0 "\1\0\0\0", 0, -EBADMSG),
	BLOCK("T-02 a smaller key", "\0\1\1bx\0\1\1ax" AT_0 "\1\0\0\0", 0,
	      -EBADMSG),
	BLOCK("T-02 a shorter key", "\0\2\1abx\1\0\1x" AT_0 "\1\0\0\0", 0,
	      -EBADMSG),
	BLOCK("a key past the end", "\0\x40\1ax" AT_0 "\1\0\0\0", 0, -EBADMSG),
	BLOCK("a value past the end", "\0\1\2ax" AT_0 "\1\0\0\0", 0, -EBADMSG),
	BLOCK("T-01 a varint of eleven bytes",
	      "\0\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"
	      "ax" AT_0 "\1\0\0\0",
	      0, -EBADMSG),
	BLOCK("lengths cut", "\0\1" AT_0 "\1\0\0\0", 0, -EBADMSG),
	BLOCK("seven bytes", "\0\0\0\1\0\0\0", 0, -EBADMSG),
	BLOCK("nothing", "", 0, -EBADMSG),
	BLOCK("packed in a third way", ONE AT_0 "\1\0\0\0", 2, -EBADMSG),
	BLOCK("Snappy, a literal", "\x0d\x30" ONE AT_0 "\1\0\0\0", 1, 1),
	BLOCK("T-03 Snappy claims 4 GiB",
	      "\xff\xff\xff\xff\x0f\x30" ONE AT_0 "\1\0\0\0", 1, -EBADMSG),
	BLOCK("T-03 Snappy claims 16 MiB and one",
	      "\x81\x80\x80\x08\x30" ONE AT_0 "\1\0\0\0", 1, -EBADMSG),
	BLOCK("T-03 Snappy claims 15 MiB of 13 bytes",
	      "\x80\x80\xc0\x07\x30" ONE AT_0 "\1\0\0\0", 1, -EBADMSG),
	BLOCK("T-03 Snappy gives less than it claims",
	      "\x0e\x30" ONE AT_0 "\1\0\0\0", 1, -EBADMSG),
	BLOCK("T-03 Snappy gives more than it claims",
	      "\x0c\x30" ONE AT_0 "\1\0\0\0", 1, -EBADMSG),
	BLOCK("T-03 a copy from 0 before", "\x0d\x0c" ONE "\x11\x00", 1,
	      -EBADMSG),
	BLOCK("T-03 a copy from before the start", "\x0d\x0c" ONE "\x11\x20", 1,
	      -EBADMSG),
	BLOCK("Snappy of nothing", "", 1, -EBADMSG),
};

/* Entries of one block, checksum and all. */
static int count_in_block(const struct str *contents, char packing)
{
	auto_bundle_block struct bundle_block block = { 0 };
	auto_str struct str handle = { .len_max = FAKE_BYTES_MAX };
	int r, count = 0;

	clear(NULL);
	fake_block(&file, contents, packing, &handle);
	r = bundle_block_open(&block, file.bytes, file.len);
	while (r == 0) {
		r = bundle_block_next(&block);
		if (r <= 0)
			break;
		count++;
		r = 0;
	}
	return r < 0 ? r : count;
}

static void blocks_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		auto_str struct str contents = { .len_max = FAKE_BYTES_MAX };

		print_message("%s\n", blocks[i].name);
		fake_add(&contents, blocks[i].contents, blocks[i].len);
		assert_int_equal(count_in_block(&contents, blocks[i].packing),
				 blocks[i].result);
	}
}

/* What Snappy claims is judged before memory is taken for it. */
static void claims_take_no_memory(void **state)
{
	auto_str struct str contents = { .len_max = FAKE_BYTES_MAX };
	auto_str struct str handle = { .len_max = FAKE_BYTES_MAX };
	auto_bundle_block struct bundle_block block = { 0 };

	(void)state;
	fake_add(&contents, "\xff\xff\xff\x07\x00x", 6);
	fake_block(&file, &contents, 1, &handle);
	mem_fail_nth(1);
	assert_int_equal(bundle_block_open(&block, file.bytes, file.len),
			 -EBADMSG);
	assert_false(mem_fail_done());
}

static void large_blocks_are_refused(void **state)
{
	size_t frame = sizeof("\0\1\x80\x80\x80\x08k" AT_0 AT_0) - 1;

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		size_t len = BUNDLE_BLOCK_BYTES_MAX - frame + more;
		auto_str struct str contents = { .len_max = FAKE_BYTES_MAX };
		auto_free char *value = mem_zalloc(len);
		struct fake_entry entry = { "k", 1, value, len };

		fake_contents(&contents, &entry, 1);
		assert_int_equal(contents.len, BUNDLE_BLOCK_BYTES_MAX + more);
		assert_int_equal(count_in_block(&contents, 0),
				 more ? -EBADMSG : 1);
		fake_pack(&contents);
		assert_int_equal(count_in_block(&contents, 1),
				 more ? -EBADMSG : 1);
	}
}

static void long_keys_are_refused(void **state)
{
	static char key[BUNDLE_KEY_BYTES_MAX + 1];
	struct fake_entry entry = { key, BUNDLE_KEY_BYTES_MAX, "", 0 };

	(void)state;
	memset(key, 'k', sizeof(key));
	for (int more = 0; more < 2; more++) {
		auto_str struct str contents = { .len_max = FAKE_BYTES_MAX };

		entry.key_len = BUNDLE_KEY_BYTES_MAX + (size_t)more;
		fake_contents(&contents, &entry, 1);
		assert_int_equal(count_in_block(&contents, 0),
				 more ? -EBADMSG : 1);
	}
}

/* A data block for key @key; its handle to @handle. */
static void add_data(const char *key, struct str *handle)
{
	struct fake_entry entry = { key, strlen(key), "", 0 };
	auto_str struct str contents = { .len_max = FAKE_BYTES_MAX };

	fake_contents(&contents, &entry, 1);
	fake_block(&file, &contents, 0, handle);
}

/* Two data blocks; in the index a key for each, and which of them. */
static const struct {
	const char *name;
	const char *data[2], *index[2];
	size_t block[2];
	int result;
} indexes[] = {
	{ "good", { "a", "b" }, { "a", "b" }, { 0, 1 }, 2 },
	{ "a key between", { "a", "c" }, { "b", "x" }, { 0, 1 }, 2 },
	{ "T-02 blocks out of order",
	  { "b", "a" },
	  { "b", "c" },
	  { 0, 1 },
	  -EBADMSG },
	{ "T-02 a key twice", { "a", "a" }, { "a", "b" }, { 0, 1 }, -EBADMSG },
	{ "T-02 a key below its block's",
	  { "b", "c" },
	  { "a", "c" },
	  { 0, 1 },
	  -EBADMSG },
	{ "T-02 the last one below",
	  { "a", "c" },
	  { "a", "b" },
	  { 0, 1 },
	  -EBADMSG },
	{ "T-02 a key above the next",
	  { "a", "b" },
	  { "b", "c" },
	  { 0, 1 },
	  -EBADMSG },
	{ "T-05 one twice", { "a", "b" }, { "a", "b" }, { 0, 0 }, -EBADMSG },
	{ "T-05 blocks backwards",
	  { "b", "a" },
	  { "a", "b" },
	  { 1, 0 },
	  -EBADMSG },
};

static void indexes_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(indexes); i++) {
		auto_str struct str contents = { .len_max = FAKE_BYTES_MAX };
		struct str handles[2];
		struct fake_entry keys[2];

		print_message("%s\n", indexes[i].name);
		clear(NULL);
		for (size_t k = 0; k < 2; k++) {
			str_init(&handles[k], FAKE_BYTES_MAX);
			add_data(indexes[i].data[k], &handles[k]);
		}
		for (size_t k = 0; k < 2; k++) {
			const char *key = indexes[i].index[k];
			struct str *handle = &handles[indexes[i].block[k]];

			keys[k] = (struct fake_entry){ key, strlen(key),
						       handle->bytes,
						       handle->len };
		}
		fake_contents(&contents, keys, 2);
		fake_end(&file, &contents);
		assert_int_equal(count_entries(file.bytes, file.len),
				 indexes[i].result);
		str_release(&handles[0]);
		str_release(&handles[1]);
	}
}

static const struct {
	const char *name;
	const char *handle;
	size_t len;
} handles[] = {
	{ "T-01 past the end", "\x7f\x7f", 2 },
	{ "T-01 from past the end", "\xff\x7f\x08", 3 },
	{ "T-01 wraps", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
	{ "T-01 a trailer past 2^64",
	  "\x00\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
	{ "T-01 no size", "\x00", 1 },
	{ "T-01 nothing", "", 0 },
	{ "T-01 bytes behind", "\x00\x0c\x00", 3 },
	{ "T-05 the metadata", "\x11\x08", 2 },
	{ "T-05 the index itself", "\x1e\x12", 2 },
};

static void handles_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(handles); i++) {
		auto_str struct str contents = { .len_max = FAKE_BYTES_MAX };
		auto_str struct str handle = { .len_max = FAKE_BYTES_MAX };
		struct fake_entry entry = { "a", 1, handles[i].handle,
					    handles[i].len };

		print_message("%s\n", handles[i].name);
		clear(NULL);
		add_data("a", &handle);
		assert_memory_equal(handle.bytes, "\x00\x0c", 2);
		fake_contents(&contents, &entry, 1);
		fake_end(&file, &contents);
		assert_int_equal(count_entries(file.bytes, file.len), -EBADMSG);
	}
}

/*
 * T-01: the last 48 bytes, each changed.  Only a length that becomes the same
 * in two bytes (the second is of the zeros behind) may pass.
 */
static void a_damaged_footer_is_refused(void **state)
{
	int passed = 0;

	(void)state;
	fake_table(&file, seven, ARRAY_LEN(seven), 2, false);
	for (size_t i = file.len - BUNDLE_FOOTER_BYTES; i < file.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			int r;

			file.bytes[i] ^= (char)(1 << bit);
			r = count_entries(file.bytes, file.len);
			assert_true(r == -EBADMSG || (r == 7 && bit == 7));
			passed += r == 7;
			file.bytes[i] ^= (char)(1 << bit);
		}
	assert_int_equal(passed, 1);
	assert_int_equal(count_entries(file.bytes, file.len), 7);
	assert_int_equal(count_entries(file.bytes, BUNDLE_FOOTER_BYTES - 1),
			 -EBADMSG);
}

static int open_two_packed_blocks(void)
{
	return count_entries(file.bytes, file.len) < 0 ? -ENOMEM : 0;
}

static void faults_of_memory_do_not_leak(void **state)
{
	(void)state;
	fake_table(&file, seven, ARRAY_LEN(seven), 4, true);
	run_with_faults(open_two_packed_blocks);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, clear, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blocks_of_any_size_read_alike),
		TEST(an_empty_table_has_no_entry),
		TEST(blocks_are_judged),
		TEST(claims_take_no_memory),
		TEST(large_blocks_are_refused),
		TEST(long_keys_are_refused),
		TEST(indexes_are_judged),
		TEST(handles_are_judged),
		TEST(a_damaged_footer_is_refused),
		TEST(faults_of_memory_do_not_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
