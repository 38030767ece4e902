/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/thread.h"
#include "tests/unit/unit.h"

struct room {
	struct lock lock;
	struct cond changed;
	int count GUARDED_BY(lock);
	bool open GUARDED_BY(lock);
};

static void room_init(struct room *room)
{
	*room = (struct room){ 0 };
	lock_init(&room->lock);
	cond_init(&room->changed);
}

static void room_release(struct room *room)
{
	cond_release(&room->changed);
	lock_release(&room->lock);
}

static void *count_up(void *arg)
{
	struct room *room = arg;

	lock_take(&room->lock);
	while (!room->open)
		cond_wait(&room->changed, &room->lock);
	lock_drop(&room->lock);
	for (int i = 0; i < 1000; i++) {
		lock_take(&room->lock);
		lock_assert_held(&room->lock);
		room->count++;
		lock_drop(&room->lock);
	}
	return NULL;
}

static void threads_take_turns(void **state)
{
	pthread_t threads[4];
	struct room room;

	(void)state;
	room_init(&room);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(
			thread_start("count", count_up, &room, &threads[i]), 0);
	lock_take(&room.lock);
	room.open = true;
	cond_wake_all(&room.changed);
	lock_drop(&room.lock);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(room.count, 4000);
	room_release(&room);
}

static void waiting_ends_at_the_deadline(void **state)
{
	uint64_t until_ns = clock_after_ns(20 * NS_PER_MS);
	struct room room;
	int r;

	(void)state;
	room_init(&room);
	lock_take(&room.lock);
	do {
		r = cond_wait_until(&room.changed, &room.lock, until_ns);
	} while (r == 0);
	lock_drop(&room.lock);
	assert_int_equal(r, -ETIMEDOUT);
	assert_true(clock_now_ns() >= until_ns);
	room_release(&room);
}

static void past_deadlines_do_not_wait(void **state)
{
	struct room room;

	(void)state;
	room_init(&room);
	lock_take(&room.lock);
	assert_int_equal(cond_wait_until(&room.changed, &room.lock, 0),
			 -ETIMEDOUT);
	lock_drop(&room.lock);
	room_release(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_take_turns),
		cmocka_unit_test(waiting_ends_at_the_deadline),
		cmocka_unit_test(past_deadlines_do_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
