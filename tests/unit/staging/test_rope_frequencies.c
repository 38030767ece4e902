/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <math.h>

#include "staging/models/rope_frequencies.h"

#define COUNT 64
#define SAMPLES 8
#define ULPS 3 /* torch's power function differs by one */

static const size_t samples[SAMPLES] = { 0, 1, 15, 28, 29, 30, 40, 63 };

/* What transformers 5.23 computes for heads of 128 numbers. */
static const struct {
	const char *name;
	void (*fill)(const struct rope_scaling *scaling, float *out);
	struct rope_scaling scaling;
	float want[SAMPLES];
} cases[] = {
	{ "default",
	  rope_default,
	  { .theta = 10000 },
	  { 1, 0.865964353f, 0.115478203f, 0.0177827943f, 0.0153992651f,
	    0.0133352149f, 0.00316227786f, 0.000115478193f } },
	{ "a quarter of the places",
	  rope_linear,
	  { .theta = 10000, .factor = 4 },
	  { 0.25f, 0.216491088f, 0.0288695507f, 0.0044456986f, 0.0038498163f,
	    0.00333380373f, 0.000790569466f, 2.88695483e-05f } },
	{ "Llama 3.1",
	  rope_llama3,
	  {
		  .theta = 500000,
		  .factor = 8,
		  .original = 8192,
		  .low = 1,
		  .high = 4,
	  },
	  { 1, 0.814617217f, 0.0461640507f, 0.00321144611f, 0.00216657063f,
	    0.00137189368f, 3.42810235e-05f, 3.06892588e-07f } },
	{ "Qwen2.5, four times as long",
	  rope_yarn,
	  { .theta = 1000000,
	    .factor = 4,
	    .original = 32768,
	    .fast = 32,
	    .slow = 1,
	    .truncate = true },
	  { 1, 0.805842221f, 0.0392418988f, 0.00184827659f, 0.00140511245f,
	    0.00106436096f, 4.44569851e-05f, 3.10234441e-07f } },
	{ "not truncated",
	  rope_yarn,
	  { .theta = 10000,
	    .factor = 40,
	    .original = 4096,
	    .fast = 32,
	    .slow = 1 },
	  { 1, 0.865964353f, 0.115478203f, 0.0127031431f, 0.010377015f,
	    0.00844623521f, 0.000722638157f, 2.88695469e-06f } },
};

static void frequencies_are_the_librarys(void **state)
{
	float got[COUNT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rope_scaling scaling = cases[i].scaling;

		scaling.width = 2 * COUNT;
		cases[i].fill(&scaling, got);
		for (size_t j = 0; j < SAMPLES; j++) {
			float want = cases[i].want[j], at = got[samples[j]];
			float step = nextafterf(want, INFINITY) - want;

			if (fabsf(at - want) > ULPS * step)
				print_message("%s, %zu: %.9g, not %.9g\n",
					      cases[i].name, samples[j],
					      (double)at, (double)want);
			assert_true(fabsf(at - want) <= ULPS * step);
		}
	}
}

static void factors_make_them_slower(void **state)
{
	const struct rope_scaling scaling = { .theta = 10000, .width = 4 };
	const double factors[] = { 1, 4 };
	float got[2];

	(void)state;
	rope_slower(&scaling, factors, got);
	assert_float_equal(got[0], 1, 0);
	assert_float_equal(got[1], 0.0025, 1e-9);
}

static void near(double got, double want)
{
	assert_true(fabs(got - want) < 1e-12);
}

static void sines_are_scaled(void **state)
{
	const struct rope_scaling phi = { .factor = 32, .original = 4096 };
	const struct rope_scaling same = { .factor = 1, .original = 4096 };

	(void)state;
	near(rope_yarn_scale(4, 1), 1.138629436111989);
	near(rope_yarn_scale(40, 0.707) / rope_yarn_scale(40, 1),
	     0.9210423553163399);
	near(rope_yarn_scale(0.5, 1), 1);
	near(rope_long_scale(&phi), sqrt(1 + 5.0 / 12));
	near(rope_long_scale(&same), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frequencies_are_the_librarys),
		cmocka_unit_test(factors_make_them_slower),
		cmocka_unit_test(sines_are_scaled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
