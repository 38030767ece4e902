/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "staging/weights/zip_directory.h"
#include "tests/unit/unit.h"

#define FILE_PATH "tests/unit/staging/data/tiny.bin"

static uint8_t good[4096];
static size_t good_len;

static int load(void **state)
{
	auto_str struct str text;

	(void)state;
	str_init(&text, sizeof(good));
	if (file_read_all(AT_FDCWD, FILE_PATH, &text) < 0)
		return -1;
	memcpy(good, text.bytes, text.len);
	good_len = text.len;
	return 0;
}

/* Reads the whole of a zip in memory, every local header too. */
static int judge(const uint8_t *zip, size_t len)
{
	auto_zip_directory struct zip_directory *directory = NULL;
	struct zip_end end;
	int r = zip_find_end(zip, len, len, &end);

	if (r == 0)
		r = zip_directory_parse(zip + end.dir_off, &end, &directory);
	for (size_t i = 0; r == 0 && i < directory->count; i++) {
		struct zip_entry *entry = &directory->entries[i];

		zip_derive(entry);
		r = zip_local_check(entry, zip + entry->local,
				    len - entry->local);
	}
	return r;
}

static void places_are_derived_as_they_are(void **state)
{
	auto_zip_directory struct zip_directory *directory = NULL;
	struct zip_end end;
	struct zip_entry *entry;

	(void)state;
	assert_int_equal(zip_find_end(good, good_len, good_len, &end), 0);
	assert_int_equal(
		zip_directory_parse(good + end.dir_off, &end, &directory), 0);
	assert_int_equal(directory->count, 10);
	for (size_t i = 0; i < directory->count; i++) {
		entry = &directory->entries[i];
		assert_true(zip_derive(entry));
		assert_int_equal(entry->payload % 64, 0);
		assert_int_equal(zip_crc32(good + entry->payload, entry->size),
				 entry->crc);
		assert_int_equal(zip_local_check(entry, good + entry->local,
						 good_len - entry->local),
				 0);
	}
	entry = zip_find(directory, "archive/byteorder");
	assert_non_null(entry);
	assert_memory_equal(good + entry->payload, "little", 6);
	assert_null(zip_find(directory, "byteorder"));
}

static size_t directory_at(const uint8_t *zip, size_t len)
{
	struct zip_end end;

	assert_int_equal(zip_find_end(zip, len, len, &end), 0);
	return end.dir_off;
}

/* One field of the first or second directory entry, the end, a local header. */
enum { FIRST, SECOND, LOCAL, LOCATOR, END };

static const struct {
	const char *name;
	int where;
	size_t at;
	uint32_t value;
	size_t width;
} changes[] = {
	{ "Z-05 second record inside the first", SECOND, 42, 40, 4 },
	{ "Z-05 two at one place", SECOND, 42, 0, 4 },
	{ "Z-08 a size past the record", FIRST, 24, 100000, 4 },
	{ "Z-08 packed is not unpacked", FIRST, 20, 1, 4 },
	{ "Z-09 another name in front", LOCAL, 30, 'z', 1 },
	{ "Z-09 another method in front", LOCAL, 8, 8, 2 },
	{ "Z-09 other flags in front", LOCAL, 6, 0, 2 },
	{ "Z-09 another size in front", LOCAL, 18, 7, 4 },
	{ "Z-09 the extra field leaves the record", LOCAL, 28, 60000, 2 },
	{ "Z-09 the extra field is shorter", LOCAL, 28, 4, 2 },
	{ "Z-09 no header in front", LOCAL, 0, 0, 4 },
	{ "Z-10 a comment that is not there", END, 20, 5, 2 },
	{ "Z-10 the directory ends elsewhere", END, 16, 1, 4 },
	{ "Z-10 a second disk", END, 4, 1, 2 },
	{ "Z-10 a locator to nowhere", LOCATOR, 8, 0, 4 },
	{ "Z-11 more entries than there are", END, 10, 65535, 2 },
	{ "Z-11 fewer", END, 10, 1, 2 },
	{ "Z-12 NUL in a name", FIRST, 46, 0, 1 },
	{ "Z-14 encrypted", FIRST, 8, 0x0809, 2 },
	{ "Z-14 strong encryption", FIRST, 8, 0x0848, 2 },
	{ "Z-14 patch data", FIRST, 8, 0x0828, 2 },
	{ "Z-14 deflated", FIRST, 10, 8, 2 },
	{ "Z-14 method 99", FIRST, 10, 99, 2 },
	{ "no magic", FIRST, 0, 0, 4 },
	{ "no name", FIRST, 28, 0, 2 },
	{ "a zip64 size that is not there", FIRST, 24, 0xffffffff, 4 },
};

static void changes_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		uint8_t zip[sizeof(good)];
		size_t first = directory_at(good, good_len), base = 0;

		memcpy(zip, good, good_len);
		switch (changes[i].where) {
		case FIRST:
			base = first;
			break;
		case SECOND:
			base = first + 46 + le16(good + first + 28) +
			       le16(good + first + 30);
			break;
		case LOCATOR:
			base = good_len - 22 - 20;
			break;
		case END:
			base = good_len - 22;
			break;
		}
		print_message("%s\n", changes[i].name);
		for (size_t b = 0; b < changes[i].width; b++)
			zip[base + changes[i].at + b] =
				(uint8_t)(changes[i].value >> 8 * b);
		assert_int_equal(judge(zip, good_len), -EBADMSG);
	}
}

static void data_around_is_refused(void **state)
{
	uint8_t zip[sizeof(good) + 64];

	(void)state;
	assert_int_equal(judge(good, good_len), 0);
	memcpy(zip + 8, good, good_len);
	memset(zip, 'x', 8);
	assert_int_equal(judge(zip, good_len + 8), -EBADMSG); /* Z-10 */
	memcpy(zip, good, good_len);
	memset(zip + good_len, 'x', 8);
	assert_int_equal(judge(zip, good_len + 8), -EBADMSG);
	for (size_t len = 0; len < good_len; len++)
		assert_int_equal(judge(zip, len), -EBADMSG);
}

/* Z-10: an end record in the comment of another is not the end. */
static void an_end_in_a_comment_is_not_the_end(void **state)
{
	uint8_t zip[sizeof(good) + 64];
	size_t end = good_len - 22;

	(void)state;
	memcpy(zip, good, good_len);
	memcpy(zip + good_len, good + end, 22);
	zip[end + 20] = 22;
	assert_int_equal(judge(zip, good_len + 22), 0);
	zip[end + 20] = 21;
	assert_int_equal(judge(zip, good_len + 22), -EBADMSG);
}

/* Z-12: the first of two entries of a name counts. */
static void the_first_of_a_name_counts(void **state)
{
	auto_zip_directory struct zip_directory *directory = NULL;
	uint8_t zip[sizeof(good)];
	struct zip_end end;
	size_t at, hits = 0;

	(void)state;
	memcpy(zip, good, good_len);
	at = directory_at(good, good_len);
	for (size_t i = at; i + 64 < good_len; i++)
		if (memcmp(zip + i, "archive/data/1", 14) == 0) {
			zip[i + 13] = '0';
			hits++;
		}
	assert_int_equal(hits, 1);
	assert_int_equal(zip_find_end(zip, good_len, good_len, &end), 0);
	assert_int_equal(zip_directory_parse(zip + at, &end, &directory), 0);
	assert_int_equal(directory->duplicates, 1);
	assert_int_equal(zip_find(directory, "archive/data/0")->size, 24);
}

/* What is not laid out as torch does is left to the local header. */
static const struct {
	const char *name;
	struct zip_entry entry;
	bool derived;
	uint64_t payload;
} layouts[] = {
	{ "no room for an extra field",
	  { .local = 0, .name_len = 4, .size = 10, .next = 44 },
	  true,
	  34 },
	{ "room that may be anything",
	  { .local = 0, .name_len = 4, .size = 10, .next = 50 },
	  false,
	  0 },
	{ "torch's, without descriptor",
	  { .local = 0, .name_len = 4, .size = 10, .next = 74 },
	  true,
	  64 },
	{ "torch's, with descriptor",
	  { .local = 0, .name_len = 4, .size = 10, .next = 90, .flags = 8 },
	  true,
	  64 },
	{ "a descriptor without signature",
	  { .local = 0, .name_len = 4, .size = 10, .next = 86, .flags = 8 },
	  false,
	  0 },
	{ "aligned to 4096",
	  { .local = 0, .name_len = 4, .size = 10, .next = 4122, .flags = 8 },
	  false,
	  0 },
	{ "beyond 4 GiB: a zip64 extra and a wide descriptor",
	  { .local = 0x100000000,
	    .name_len = 16,
	    .size = 10,
	    .next = 0x100000000 + 64 + 10 + 24,
	    .flags = 8 },
	  true,
	  0x100000000 + 64 },
	{ "beyond 4 GiB, narrow descriptor",
	  { .local = 0x100000000,
	    .name_len = 16,
	    .size = 10,
	    .next = 0x100000000 + 64 + 10 + 16,
	    .flags = 8 },
	  false,
	  0 },
};

static void other_layouts_are_not_derived(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		struct zip_entry entry = layouts[i].entry;

		entry.packed = entry.size;
		print_message("%s\n", layouts[i].name);
		assert_int_equal(zip_derive(&entry), layouts[i].derived);
		if (layouts[i].derived)
			assert_int_equal(entry.payload, layouts[i].payload);
	}
}

static void crc_is_that_of_zip(void **state)
{
	(void)state;
	assert_int_equal(zip_crc32("123456789", 9), 0xcbf43926);
	assert_int_equal(zip_crc32("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_derived_as_they_are),
		cmocka_unit_test(changes_are_refused),
		cmocka_unit_test(data_around_is_refused),
		cmocka_unit_test(an_end_in_a_comment_is_not_the_end),
		cmocka_unit_test(the_first_of_a_name_counts),
		cmocka_unit_test(other_layouts_are_not_derived),
		cmocka_unit_test(crc_is_that_of_zip),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
