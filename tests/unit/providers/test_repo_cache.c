/* SPDX-License-Identifier: MIT */
#include "providers/repo_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "tests/unit/unit.h"

#define SOON clock_after_ns(5 * NS_PER_S)

/* A hub that holds its answers back until told. */
static struct hub {
	struct lock lock;
	struct cond changed;
	unsigned int opened; /* lock: openings begun */
	unsigned int asked;  /* lock: of those, by a refresh */
	bool holds;	     /* lock */
	int result;	     /* lock: of openings that begin now */
} hub;

static void plain_free(struct repo *repo)
{
	repo_fini(repo);
	free(repo);
}

static const struct repo_ops ops = { .free = plain_free };

/* Its revision is the number of the opening. */
static int open_numbered(void *arg, const char *path, bool ask,
			 uint64_t deadline_ns, struct repo **out,
			 int64_t *until_wall_s)
{
	struct repo *repo = mem_zalloc(sizeof(*repo));
	unsigned int number;
	int r;

	(void)arg, (void)deadline_ns;
	*until_wall_s = INT64_MAX;
	lock_take(&hub.lock);
	number = ++hub.opened;
	hub.asked += ask;
	r = hub.result;
	cond_wake_all(&hub.changed);
	while (hub.holds)
		cond_wait(&hub.changed, &hub.lock);
	lock_drop(&hub.lock);
	repo_init(repo, &ops);
	repo->id = mem_strdup(path);
	repo->revision = mem_printf("%u", number);
	if (r < 0)
		repo_unref(repo);
	else
		*out = repo;
	return r;
}

static struct repo_cache *cache;

static int set_up(void **state)
{
	struct repo_opener opener = { .open = open_numbered };

	(void)state;
	hub = (struct hub){ 0 };
	lock_init(&hub.lock);
	cond_init(&hub.changed);
	return repo_cache_new(&opener, &cache);
}

static int tear_down(void **state)
{
	(void)state;
	repo_cache_free(cache);
	cond_release(&hub.changed);
	lock_release(&hub.lock);
	return 0;
}

static void hold(bool holds)
{
	lock_take(&hub.lock);
	hub.holds = holds;
	cond_wake_all(&hub.changed);
	lock_drop(&hub.lock);
}

static void wait_for_openings(unsigned int count)
{
	lock_take(&hub.lock);
	while (hub.opened < count)
		cond_wait(&hub.changed, &hub.lock);
	lock_drop(&hub.lock);
}

/* The number of the opening of which @path is given, or -errno. */
static int number_of(const char *path)
{
	auto_repo struct repo *repo = NULL;
	int r = repo_cache_open(cache, path, SOON, &repo);
	uint64_t number = 0;

	if (r == 0)
		r = parse_u64(repo->revision, strlen(repo->revision), 100,
			      &number);
	return r < 0 ? r : (int)number;
}

static void *open_in_thread(void *number)
{
	*(int *)number = number_of("a");
	return NULL;
}

static pthread_t start_opening(int *number)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, open_in_thread, number),
			 0);
	return thread;
}

static void an_open_one_is_not_opened_again(void **state)
{
	(void)state;
	assert_int_equal(number_of("a"), 1);
	assert_int_equal(number_of("a"), 1);
	assert_int_equal(number_of("b"), 2);
	assert_int_equal(hub.asked, 0);
	repo_cache_refresh(cache, "a");
	assert_int_equal(number_of("a"), 3);
	assert_int_equal(number_of("a"), 3);
	assert_int_equal(hub.asked, 1);
}

/* Two ask at once; @refresh: for the second it has been asked for anew. */
static void open_twice(bool refresh, int numbers[2])
{
	pthread_t threads[2];

	hold(true);
	threads[0] = start_opening(&numbers[0]);
	wait_for_openings(1);
	if (refresh)
		repo_cache_refresh(cache, "a");
	threads[1] = start_opening(&numbers[1]);
	usleep(20 * 1000); /* it waits, most likely */
	hold(false);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

static void who_waits_shares_what_is_found(void **state)
{
	int numbers[2];

	(void)state;
	open_twice(false, numbers);
	assert_int_equal(numbers[0], 1);
	assert_int_equal(numbers[1], 1);
}

/* Who asks after a refresh is not given what was begun before it. */
static void a_refresh_counts_while_it_is_opened(void **state)
{
	int numbers[2];

	(void)state;
	open_twice(true, numbers);
	assert_int_equal(numbers[0], 1);
	assert_int_equal(numbers[1], 2);
	assert_int_equal(hub.asked, 1);
	assert_int_equal(number_of("a"), 2);
}

static void a_failure_is_not_kept(void **state)
{
	(void)state;
	hub.result = -ENOENT;
	assert_int_equal(number_of("a"), -ENOENT);
	hub.result = 0;
	assert_int_equal(number_of("a"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_open_one_is_not_opened_again,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_waits_shares_what_is_found,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_refresh_counts_while_it_is_opened, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failure_is_not_kept, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
