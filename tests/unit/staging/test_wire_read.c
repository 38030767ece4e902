/* SPDX-License-Identifier: MIT */
/* Protobuf's wire format as it is read: good records, and each bad one. */
#include "staging/graph/wire.h"
#include "staging/wire_read.h"
#include "tests/unit/unit.h"

#define BYTES(text) text, sizeof(text) - 1
#define NINE "\xff\xff\xff\xff\xff\xff\xff\xff\xff"

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	size_t fields; /* read before the end, or before the fault */
	bool bad;
} messages[] = {
	{ "nothing", BYTES(""), 0, false },
	{ "a varint", BYTES("\x08\x01"), 1, false },
	{ "eight bytes", BYTES("\x09\1\2\3\4\5\6\7\10"), 1, false },
	{ "text", BYTES("\x0a\x02hi"), 1, false },
	{ "empty text", BYTES("\x0a\x00"), 1, false },
	{ "four bytes", BYTES("\x0d\1\2\3\4"), 1, false },
	{ "two records", BYTES("\x08\x01\x12\x01x"), 2, false },
	{ "a varint of ten bytes", BYTES("\x08" NINE "\x01"), 1, false },
	{ "zero in two bytes", BYTES("\x08\x80\x00"), 1, false },
	{ "the largest number", BYTES("\xf8\xff\xff\xff\x0f\x00"), 1, false },
	{ "P-05 a number past it", BYTES("\xf8\xff\xff\xff\x1f\x00"), 0, true },
	{ "P-05 a tag of 64 bits", BYTES(NINE "\x01\x00"), 0, true },
	{ "P-05 number 0", BYTES("\x00\x01"), 0, true },
	{ "P-05 a group begins", BYTES("\x0b\x0c"), 0, true },
	{ "P-05 a group ends", BYTES("\x0c"), 0, true },
	{ "P-05 wire type 6", BYTES("\x0e\x00"), 0, true },
	{ "P-05 wire type 7", BYTES("\x0f\x00"), 0, true },
	{ "P-05 a varint of eleven bytes", BYTES("\x08" NINE "\x81\x00"), 0,
	  true },
	{ "P-05 a varint of 65 bits", BYTES("\x08" NINE "\x02"), 0, true },
	{ "P-05 a length past the end", BYTES("\x0a\x03hi"), 0, true },
	{ "P-05 a negative length", BYTES("\x0a" NINE "\x01hi"), 0, true },
	{ "a tag alone", BYTES("\x08"), 0, true },
	{ "a varint that goes on", BYTES("\x08\x80"), 0, true },
	{ "a tag that goes on", BYTES("\x80"), 0, true },
	{ "a length alone", BYTES("\x0a"), 0, true },
	{ "seven of eight bytes", BYTES("\x09\1\2\3\4\5\6\7"), 0, true },
	{ "three of four bytes", BYTES("\x0d\1\2\3"), 0, true },
	{ "none of four bytes", BYTES("\x0d"), 0, true },
	{ "a fault behind a record", BYTES("\x08\x01\x0b"), 1, true },
};

static void messages_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct wire_field field;
		struct wire wire;
		size_t fields = 0;

		print_message("%s\n", messages[i].name);
		wire_init(&wire, messages[i].bytes, messages[i].len);
		while (wire_next(&wire, &field))
			fields++;
		assert_int_equal(fields, messages[i].fields);
		assert_int_equal(wire.bad, messages[i].bad);
		assert_false(wire_next(&wire, &field));
	}
}

static void values_are_read(void **state)
{
	static const char bytes[] = "\x08\x96\x01\x11\1\0\0\0\0\0\0\x80"
				    "\x1a\x02hi\x25\2\0\0\x80";
	struct wire_field field;
	struct wire wire;

	(void)state;
	wire_init(&wire, BYTES(bytes));
	assert_true(wire_next(&wire, &field));
	assert_int_equal(field.number, 1);
	assert_int_equal(field.type, WIRE_VARINT);
	assert_int_equal(field.value, 150);
	assert_ptr_equal(field.record, bytes);
	assert_int_equal(field.len, 2);
	assert_true(wire_next(&wire, &field));
	assert_int_equal(field.number, 2);
	assert_true(field.value == 0x8000000000000001u);
	assert_true(wire_next(&wire, &field));
	assert_int_equal(field.number, 3);
	assert_true(wire_is(&field, "hi"));
	assert_false(wire_is(&field, "h"));
	assert_false(wire_is(&field, "ho"));
	assert_ptr_equal(field.record, field.bytes - 2);
	assert_true(wire_next(&wire, &field));
	assert_int_equal(field.value, 0x80000002u);
	assert_false(wire_is(&field, ""));
	assert_false(wire_next(&wire, &field));
	assert_false(wire.bad);
}

/* P-07: packed and unpacked numbers read alike. */
static void packed_and_single_numbers_read_alike(void **state)
{
	static const char bytes[] = "\x08\x05\x0a\x03\x06\x87\x01"
				    "\x0a\x00\x08\x08";
	static const uint64_t want[] = { 5, 6, 135, 8 };
	struct wire_field field;
	struct wire wire, inner;
	uint64_t value;
	size_t count = 0;

	(void)state;
	wire_init(&wire, BYTES(bytes));
	while (wire_next(&wire, &field)) {
		wire_enter(&inner, &field);
		while (wire_varint(&inner, &value)) {
			assert_int_equal(value, want[count]);
			count++;
		}
		assert_false(inner.bad);
	}
	assert_false(wire.bad);
	assert_int_equal(count, ARRAY_LEN(want));
}

static void cut_numbers_are_bad(void **state)
{
	struct wire wire;
	uint64_t eight;
	uint32_t four;

	(void)state;
	wire_init(&wire, "\1\0\0\0\2\0\0", 7);
	assert_true(wire_fixed32(&wire, &four));
	assert_int_equal(four, 1);
	assert_false(wire_fixed32(&wire, &four));
	assert_true(wire.bad);
	assert_false(wire_varint(&wire, &eight));
	wire_init(&wire, "\1\0\0\0\0\0\0\0\2", 9);
	assert_true(wire_fixed64(&wire, &eight));
	assert_int_equal(eight, 1);
	assert_false(wire_fixed64(&wire, &eight));
	assert_true(wire.bad);
	wire_init(&wire, "", 0);
	assert_false(wire_fixed32(&wire, &four));
	assert_false(wire.bad);
}

static void a_wrong_type_is_bad(void **state)
{
	struct wire_field field;
	struct wire wire;

	(void)state;
	wire_init(&wire, BYTES("\x08\x01\x08\x02"));
	assert_true(wire_next(&wire, &field));
	assert_true(wire_want(&wire, &field, WIRE_VARINT));
	assert_false(wire.bad);
	assert_false(wire_want(&wire, &field, WIRE_LEN));
	assert_true(wire.bad);
	assert_false(wire_next(&wire, &field));
}

/* What graph/wire.h writes is read as it was meant. */
static void written_records_are_read(void **state)
{
	struct wire_field field;
	struct wire wire;
	auto_str struct str out;

	(void)state;
	str_init(&out, 256);
	assert_int_equal(wire_int(&out, 3, UINT64_MAX), 0);
	assert_int_equal(wire_text(&out, WIRE_FIELD_MAX, "name"), 0);
	assert_int_equal(wire_float(&out, 1, 1.0f), 0);
	wire_init(&wire, out.bytes, out.len);
	assert_true(wire_next(&wire, &field));
	assert_true(field.number == 3 && field.value == UINT64_MAX);
	assert_true(wire_next(&wire, &field));
	assert_int_equal(field.number, WIRE_FIELD_MAX);
	assert_true(wire_is(&field, "name"));
	assert_true(wire_next(&wire, &field));
	assert_true(field.type == WIRE_I32 && field.value == 0x3f800000u);
	assert_false(wire_next(&wire, &field));
	assert_false(wire.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_judged),
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(packed_and_single_numbers_read_alike),
		cmocka_unit_test(cut_numbers_are_bad),
		cmocka_unit_test(a_wrong_type_is_bad),
		cmocka_unit_test(written_records_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
