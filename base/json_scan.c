/* SPDX-License-Identifier: MIT */
#include "base/json_scan.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"

struct scan {
	const char *at;
	const char *end;
	size_t depth;
	size_t values;
	char closers[JSON_DEPTH_MAX]; /* of what is open: '}' or ']' */
	struct json_number *numbers;  /* owned */
	size_t number_count;
	size_t number_cap;
};

/* The next byte without taking it; NUL, which no JSON holds, at the end. */
static char peek(const struct scan *scan)
{
	return scan->at < scan->end ? *scan->at : '\0';
}

static bool take(struct scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

static void skip_space(struct scan *scan)
{
	while (scan->at < scan->end && *scan->at != '\0' &&
	       strchr(" \t\n\r", *scan->at))
		scan->at++;
}

static int scan_word(struct scan *scan, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(scan->end - scan->at) < len ||
	    memcmp(scan->at, word, len) != 0)
		return -EBADMSG;
	scan->at += len;
	return 0;
}

static size_t skip_digits(struct scan *scan)
{
	const char *start = scan->at;

	while (peek(scan) >= '0' && peek(scan) <= '9')
		scan->at++;
	return (size_t)(scan->at - start);
}

static int add_number(struct scan *scan, const struct json_number *number)
{
	if (scan->number_count == scan->number_cap) {
		size_t cap = scan->number_cap > 0 ? 2 * scan->number_cap : 64;
		struct json_number *numbers = mem_resize(scan->numbers, cap,
							 sizeof(*numbers));

		if (!numbers)
			return -ENOMEM;
		scan->numbers = numbers;
		scan->number_cap = cap;
	}
	scan->numbers[scan->number_count++] = *number;
	return 0;
}

/* "." digits and an exponent: true if there was neither. */
static int scan_fraction(struct scan *scan, bool *integer)
{
	*integer = true;
	if (take(scan, '.')) {
		*integer = false;
		if (skip_digits(scan) == 0)
			return -EBADMSG;
	}
	if (take(scan, 'e') || take(scan, 'E')) {
		*integer = false;
		if (!take(scan, '+'))
			take(scan, '-');
		if (skip_digits(scan) == 0)
			return -EBADMSG;
	}
	return 0;
}

static int scan_number(struct scan *scan)
{
	const char *start = scan->at, *digits;
	struct json_number number = { .negative = take(scan, '-') };
	size_t digits_len;
	bool integer;

	digits = scan->at;
	digits_len = skip_digits(scan);
	if (digits_len == 0 || (digits_len > 1 && *digits == '0'))
		return -EBADMSG;
	if (scan_fraction(scan, &integer) < 0 ||
	    scan->at - start > JSON_NUMBER_BYTES_MAX)
		return -EBADMSG;
	number.exact = integer &&
		       parse_u64(digits, digits_len, UINT64_MAX,
				 &number.magnitude) == 0 &&
		       !(number.negative && number.magnitude == 0);
	return add_number(scan, &number);
}

/* The four digits of "\uXXXX"; a negative value: they are not there. */
static int scan_hex4(struct scan *scan)
{
	uint8_t unit[2];

	if (scan->end - scan->at < 4 || hex_decode(scan->at, 2, unit) < 0)
		return -EBADMSG;
	scan->at += 4;
	return unit[0] << 8 | unit[1];
}

/* After "\u": no NUL, and surrogates only in pairs. */
static int scan_unicode(struct scan *scan)
{
	int unit = scan_hex4(scan);

	if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
		return -EBADMSG;
	if (unit < 0xd800 || unit > 0xdbff)
		return 0;
	if (!take(scan, '\\') || !take(scan, 'u'))
		return -EBADMSG;
	unit = scan_hex4(scan);
	return unit >= 0xdc00 && unit <= 0xdfff ? 0 : -EBADMSG;
}

static int scan_escape(struct scan *scan)
{
	char c = peek(scan);

	if (c == '\0' || !strchr("\"\\/bfnrtu", c))
		return -EBADMSG;
	scan->at++;
	return c == 'u' ? scan_unicode(scan) : 0;
}

static int scan_string(struct scan *scan)
{
	if (!take(scan, '"'))
		return -EBADMSG;
	while (!take(scan, '"')) {
		if ((unsigned char)peek(scan) < 0x20)
			return -EBADMSG;
		if (*scan->at++ == '\\' && scan_escape(scan) < 0)
			return -EBADMSG;
	}
	return 0;
}

static int scan_key(struct scan *scan)
{
	skip_space(scan);
	if (scan_string(scan) < 0)
		return -EBADMSG;
	skip_space(scan);
	return take(scan, ':') ? 0 : -EBADMSG;
}

static int open_container(struct scan *scan, char closer)
{
	if (scan->depth == JSON_DEPTH_MAX)
		return -EFBIG;
	scan->closers[scan->depth++] = closer;
	scan->at++;
	return 0;
}

/* A value, or the start of an array or object. */
static int scan_value(struct scan *scan)
{
	if (++scan->values > JSON_VALUES_MAX)
		return -EFBIG;
	switch (peek(scan)) {
	case '{':
		return open_container(scan, '}');
	case '[':
		return open_container(scan, ']');
	case '"':
		return scan_string(scan);
	case 't':
		return scan_word(scan, "true");
	case 'f':
		return scan_word(scan, "false");
	case 'n':
		return scan_word(scan, "null");
	default:
		return scan_number(scan);
	}
}

/* After a value: closes what ends here.  1: another value follows. */
static int scan_between(struct scan *scan)
{
	while (scan->depth > 0) {
		char closer = scan->closers[scan->depth - 1];

		skip_space(scan);
		if (take(scan, ','))
			return closer == '}' && scan_key(scan) < 0 ? -EBADMSG
								   : 1;
		if (!take(scan, closer))
			return -EBADMSG;
		scan->depth--;
	}
	return 0;
}

/* After an opening bracket.  1: it has a first value. */
static int scan_opened(struct scan *scan)
{
	char closer = scan->closers[scan->depth - 1];

	skip_space(scan);
	if (peek(scan) == closer)
		return 0;
	return closer == '}' && scan_key(scan) < 0 ? -EBADMSG : 1;
}

static int scan_document(struct scan *scan)
{
	int r;

	do {
		size_t depth = scan->depth;

		skip_space(scan);
		r = scan_value(scan);
		if (r == 0 && scan->depth > depth)
			r = scan_opened(scan);
		if (r == 0)
			r = scan_between(scan);
	} while (r > 0);
	if (r < 0)
		return r;
	skip_space(scan);
	return scan->at == scan->end ? 0 : -EBADMSG;
}

int json_scan(const void *bytes, size_t len, struct json_number **numbers)
{
	struct scan scan = { .at = bytes, .end = (const char *)bytes + len };
	auto_free struct json_number *owned = NULL;
	int r;

	if (!utf8_valid(bytes, len))
		return -EBADMSG;
	r = scan_document(&scan);
	owned = scan.numbers;
	if (r == 0)
		*numbers = take_ptr(owned);
	return r;
}
