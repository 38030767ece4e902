/* SPDX-License-Identifier: MIT */
#include "providers/fetch_headers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"

/* The digits at *@at, past which it moves. */
static int number_take(const char **at, uint64_t max, uint64_t *out)
{
	size_t len = strspn(*at, "0123456789");
	int r = parse_u64(*at, len, max, out);

	*at += len;
	return r < 0 ? -EINVAL : 0;
}

static int expect(const char **at, char c)
{
	if (**at != c)
		return -EINVAL;
	(*at)++;
	return 0;
}

static int unit_take(const char **at)
{
	if (!*at || strncasecmp(*at, "bytes ", 6) != 0)
		return -EINVAL;
	*at += 6;
	return 0;
}

int content_range_parse(const char *text, struct content_range *out)
{
	struct content_range range = { 0 };
	int r = unit_take(&text);

	if (r == 0)
		r = number_take(&text, FILE_BYTES_MAX, &range.first);
	if (r == 0)
		r = expect(&text, '-');
	if (r == 0)
		r = number_take(&text, FILE_BYTES_MAX, &range.last);
	if (r == 0)
		r = expect(&text, '/');
	if (r == 0)
		r = number_take(&text, FILE_BYTES_MAX, &range.total);
	if (r == 0)
		r = expect(&text, '\0');
	if (r < 0 || range.first > range.last || range.last >= range.total)
		return -EINVAL;
	*out = range;
	return 0;
}

int content_range_total(const char *text, uint64_t *out)
{
	int r = unit_take(&text);

	if (r == 0)
		r = expect(&text, '*');
	if (r == 0)
		r = expect(&text, '/');
	if (r == 0)
		r = number_take(&text, FILE_BYTES_MAX, out);
	return r == 0 ? expect(&text, '\0') : r;
}

int retry_after_parse(const char *text, int64_t now_wall_s, uint64_t *wait_s)
{
	const char *at = text;
	size_t digits;
	time_t date;

	if (!text)
		return -EINVAL;
	digits = strspn(text, "0123456789");
	if (digits > 0 && !text[digits]) {
		if (number_take(&at, UINT64_MAX, wait_s) < 0)
			*wait_s = RETRY_AFTER_S_MAX;
	} else {
		date = curl_getdate(text, NULL);
		if (date < 0)
			return -EINVAL;
		*wait_s = date > now_wall_s ? (uint64_t)(date - now_wall_s) : 0;
	}
	*wait_s = u64_min(*wait_s, RETRY_AFTER_S_MAX);
	return 0;
}

/* The value of ";@name=" in one item of a structured field. */
static int parameter_get(const char *item, const char *name, uint64_t *out)
{
	size_t name_len = strlen(name);

	for (const char *at = strchr(item, ';'); at; at = strchr(at, ';')) {
		at++;
		at += strspn(at, " ");
		if (strncmp(at, name, name_len) != 0 || at[name_len] != '=')
			continue;
		at += name_len + 1;
		return number_take(&at, INT32_MAX, out);
	}
	return -EINVAL;
}

int rate_limit_parse(const char *text, uint64_t *remaining, uint64_t *reset_s)
{
	int r;

	if (!text || strchr(text, ','))
		return -EINVAL;
	r = parameter_get(text, "r", remaining);
	return r == 0 ? parameter_get(text, "t", reset_s) : r;
}

static int base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -EINVAL;
}

/* 22 digits and "==", which are 16 bytes and four bits of nothing. */
static int md5_of_base64(const char *text, uint8_t out[MD5_BYTES])
{
	uint32_t bits = 0;
	size_t len = 0;

	for (size_t i = 0; i < 22; i++) {
		int value = base64_value(text[i]);

		if (value < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4)
			out[len++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	return text[22] == '=' && text[23] == '=' ? 0 : -EINVAL;
}

int goog_hash_parse(const char *text, struct digest *out)
{
	struct digest digest = { .kind = DIGEST_MD5 };

	while (text && *text) {
		size_t len = strcspn(text, ",");

		if (len == 4 + 24 && !strncmp(text, "md5=", 4)) {
			int r = md5_of_base64(text + 4, digest.bytes);

			if (r == 0)
				*out = digest;
			return r;
		}
		text += len;
		text += strspn(text, ", ");
	}
	return -EINVAL;
}

int etag_parse(const char *text, char **out)
{
	size_t len;

	if (!text)
		return -EINVAL;
	if (!strncmp(text, "W/", 2))
		text += 2;
	len = strlen(text);
	if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
		text++;
		len -= 2;
	}
	if (len == 0 || len > HTTP_HEADER_BYTES_MAX)
		return -EINVAL;
	*out = mem_strndup(text, len);
	return *out ? 0 : -ENOMEM;
}

/* The value of @name in the query of @url, or NULL. */
static const char *query_get(const char *url, const char *name)
{
	size_t name_len = strlen(name);

	for (const char *at = strchr(url, '?'); at; at = strchr(at, '&')) {
		at++;
		if (!strncasecmp(at, name, name_len) && at[name_len] == '=')
			return at + name_len + 1;
	}
	return NULL;
}

/* "20250102T030405Z" */
static int amz_date_parse(const char *text, int64_t *wall_s)
{
	struct tm tm = { 0 };
	int used = 0;

	if (sscanf(text, "%4d%2d%2dT%2d%2d%2dZ%n", &tm.tm_year, &tm.tm_mon,
		   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
		   &used) != 6 ||
	    used != 16)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*wall_s = timegm(&tm);
	return *wall_s < 0 ? -EINVAL : 0;
}

int signed_url_expiry(const char *url, int64_t *wall_s)
{
	const char *expires = query_get(url, "Expires");
	const char *date = query_get(url, "X-Amz-Date");
	const char *life = query_get(url, "X-Amz-Expires");
	uint64_t seconds;
	int64_t start;

	if (expires && number_take(&expires, INT64_MAX / 2, &seconds) == 0) {
		*wall_s = (int64_t)seconds;
		return 0;
	}
	if (!date || !life || amz_date_parse(date, &start) < 0 ||
	    number_take(&life, INT32_MAX, &seconds) < 0)
		return -ENOENT;
	*wall_s = start + (int64_t)seconds;
	return 0;
}
