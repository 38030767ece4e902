/* SPDX-License-Identifier: MIT */
#include "base/timer.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "tests/unit/unit.h"

#define TIMERS 200

struct record {
	struct lock lock;
	struct cond changed;
	size_t fired GUARDED_BY(lock);
	int order[TIMERS] GUARDED_BY(lock);
};

struct noted {
	struct timer timer;
	struct record *record;
	int number;
};

static void record_init(struct record *record)
{
	memset(record, 0, sizeof(*record));
	lock_init(&record->lock);
	cond_init(&record->changed);
}

static void record_release(struct record *record)
{
	cond_release(&record->changed);
	lock_release(&record->lock);
}

static void note(struct timer *timer)
{
	struct noted *noted = container_of(timer, struct noted, timer);
	struct record *record = noted->record;

	lock_take(&record->lock);
	record->order[record->fired++] = noted->number;
	cond_wake_all(&record->changed);
	lock_drop(&record->lock);
}

static void await_fired(struct record *record, size_t count)
{
	lock_take(&record->lock);
	while (record->fired < count)
		cond_wait(&record->changed, &record->lock);
	lock_drop(&record->lock);
}

static void all_due(struct record *record, struct noted *noted)
{
	for (int i = 0; i < TIMERS; i++) {
		noted[i] = (struct noted){ .timer.fire = note,
					   .record = record,
					   .number = i };
	}
}

/* Armed in a mixed order for a second that the test then jumps to. */
static void fire_in_order_of_time(void **state)
{
	struct noted noted[TIMERS];
	struct record record;
	struct timers *timers;

	(void)state;
	clock_set(NS_PER_S, 1);
	record_init(&record);
	all_due(&record, noted);
	assert_int_equal(timers_new(&timers), 0);
	for (int i = 0; i < TIMERS; i++) {
		int n = i * 77 % TIMERS;

		assert_int_equal(timer_arm(timers, &noted[n].timer,
					   (1000 + (uint64_t)n) * NS_PER_S),
				 0);
	}
	assert_int_equal(record.fired, 0);
	clock_set(5000 * NS_PER_S, 5000);
	await_fired(&record, TIMERS);
	for (int i = 0; i < TIMERS; i++)
		assert_int_equal(record.order[i], i);
	timers_free(timers);
	record_release(&record);
	clock_set(0, 0);
}

static void cancelled_do_not_fire(void **state)
{
	struct noted noted[TIMERS];
	struct record record;
	struct timers *timers;

	(void)state;
	clock_set(NS_PER_S, 1);
	record_init(&record);
	all_due(&record, noted);
	assert_int_equal(timers_new(&timers), 0);
	for (int i = 0; i < TIMERS; i++)
		assert_int_equal(timer_arm(timers, &noted[i].timer,
					   (1000 + (uint64_t)i * 77 % TIMERS) *
						   NS_PER_S),
				 0);
	for (int i = 0; i < TIMERS; i += 2)
		assert_true(timer_cancel(timers, &noted[i].timer));
	assert_false(timer_cancel(timers, &noted[0].timer));
	clock_set(5000 * NS_PER_S, 5000);
	await_fired(&record, TIMERS / 2);
	assert_false(timer_cancel(timers, &noted[1].timer));
	timers_free(timers);
	assert_int_equal(record.fired, TIMERS / 2);
	for (int i = 0; i < TIMERS / 2; i++)
		assert_int_equal(record.order[i] % 2, 1);
	record_release(&record);
	clock_set(0, 0);
}

static void a_sooner_timer_wakes_the_thread(void **state)
{
	struct noted noted[TIMERS];
	struct record record;
	struct timers *timers;

	(void)state;
	record_init(&record);
	all_due(&record, noted);
	assert_int_equal(timers_new(&timers), 0);
	assert_int_equal(timer_arm(timers, &noted[0].timer, CLOCK_NEVER), 0);
	assert_int_equal(timer_arm(timers, &noted[1].timer,
				   clock_after_ns(1000 * NS_PER_S)),
			 0);
	for (int i = 2; i < 5; i++) {
		usleep(10000); /* the thread waits for noted[1] */
		assert_int_equal(timer_arm(timers, &noted[i].timer,
					   clock_after_ns(NS_PER_MS)),
				 0);
		await_fired(&record, (size_t)i - 1);
	}
	timers_free(timers); /* with two armed */
	assert_int_equal(record.fired, 3);
	record_release(&record);
}

struct again {
	struct noted noted;
	struct timers *timers;
	int left;
};

static void fire_again(struct timer *timer)
{
	struct noted *noted = container_of(timer, struct noted, timer);
	struct again *again = container_of(noted, struct again, noted);

	if (again->left-- > 0)
		assert_int_equal(timer_arm(again->timers, timer, 0), 0);
	else
		note(timer);
}

static void a_timer_may_arm_itself(void **state)
{
	struct record record;
	struct again again = { .noted.timer.fire = fire_again,
			       .noted.record = &record,
			       .left = 100 };

	(void)state;
	record_init(&record);
	assert_int_equal(timers_new(&again.timers), 0);
	assert_int_equal(timer_arm(again.timers, &again.noted.timer, 0), 0);
	await_fired(&record, 1);
	timers_free(again.timers);
	record_release(&record);
}

static int arm_many(void)
{
	static struct noted noted[TIMERS];
	static struct record record;
	struct timers *timers = NULL;
	int r = timers_new(&timers);

	all_due(&record, noted);
	for (int i = 0; r == 0 && i < TIMERS; i++)
		r = timer_arm(timers, &noted[i].timer, CLOCK_NEVER);
	timers_free(timers);
	return r;
}

static void survives_no_memory(void **state)
{
	(void)state;
	run_with_faults(arm_many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fire_in_order_of_time),
		cmocka_unit_test(cancelled_do_not_fire),
		cmocka_unit_test(a_sooner_timer_wakes_the_thread),
		cmocka_unit_test(a_timer_may_arm_itself),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
