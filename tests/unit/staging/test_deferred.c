/* SPDX-License-Identifier: MIT */
/* Files whose plan is made when they are opened, by a stager of the test's. */
#include "staging/deferred.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "staging/stage_listing.h"
#include "staging/stager.h"
#include "tests/unit/staging/repo_fake.h"

#define BYTES "generated"

static unsigned int plans_made;
static int plan_result;
static int references;

static bool not_instant(const struct stage_repo *repo, const char *dir)
{
	(void)repo;
	(void)dir;
	return false;
}

static int make_plan(const struct stage_repo *repo, const char *path,
		     struct plan **out)
{
	auto_plan struct plan *plan = NULL;

	assert_string_equal(path, "dir/staged.onnx");
	assert_true(repo->deadline_ns != DEADLINE_NOW);
	plans_made++;
	if (plan_result < 0)
		return plan_result;
	assert_int_equal(plan_new(&plan), 0);
	assert_int_equal(plan_add_bytes(plan, BYTES, strlen(BYTES)), 0);
	assert_int_equal(plan_finish(plan), 0);
	*out = take_ptr(plan);
	return 0;
}

static int list(const struct stage_repo *repo, const char *dir,
		struct stage_listing *out)
{
	return stage_listing_add_deferred(out, dir, "staged.onnx", repo,
					  strlen(BYTES));
}

const struct stager *stager_of(const struct stage_repo *repo)
{
	static const struct stager stager = { "fake", not_instant, list,
					      make_plan };

	(void)repo;
	return &stager;
}

static void *take_reference(void *arg)
{
	references++;
	return arg;
}

static void drop_reference(void *arg)
{
	(void)arg;
	references--;
}

static void repo_make(struct fake_repo *fake)
{
	static const struct fake_file files[] = { { "a", "text", NULL },
						  { 0 } };

	fake_repo_init(fake, files);
	fake->repo.ref = take_reference;
	fake->repo.unref = drop_reference;
	plans_made = 0;
	plan_result = 0;
	references = 0;
}

static void assert_not_ready(struct content *content)
{
	auto_extents struct extents extents;
	char bytes[1];

	extents_init(&extents);
	assert_int_equal(content_resolve(content, 0, 1, &extents), -EAGAIN);
	assert_int_equal(content_copy(content, 0, 1, bytes), -EAGAIN);
	assert_null(deferred_plan(content));
}

static void assert_ready(struct content *content)
{
	char bytes[sizeof(BYTES)] = "";

	assert_int_equal(content_prepare(content, DEADLINE_NOW), 0);
	assert_int_equal(content_copy(content, 0, strlen(BYTES), bytes), 0);
	assert_string_equal(bytes, BYTES);
	assert_int_equal(deferred_plan(content)->size, strlen(BYTES));
}

static void a_plan_is_made_at_the_first_opening(void **state)
{
	struct content *content;
	struct fake_repo fake;

	(void)state;
	repo_make(&fake);
	assert_int_equal(deferred_new(&fake.repo, "dir/staged.onnx",
				      strlen(BYTES), &content),
			 0);
	assert_int_equal(references, 1);
	assert_string_equal(deferred_path(content), "dir/staged.onnx");
	assert_int_equal(content_prepare(content, DEADLINE_NOW), -EINPROGRESS);
	assert_not_ready(content);
	assert_int_equal(content_prepare(content, CLOCK_NEVER), 0);
	assert_int_equal(content_prepare(content, CLOCK_NEVER), 0);
	assert_int_equal(plans_made, 1);
	assert_ready(content);
	content_unref(content);
	assert_int_equal(references, 0);
}

static void what_is_not_as_foreseen_is_refused(void **state)
{
	static const struct {
		uint64_t size;
		int plan;
		int result;
	} rows[] = {
		{ sizeof(BYTES), 0, -EBADMSG },
		{ sizeof(BYTES) - 2, 0, -EBADMSG },
		{ sizeof(BYTES) - 1, -ETIMEDOUT, -ETIMEDOUT },
		{ sizeof(BYTES) - 1, -EBADMSG, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct content *content;
		struct fake_repo fake;

		repo_make(&fake);
		plan_result = rows[i].plan;
		assert_int_equal(deferred_new(&fake.repo, "dir/staged.onnx",
					      rows[i].size, &content),
				 0);
		assert_int_equal(content_prepare(content, CLOCK_NEVER),
				 rows[i].result);
		assert_not_ready(content);
		content_unref(content);
	}
}

/* A failure that passes is tried again. */
static void an_opening_that_failed_may_be_tried_again(void **state)
{
	struct content *content;
	struct fake_repo fake;

	(void)state;
	repo_make(&fake);
	plan_result = -ETIMEDOUT;
	assert_int_equal(deferred_new(&fake.repo, "dir/staged.onnx",
				      strlen(BYTES), &content),
			 0);
	assert_int_equal(content_prepare(content, CLOCK_NEVER), -ETIMEDOUT);
	plan_result = 0;
	assert_int_equal(content_prepare(content, CLOCK_NEVER), 0);
	assert_ready(content);
	content_unref(content);
}

static void a_listing_keeps_it_across_mounts(void **state)
{
	auto_stage_listing struct stage_listing before = { 0 }, after = { 0 };
	auto_str struct str bytes;
	struct fake_repo fake;

	(void)state;
	repo_make(&fake);
	str_init(&bytes, 1 << 16);
	assert_int_equal(stage_list(&fake.repo, "dir", &before), 0);
	assert_int_equal(listing_encode(&before, &bytes), 0);
	assert_int_equal(listing_decode(&fake.repo, str_text(&bytes), bytes.len,
					&after),
			 0);
	assert_int_equal(plans_made, 0);
	assert_int_equal(after.count, 1);
	assert_int_equal(after.entries[0].content->size, strlen(BYTES));
	assert_string_equal(deferred_path(after.entries[0].content),
			    "dir/staged.onnx");
	assert_int_equal(content_prepare(after.entries[0].content, CLOCK_NEVER),
			 0);
	assert_ready(after.entries[0].content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_is_made_at_the_first_opening),
		cmocka_unit_test(what_is_not_as_foreseen_is_refused),
		cmocka_unit_test(an_opening_that_failed_may_be_tried_again),
		cmocka_unit_test(a_listing_keeps_it_across_mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
