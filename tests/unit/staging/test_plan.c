/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/plan.h"
#include "tests/unit/unit.h"

#define SOURCE_BYTES 64

/* "head", two zeros, 6 bytes from 10, 4 halves from 20, "tail". */
static struct plan *sample(void)
{
	struct plan *plan;
	uint32_t source;

	assert_int_equal(plan_new(&plan), 0);
	assert_int_equal(plan_add_source(plan, "w.bin", SOURCE_BYTES, &source),
			 0);
	assert_int_equal(plan_add_bytes(plan, "he", 2), 0);
	assert_int_equal(plan_add_bytes(plan, "ad", 2), 0);
	assert_int_equal(plan_add_zeros(plan, 2), 0);
	assert_int_equal(plan_add_range(plan, SEGMENT_COPY, source, 10, 2), 0);
	assert_int_equal(plan_add_range(plan, SEGMENT_COPY, source, 12, 4), 0);
	assert_int_equal(plan_add_range(plan, SEGMENT_BF16_F32, source, 20, 8),
			 0);
	assert_int_equal(plan_add_bytes(plan, "tail", 4), 0);
	assert_int_equal(plan_finish(plan), 0);
	return plan;
}

static struct blob *source_blob(size_t len)
{
	uint8_t *bytes = mem_alloc(len);
	struct blob *blob;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i + 100);
	assert_int_equal(blob_of_bytes(bytes, len, &blob), 0);
	return blob;
}

static void parts_are_merged_and_tile(void **state)
{
	auto_plan struct plan *plan = sample();

	(void)state;
	assert_int_equal(plan->segment_count, 5);
	assert_int_equal(plan->size, 4 + 2 + 6 + 16 + 4);
	assert_int_equal(plan->byte_count, 8);
	assert_int_equal(strlen(plan->digest), 64);
	for (uint64_t off = 0; off < plan->size; off++) {
		const struct segment *segment = plan_find(plan, off);

		assert_true(segment->out <= off);
		assert_true(off < segment->out + segment->len);
	}
	assert_null(plan_find(plan, plan->size));
}

static void ranges_must_fit_their_source(void **state)
{
	static const struct {
		const char *name;
		enum segment_kind kind;
		uint32_t source;
		uint64_t src, len;
		int add, finish;
	} cases[] = {
		{ "all of it", SEGMENT_COPY, 0, 0, 64, 0, 0 },
		{ "one past", SEGMENT_COPY, 0, 1, 64, 0, -EBADMSG },
		{ "wraps", SEGMENT_COPY, 0, UINT64_MAX, 2, 0, -EBADMSG },
		{ "no such source", SEGMENT_COPY, 1, 0, 1, 0, -EBADMSG },
		{ "half an element", SEGMENT_F16_F32, 0, 0, 3, 0, -EBADMSG },
		{ "too long", SEGMENT_COPY, 0, 0, UINT64_MAX, -EFBIG, 0 },
		{ "doubled past", SEGMENT_F16_F32, 0, 0, UINT64_MAX / 2 + 1,
		  -EFBIG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_plan struct plan *plan = NULL;
		uint32_t source;

		print_message("%s\n", cases[i].name);
		assert_int_equal(plan_new(&plan), 0);
		assert_int_equal(plan_add_source(plan, "a", 64, &source), 0);
		assert_int_equal(plan_add_range(plan, cases[i].kind,
						cases[i].source, cases[i].src,
						cases[i].len),
				 cases[i].add);
		if (cases[i].add == 0)
			assert_int_equal(plan_finish(plan), cases[i].finish);
	}
}

static void sources_are_numbered_once(void **state)
{
	auto_plan struct plan *plan = NULL;
	uint32_t a, b, again;

	(void)state;
	assert_int_equal(plan_new(&plan), 0);
	assert_int_equal(plan_add_source(plan, "a", 1, &a), 0);
	assert_int_equal(plan_add_source(plan, "b", 1, &b), 0);
	assert_int_equal(plan_add_source(plan, "a", 1, &again), 0);
	assert_int_equal(a, again);
	assert_int_not_equal(a, b);
	assert_int_equal(plan_add_source(plan, "a", 2, &again), -EINVAL);
}

static void encoding_comes_back(void **state)
{
	auto_plan struct plan *plan = sample();
	auto_plan struct plan *back = NULL;
	auto_str struct str text;

	(void)state;
	str_init(&text, 4096);
	assert_int_equal(plan_encode(plan, &text), 0);
	assert_int_equal(plan_decode(text.bytes, text.len, &back), 0);
	assert_string_equal(plan->digest, back->digest);
	assert_int_equal(plan->segment_count, back->segment_count);
	assert_memory_equal(plan->segments, back->segments,
			    plan->segment_count * sizeof(*plan->segments));
	assert_memory_equal(plan->bytes, back->bytes, plan->byte_count);
	assert_string_equal(back->sources[0].path, "w.bin");
}

static void damage_is_seen(void **state)
{
	auto_plan struct plan *plan = sample();
	auto_str struct str text;
	struct plan *back;

	(void)state;
	str_init(&text, 4096);
	assert_int_equal(plan_encode(plan, &text), 0);
	for (size_t i = 0; i < text.len; i++) {
		assert_int_equal(plan_decode(text.bytes, i, &back), -EBADMSG);
		text.bytes[i] ^= 0x10;
		assert_int_equal(plan_decode(text.bytes, text.len, &back),
				 -EBADMSG);
		text.bytes[i] ^= 0x10;
	}
}

static void any_part_equals_the_whole(void **state)
{
	struct blob *blob = source_blob(SOURCE_BYTES);
	auto_content struct content *content = NULL;
	uint8_t whole[32], part[32];

	(void)state;
	assert_int_equal(plan_content(sample(), &blob, &content), 0);
	blob_unref(blob);
	assert_non_null(content_plan(content));
	assert_int_equal(content->size, sizeof(whole));
	assert_int_equal(content_copy(content, 0, sizeof(whole), whole), 0);
	assert_memory_equal(whole, "head\0\0nopqrs\0\0xy\0\0z{", 20);
	assert_memory_equal(whole + 28, "tail", 4);
	for (size_t off = 0; off < sizeof(whole); off++) {
		for (size_t len = 1; off + len <= sizeof(whole); len++) {
			assert_int_equal(content_copy(content, off, len, part),
					 0);
			assert_memory_equal(part, whole + off, len);
		}
	}
}

static void resolve_names_what_copy_reads(void **state)
{
	struct blob *blob = source_blob(SOURCE_BYTES);
	auto_content struct content *content = NULL;
	auto_extents struct extents extents;

	(void)state;
	extents_init(&extents);
	assert_int_equal(plan_content(sample(), &blob, &content), 0);
	blob_unref(blob);
	assert_int_equal(content_resolve(content, 0, 6, &extents), 0);
	assert_int_equal(extents.count, 0);
	assert_int_equal(content_resolve(content, 7, 10, &extents), 0);
	assert_int_equal(extents.count, 2);
	assert_int_equal(extents.list[0].off, 11);
	assert_int_equal(extents.list[0].len, 5);
	assert_int_equal(extents.list[1].off, 20);
	assert_int_equal(extents.list[1].len, 4);
}

static void a_source_of_another_size_is_stale(void **state)
{
	auto_blob struct blob *blob = source_blob(SOURCE_BYTES - 1);
	struct content *content;

	(void)state;
	assert_int_equal(plan_content(sample(), &blob, &content), -ESTALE);
}

static int build_small(void)
{
	auto_plan struct plan *plan = NULL;
	uint32_t source;
	int r = plan_new(&plan);

	if (r == 0)
		r = plan_add_source(plan, "a", 64, &source);
	if (r == 0)
		r = plan_add_bytes(plan, "abc", 3);
	if (r == 0)
		r = plan_add_range(plan, SEGMENT_COPY, source, 0, 64);
	return r < 0 ? r : plan_finish(plan);
}

static void every_failed_allocation_is_told(void **state)
{
	(void)state;
	run_with_faults(build_small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_merged_and_tile),
		cmocka_unit_test(ranges_must_fit_their_source),
		cmocka_unit_test(sources_are_numbered_once),
		cmocka_unit_test(encoding_comes_back),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(any_part_equals_the_whole),
		cmocka_unit_test(resolve_names_what_copy_reads),
		cmocka_unit_test(a_source_of_another_size_is_stale),
		cmocka_unit_test(every_failed_allocation_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
