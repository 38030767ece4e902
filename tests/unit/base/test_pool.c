/* SPDX-License-Identifier: MIT */
#include "base/pool.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/lock.h"
#include "tests/unit/unit.h"

#define WORKS 1000

/* Work that waits at a gate, so that a test knows what is running. */
struct gate {
	struct lock lock;
	struct cond changed;
	int arrived GUARDED_BY(lock);
	bool open GUARDED_BY(lock);
};

struct gated_work {
	struct pool_work work;
	struct gate *gate;
};

static void gate_init(struct gate *gate)
{
	*gate = (struct gate){ 0 };
	lock_init(&gate->lock);
	cond_init(&gate->changed);
}

static void gate_release(struct gate *gate)
{
	cond_release(&gate->changed);
	lock_release(&gate->lock);
}

static void gate_open(struct gate *gate)
{
	lock_take(&gate->lock);
	gate->open = true;
	cond_wake_all(&gate->changed);
	lock_drop(&gate->lock);
}

static void gate_await(struct gate *gate, int arrived)
{
	lock_take(&gate->lock);
	while (gate->arrived < arrived)
		cond_wait(&gate->changed, &gate->lock);
	lock_drop(&gate->lock);
}

static void run_gated(struct pool_work *work)
{
	struct gate *gate = container_of(work, struct gated_work, work)->gate;

	lock_take(&gate->lock);
	gate->arrived++;
	cond_wake_all(&gate->changed);
	while (!gate->open)
		cond_wait(&gate->changed, &gate->lock);
	lock_drop(&gate->lock);
}

static atomic_int ran;

static void run_and_free(struct pool_work *work)
{
	atomic_fetch_add(&ran, 1);
	free(work);
}

static void all_work_runs_before_free(void **state)
{
	struct pool *pool;

	(void)state;
	atomic_store(&ran, 0);
	assert_int_equal(pool_new("test", 4, WORKS, &pool), 0);
	for (int i = 0; i < WORKS; i++) {
		struct pool_work *work = mem_zalloc(sizeof(*work));

		work->run = run_and_free;
		assert_int_equal(pool_add(pool, work), 0);
	}
	pool_free(pool);
	assert_int_equal(atomic_load(&ran), WORKS);
}

static void a_full_queue_is_busy(void **state)
{
	struct gate gate;
	struct gated_work works[4];
	struct pool *pool;

	(void)state;
	gate_init(&gate);
	for (size_t i = 0; i < ARRAY_LEN(works); i++)
		works[i] = (struct gated_work){ { .run = run_gated }, &gate };
	assert_int_equal(pool_new("test", 1, 2, &pool), 0);
	assert_int_equal(pool_load(pool), 0);
	assert_int_equal(pool_add(pool, &works[0].work), 0);
	gate_await(&gate, 1);
	assert_int_equal(pool_add(pool, &works[1].work), 0);
	assert_int_equal(pool_add(pool, &works[2].work), 0);
	assert_int_equal(pool_add(pool, &works[3].work), -EBUSY);
	assert_int_equal(pool_load(pool), 3);
	gate_open(&gate);
	pool_free(pool);
	assert_int_equal(gate.arrived, 3);
	gate_release(&gate);
}

struct late {
	struct pool_work work;
	struct pool *pool;
	struct gate *gate;
	int result;
};

/* Adds until the pool refuses, which pool_free() makes it do. */
static void run_late(struct pool_work *work)
{
	struct late *late = container_of(work, struct late, work);

	gate_open(late->gate);
	do {
		struct pool_work *more = mem_zalloc(sizeof(*more));

		more->run = run_and_free;
		late->result = pool_add(late->pool, more);
		if (late->result < 0)
			free(more);
	} while (late->result != -ESHUTDOWN);
}

static void a_closing_pool_takes_no_more(void **state)
{
	struct gate gate;
	struct late late = { .work.run = run_late, .gate = &gate };

	(void)state;
	gate_init(&gate);
	assert_int_equal(pool_new("test", 1, 8, &late.pool), 0);
	assert_int_equal(pool_add(late.pool, &late.work), 0);
	lock_take(&gate.lock);
	while (!gate.open)
		cond_wait(&gate.changed, &gate.lock);
	lock_drop(&gate.lock);
	pool_free(late.pool);
	assert_int_equal(late.result, -ESHUTDOWN);
	gate_release(&gate);
}

static int make(void)
{
	struct pool *pool = NULL;
	int r = pool_new("test", 2, 2, &pool);

	pool_free(pool);
	return r;
}

static void survives_no_memory(void **state)
{
	(void)state;
	run_with_faults(make);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_work_runs_before_free),
		cmocka_unit_test(a_full_queue_is_busy),
		cmocka_unit_test(a_closing_pool_takes_no_more),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
