/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#include "staging/wire_read.h"

#define DEPTH_MAX 8

/* Every record lies within its message; together they tile it. */
static void walk(struct wire wire, unsigned int depth)
{
	struct wire_field field;
	struct wire inner;
	uint64_t value;

	while (wire_next(&wire, &field)) {
		assert(field.number > 0 && field.number <= WIRE_FIELD_MAX);
		assert(field.record < wire.at);
		assert(field.bytes > field.record);
		assert(field.bytes + field.len == wire.at);
		wire_enter(&inner, &field);
		if (field.type == WIRE_LEN && depth < DEPTH_MAX)
			walk(inner, depth + 1);
		while (wire_varint(&inner, &value))
			;
		assert(inner.bad || inner.at == inner.end);
	}
	assert(wire.bad || wire.at == wire.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wire wire;

	wire_init(&wire, data, len);
	walk(wire, 0);
	return 0;
}
