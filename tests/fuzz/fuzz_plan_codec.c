/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/limits.h"
#include "staging/plan.h"

/* With the checksum made right, or few inputs would get past it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_plan struct plan *plan = NULL;
	auto_str struct str text, again;
	uint8_t sum[8];

	str_init(&text, PLAN_ENCODED_MAX);
	str_init(&again, PLAN_ENCODED_MAX);
	put_le64(sum, xxh3_64(data, len));
	assert(str_append(&text, data, len) == 0);
	assert(str_append(&text, sum, sizeof(sum)) == 0);
	if (plan_decode(text.bytes, text.len, &plan) < 0)
		return 0;
	for (size_t i = 0; i < plan->segment_count; i++)
		assert(plan_find(plan, plan->segments[i].out) ==
		       &plan->segments[i]);
	assert(plan_encode(plan, &again) == 0);
	assert(again.len == text.len);
	assert(memcmp(again.bytes, text.bytes, text.len) == 0);
	return 0;
}
