/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <errno.h>

int parse_u64(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (len == 0 || (len > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (!u64_mul(value, 10, &value) ||
		    !u64_add(value, (uint64_t)(text[i] - '0'), &value))
			return -ERANGE;
	if (value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

/* "", "K", "KiB" ... as a factor; 0: none of these. */
static uint64_t unit_of(const char *suffix)
{
	static const char letters[] = "KMGTP";
	const char *letter;

	if (*suffix == '\0')
		return 1;
	letter = strchr(letters, *suffix & ~0x20);
	if (!letter || !*letter)
		return 0;
	if (suffix[1] != '\0' && strcmp(suffix + 1, "iB") != 0)
		return 0;
	return 1024ULL << 10 * (letter - letters);
}

/* At most three digits: 999 of the largest unit cannot overflow. */
static int parse_fraction(const char *digits, size_t len, uint64_t unit,
			  uint64_t *out)
{
	uint64_t thousandths = 0;

	if (len == 0 || len > 3 || unit == 1)
		return -EINVAL;
	for (size_t i = 0; i < 3; i++)
		thousandths = 10 * thousandths +
			      (i < len ? (uint64_t)(digits[i] - '0') : 0);
	*out = unit * thousandths / 1000;
	return 0;
}

int parse_size(const char *text, uint64_t *out)
{
	static const char digits[] = "0123456789";
	size_t whole_len = strspn(text, digits);
	const char *rest = text + whole_len;
	const char *dot = *rest == '.' ? rest : NULL;
	size_t fraction_len = dot ? strspn(dot + 1, digits) : 0;
	uint64_t unit = unit_of(dot ? dot + 1 + fraction_len : rest);
	uint64_t whole, fraction = 0;
	int r;

	if (unit == 0)
		return -EINVAL;
	r = parse_u64(text, whole_len, UINT64_MAX, &whole);
	if (r == 0 && dot)
		r = parse_fraction(dot + 1, fraction_len, unit, &fraction);
	if (r < 0)
		return r;
	if (!u64_mul(whole, unit, &whole) || !u64_add(whole, fraction, &whole))
		return -ERANGE;
	*out = whole;
	return 0;
}

/* RFC 3629, section 4: the second byte excludes overlong forms, surrogates. */
size_t utf8_step(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	uint8_t low = 0x80, high = 0xbf;
	size_t step;

	if (len == 0)
		return 0;
	if (b[0] < 0x80)
		return 1;
	if (b[0] < 0xc2 || b[0] > 0xf4)
		return 0;
	step = b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
	if (b[0] == 0xe0)
		low = 0xa0;
	else if (b[0] == 0xed)
		high = 0x9f;
	else if (b[0] == 0xf0)
		low = 0x90;
	else if (b[0] == 0xf4)
		high = 0x8f;
	if (len < step || b[1] < low || b[1] > high)
		return 0;
	for (size_t i = 2; i < step; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	return step;
}

bool utf8_valid(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t at = 0, step; at < len; at += step) {
		step = utf8_step(b + at, len - at);
		if (step == 0)
			return false;
	}
	return true;
}
