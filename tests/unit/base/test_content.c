/* SPDX-License-Identifier: MIT */
#include "base/content.h"

#include <string.h>

#include "base/blob.h"
#include "tests/unit/unit.h"

static struct blob *abc(void)
{
	struct blob *blob = NULL;

	assert_int_equal(blob_of_bytes(mem_dup("abcdef", 6), 6, &blob), 0);
	return blob;
}

static void a_blob_is_content(void **state)
{
	auto_content struct content *content = NULL;
	auto_extents struct extents extents;
	struct blob *blob = abc();
	char bytes[6];

	(void)state;
	extents_init(&extents);
	assert_int_equal(content_of_blob(blob, &content), 0);
	blob_unref(blob); /* the content has its own reference */
	assert_int_equal(content->size, 6);
	assert_ptr_equal(content_blob(content), blob);
	assert_int_equal(content_resolve(content, 1, 4, &extents), 0);
	assert_int_equal(extents.count, 1);
	assert_ptr_equal(extents.list[0].blob, blob);
	assert_int_equal(extents.list[0].off, 1);
	assert_int_equal(extents.list[0].len, 4);
	assert_int_equal(content_copy(content, 1, 4, bytes), 0);
	assert_memory_equal(bytes, "bcde", 4);
}

static void bytes_are_content(void **state)
{
	auto_content struct content *content = NULL;
	auto_extents struct extents extents;
	char bytes[3];

	(void)state;
	extents_init(&extents);
	assert_int_equal(content_of_bytes(mem_dup("abc", 3), 3, &content), 0);
	assert_null(content_blob(content));
	assert_int_equal(content_resolve(content, 0, 3, &extents), 0);
	assert_int_equal(extents.count, 0);
	assert_int_equal(content_copy(content, 0, 3, bytes), 0);
	assert_memory_equal(bytes, "abc", 3);
}

static void ranges_are_checked(void **state)
{
	auto_content struct content *content = NULL;
	auto_extents struct extents extents;
	char bytes[8];

	(void)state;
	extents_init(&extents);
	assert_int_equal(content_of_bytes(mem_dup("abc", 3), 3, &content), 0);
	assert_int_equal(content_copy(content, 3, 0, bytes), 0);
	assert_int_equal(content_copy(content, 0, 4, bytes), -EINVAL);
	assert_int_equal(content_copy(content, 4, 0, bytes), -EINVAL);
	assert_int_equal(content_copy(content, UINT64_MAX, 2, bytes), -EINVAL);
	assert_int_equal(content_resolve(content, 2, UINT64_MAX, &extents),
			 -EINVAL);
}

static void the_last_reference_frees(void **state)
{
	struct content *content = NULL;
	char byte;

	(void)state;
	assert_int_equal(content_of_bytes(mem_dup("abc", 3), 3, &content), 0);
	assert_ptr_equal(content_ref(content), content);
	content_unref(content);
	assert_int_equal(content_copy(content, 2, 1, &byte), 0);
	assert_int_equal(byte, 'c');
	content_unref(content);
}

static int make_both(void)
{
	auto_content struct content *of_bytes = NULL;
	auto_content struct content *of_blob = NULL;
	auto_blob struct blob *blob = NULL;
	int r = content_of_bytes(strdup("abc"), 3, &of_bytes);

	if (r == 0)
		r = blob_of_bytes(strdup("abc"), 3, &blob);
	return r < 0 ? r : content_of_blob(blob, &of_blob);
}

static void survives_no_memory(void **state)
{
	(void)state;
	run_with_faults(make_both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blob_is_content),
		cmocka_unit_test(bytes_are_content),
		cmocka_unit_test(ranges_are_checked),
		cmocka_unit_test(the_last_reference_frees),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
