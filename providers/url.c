/* SPDX-License-Identifier: MIT */
#include "providers/url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/limits.h"
#include "base/mem.h"

static void curl_text_free(char *text)
{
	curl_free(text);
}
DEFINE_AUTO_PTR(curlu, CURLU, curl_url_cleanup)
DEFINE_AUTO_PTR(curl_text, char, curl_text_free)
#define auto_curlu auto_of(curlu)
#define auto_curl_text auto_of(curl_text)

static bool is_printable(const char *text)
{
	size_t len = strnlen(text, URL_BYTES_MAX + 1);

	if (len == 0 || len > URL_BYTES_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '\\')
			return false;
	return true;
}

static int errno_of_url(CURLUcode code)
{
	switch (code) {
	case CURLUE_OK:
		return 0;
	case CURLUE_OUT_OF_MEMORY:
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

static bool has_part(CURLU *parsed, CURLUPart part)
{
	auto_curl_text char *text = NULL;

	return curl_url_get(parsed, part, &text, 0) == CURLUE_OK;
}

/* As curl reads it; refuses what is not a URL of ours. */
static int check_parsed(CURLU *parsed, bool *secure)
{
	auto_curl_text char *scheme = NULL;
	auto_curl_text char *host = NULL;
	int r = errno_of_url(
		curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0));

	if (r == 0)
		r = errno_of_url(
			curl_url_get(parsed, CURLUPART_HOST, &host, 0));
	if (r < 0)
		return r;
	*secure = !strcmp(scheme, "https");
	if (!*secure && strcmp(scheme, "http") != 0)
		return -EINVAL;
	if (!host[0] || strpbrk(host, "%@/\\ ") ||
	    has_part(parsed, CURLUPART_USER) ||
	    has_part(parsed, CURLUPART_PASSWORD))
		return -EINVAL;
	return 0;
}

static int url_parse(const char *url, CURLU **out, bool *secure)
{
	auto_curlu CURLU *parsed = curl_url();
	int r;

	if (!parsed)
		return -ENOMEM;
	if (!is_printable(url))
		return -EINVAL;
	r = errno_of_url(curl_url_set(parsed, CURLUPART_URL, url, 0));
	if (r == 0)
		r = check_parsed(parsed, secure);
	if (r == 0)
		*out = take_ptr(parsed);
	return r;
}

int url_check(const char *url)
{
	auto_curlu CURLU *parsed = NULL;
	bool secure;

	return url_parse(url, &parsed, &secure);
}

int url_origin(const char *url, char **out)
{
	auto_curlu CURLU *parsed = NULL;
	auto_curl_text char *host = NULL;
	auto_curl_text char *port = NULL;
	bool secure;
	int r = url_parse(url, &parsed, &secure);

	if (r == 0)
		r = errno_of_url(
			curl_url_get(parsed, CURLUPART_HOST, &host, 0));
	if (r == 0)
		r = errno_of_url(curl_url_get(parsed, CURLUPART_PORT, &port,
					      CURLU_DEFAULT_PORT));
	if (r < 0)
		return r;
	for (char *c = host; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	if (!strcmp(port, secure ? "443" : "80"))
		*out = mem_printf("%s://%s", secure ? "https" : "http", host);
	else
		*out = mem_printf("%s://%s:%s", secure ? "https" : "http", host,
				  port);
	return *out ? 0 : -ENOMEM;
}

bool url_same_origin(const char *a, const char *b)
{
	auto_free char *origin_a = NULL;
	auto_free char *origin_b = NULL;

	return url_origin(a, &origin_a) == 0 && url_origin(b, &origin_b) == 0 &&
	       !strcmp(origin_a, origin_b);
}

int url_resolve(const char *base, const char *location, char **out)
{
	auto_curlu CURLU *parsed = NULL;
	auto_curl_text char *text = NULL;
	bool was_secure, secure;
	int r = url_parse(base, &parsed, &was_secure);

	if (r == 0 && !is_printable(location))
		r = -EINVAL;
	if (r == 0)
		r = errno_of_url(
			curl_url_set(parsed, CURLUPART_URL, location, 0));
	if (r == 0)
		r = check_parsed(parsed, &secure);
	if (r == 0 && was_secure && !secure)
		r = -EINVAL;
	if (r == 0)
		r = errno_of_url(
			curl_url_set(parsed, CURLUPART_FRAGMENT, NULL, 0));
	if (r == 0)
		r = errno_of_url(curl_url_get(parsed, CURLUPART_URL, &text, 0));
	if (r == 0 && strlen(text) > URL_BYTES_MAX)
		r = -EINVAL;
	if (r < 0)
		return r;
	*out = mem_strdup(text);
	return *out ? 0 : -ENOMEM;
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

static int append_encoded(struct str *url, const char *text, char kept)
{
	size_t was = url->len;
	int r = 0;

	for (; r == 0 && *text; text++)
		r = is_unreserved(*text) || *text == kept
			    ? str_append_char(url, *text)
			    : str_printf(url, "%%%02X", (unsigned char)*text);
	if (r < 0)
		str_truncate(url, was);
	return r;
}

int url_append_segment(struct str *url, const char *segment)
{
	return append_encoded(url, segment, '\0');
}

int url_append_path(struct str *url, const char *path)
{
	return append_encoded(url, path, '/');
}

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t");
}

/*
 * One parameter (";name" or ";name=value") from its ";".  NULL: malformed.
 * Only the first rel counts (RFC 8288, 3.3).
 */
static const char *link_parameter(const char *at, bool *seen_rel, bool *is_next)
{
	const char *name = skip_space(at + 1);
	size_t name_len = strcspn(name, "=;, \t\"");
	const char *value = skip_space(name + name_len);
	size_t value_len;
	bool quoted;

	if (*value != '=')
		return value;
	value = skip_space(value + 1);
	quoted = *value == '"';
	value += quoted;
	value_len = strcspn(value, quoted ? "\"" : ";, \t");
	if (quoted && value[value_len] != '"')
		return NULL;
	if (name_len == 3 && !strncasecmp(name, "rel", 3) && !*seen_rel) {
		*seen_rel = true;
		*is_next = value_len == 4 && !strncasecmp(value, "next", 4);
	}
	return skip_space(value + value_len + quoted);
}

/* One "<target>; parameters" from @at; its end, or NULL: malformed. */
static const char *link_value(const char *at, const char **target,
			      size_t *target_len, bool *is_next)
{
	bool seen_rel = false;

	*is_next = false;
	if (*at != '<')
		return NULL;
	*target = at + 1;
	*target_len = strcspn(*target, "<>\" ");
	at = *target + *target_len;
	if (*at != '>')
		return NULL;
	at = skip_space(at + 1);
	while (at && *at == ';')
		at = link_parameter(at, &seen_rel, is_next);
	return at;
}

int link_next(const char *header, char **url)
{
	const char *target, *at = skip_space(header);
	size_t target_len;
	bool is_next;

	if (strnlen(header, HTTP_HEADER_BYTES_MAX + 1) > HTTP_HEADER_BYTES_MAX)
		return -EINVAL;
	while (*at) {
		at = link_value(at, &target, &target_len, &is_next);
		if (!at || (*at && *at != ','))
			return -EINVAL;
		if (is_next) {
			*url = mem_strndup(target, target_len);
			return *url ? 0 : -ENOMEM;
		}
		at = skip_space(at + (*at == ','));
	}
	return -ENOENT;
}
