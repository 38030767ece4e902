/* SPDX-License-Identifier: MIT */
#include "providers/fallback_source.h"

#include <string.h>

#include "base/annot.h"
#include "tests/fake/fake_files.h"
#include "tests/fake/fake_source.h"
#include "tests/unit/unit.h"

#define SIZE 50000

static struct fake_source places[3];
static struct source *source;
static char bytes[SIZE];

static int set_up(void **state)
{
	struct source *sources[3];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		fake_source_init(&places[i], SIZE, 7);
		sources[i] = source_ref(&places[i].source);
	}
	return fallback_source_new(sources, 3, &source);
}

static int tear_down(void **state)
{
	(void)state;
	source_unref(source);
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		fake_source_release(&places[i]);
	return 0;
}

/* A request of one place ends with @error. */
static void end_with(struct fake_source *fake, int error)
{
	struct fake_asked *asked = fake_source_take(fake, true);
	struct source_sink *sink = asked->sink;

	free(asked);
	sink->done(sink, error);
}

static void asked_of(unsigned int first, unsigned int second,
		     unsigned int third)
{
	assert_int_equal(fake_source_fetches(&places[0]), first);
	assert_int_equal(fake_source_fetches(&places[1]), second);
	assert_int_equal(fake_source_fetches(&places[2]), third);
}

static void the_first_that_has_it(void **state)
{
	struct fake_reader reader;

	(void)state;
	assert_int_equal(fake_reader_begin(&reader, source, 5, 100, bytes), 0);
	end_with(&places[0], -ENOENT);
	fake_source_answer(&places[1], FAKE_GOOD);
	assert_int_equal(fake_reader_end(&reader), 0);
	assert_memory_equal(bytes, places[1].bytes + 5, 100);
	asked_of(1, 1, 0);

	/* and then that one, though it fails */
	assert_int_equal(fake_reader_begin(&reader, source, 9, 100, bytes), 0);
	end_with(&places[1], -EIO);
	assert_int_equal(fake_reader_end(&reader), -EIO);
	asked_of(1, 2, 0);
}

/* Errors of the places in turn, 0 ends; what the reader is told. */
static const struct {
	int errors[3];
	int want;
} endings[] = {
	{ { -ENOENT, -ENOENT, -ENOENT }, -ENOENT },
	{ { -ENOENT, -EACCES, -ENOENT }, -EACCES },
	{ { -EIO, -ENOENT, -ENOENT }, -EIO },
	{ { -ESTALE, -EACCES, -EIO }, -ESTALE },
	{ { -ENOMEM, 0, 0 }, -ENOMEM },
	{ { -ENOENT, -ESHUTDOWN, 0 }, -ESHUTDOWN },
};

static void the_most_telling_error(void **state)
{
	struct fake_reader reader;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		assert_int_equal(
			fake_reader_begin(&reader, source, 0, 10, bytes), 0);
		for (size_t k = 0; k < 3 && endings[i].errors[k]; k++)
			end_with(&places[k], endings[i].errors[k]);
		assert_int_equal(fake_reader_end(&reader), endings[i].want);
	}
}

static void bytes_are_never_mixed(void **state)
{
	struct fake_reader slow, quick;
	char other[100];

	(void)state;
	/* Both begin at the first; the quick one ends up at the second. */
	assert_int_equal(fake_reader_begin(&slow, source, 0, 100, bytes), 0);
	assert_int_equal(fake_reader_begin(&quick, source, 100, 100, other), 0);
	{
		struct fake_asked *first = fake_source_take(&places[0], true);

		end_with(&places[0], -ENOENT); /* the quick one's */
		fake_source_answer(&places[1], FAKE_GOOD);
		assert_int_equal(fake_reader_end(&quick), 0);
		fake_source_reply(&places[0], first, FAKE_GOOD);
	}
	/* What the first place gave late is not taken. */
	assert_false(slow.done);
	assert_int_equal(slow.got, 0);
	fake_source_answer(&places[1], FAKE_GOOD);
	assert_int_equal(fake_reader_end(&slow), 0);
	assert_memory_equal(bytes, places[1].bytes, 100);
	asked_of(2, 2, 0);
}

static void what_broke_in_the_middle_is_over(void **state)
{
	struct fake_reader reader;

	(void)state;
	assert_int_equal(fake_reader_begin(&reader, source, 0, SIZE, bytes), 0);
	fake_source_answer(&places[0], FAKE_BROKEN);
	assert_int_equal(fake_reader_end(&reader), -EIO);
	asked_of(1, 0, 0);
}

static void a_place_that_cannot_begin(void **state)
{
	struct fake_reader reader;

	(void)state;
	fake_source_refuse(&places[1], -ESHUTDOWN);
	assert_int_equal(fake_reader_begin(&reader, source, 0, 10, bytes), 0);
	end_with(&places[0], -ENOENT);
	assert_int_equal(fake_reader_end(&reader), -ESHUTDOWN);
	fake_source_refuse(&places[0], -ENOMEM);
	assert_int_equal(fake_reader_begin(&reader, source, 0, 10, bytes),
			 -ENOMEM);
}

static void each_has_its_share_of_the_time(void **state)
{
	struct fake_reader reader;
	uint64_t before = clock_now_ns();
	struct fake_asked *asked;

	(void)state;
	assert_int_equal(fake_reader_begin(&reader, source, 0, 10, bytes), 0);
	asked = fake_source_take(&places[0], true);
	assert_true(asked->deadline_ns < before + 2 * NS_PER_S);
	asked->sink->done(asked->sink, -ETIMEDOUT);
	free(asked);
	end_with(&places[1], -ENOENT);
	asked = fake_source_take(&places[2], true);
	assert_true(asked->deadline_ns > before + 4 * NS_PER_S);
	fake_source_reply(&places[2], asked, FAKE_GOOD);
	assert_int_equal(fake_reader_end(&reader), 0);
}

static void memory_may_run_out(void **state)
{
	struct source *sources[2], *made;

	(void)state;
	for (unsigned int nth = 1; nth <= 2; nth++) {
		sources[0] = source_ref(&places[0].source);
		sources[1] = source_ref(&places[1].source);
		mem_fail_nth(nth);
		assert_int_equal(fallback_source_new(sources, 2, &made),
				 -ENOMEM);
		assert_true(mem_fail_done());
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_that_has_it),
		TEST(the_most_telling_error),
		TEST(bytes_are_never_mixed),
		TEST(what_broke_in_the_middle_is_over),
		TEST(a_place_that_cannot_begin),
		TEST(each_has_its_share_of_the_time),
		TEST(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
