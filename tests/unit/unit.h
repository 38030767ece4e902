/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/unit.h - cmocka as it wants to be included, and faults.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

/*
 * Runs @test with the 1st, 2nd, 3rd ... allocation failing, until none
 * does.  @test returns what the call under test did: -ENOMEM if one was
 * made to fail, else 0.  It must neither crash nor leak.
 */
static inline void run_with_faults(int (*test)(void))
{
	for (unsigned int nth = 1;; nth++) {
		int r;

		mem_fail_nth(nth);
		r = test();
		if (!mem_fail_done()) {
			assert_int_equal(r, 0);
			assert_true(nth > 1);
			return;
		}
		assert_int_equal(r, -ENOMEM);
	}
}

#endif
