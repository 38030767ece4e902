/* SPDX-License-Identifier: MIT */
#include "providers/web_fact.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"

#define FACT_VERSION 1

void web_fact_release(struct web_fact *fact)
{
	free(fact->etag);
	free(fact->pin);
	*fact = (struct web_fact){ 0 };
}

/*
 * An LFS pointer begins with its version
 * (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
 */
bool web_body_ok(const void *head, size_t len)
{
	static const char pointer[] = "version https://git-lfs";
	static const char mark[] = "\xef\xbb\xbf";
	const char *at = head;
	const char *end = at + len;

	if (len >= sizeof(pointer) - 1 &&
	    !memcmp(head, pointer, sizeof(pointer) - 1))
		return false;
	if (len >= 3 && !memcmp(head, mark, 3))
		at += 3;
	while (at < end && *at && strchr(" \t\r\n", *at))
		at++;
	return at == end || *at != '<';
}

static bool is_text(const char *text)
{
	return text && *text && utf8_valid(text, strlen(text));
}

/* NULL: nothing says which version it is. */
static const char *pin_of(const struct fetch_probe *probe, const char *digest)
{
	const char *texts[] = { digest, probe->etag, probe->away_etag,
				probe->modified };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (is_text(texts[i]))
			return texts[i];
	return NULL;
}

int web_fact_of_probe(const struct fetch_probe *probe, size_t at, bool is_hub,
		      struct web_fact *out)
{
	auto_web_fact struct web_fact fact = { .at = at,
					       .size = probe->size,
					       .digest = probe->digest };
	char text[DIGEST_TEXT];
	const char *pin;

	if (!is_hub && fact.digest.kind == DIGEST_SHA256)
		fact.digest = (struct digest){ .kind = DIGEST_NONE };
	digest_text(&fact.digest, text);
	pin = pin_of(probe, text);
	if (!pin || !web_body_ok(probe->head, probe->head_len))
		return -EIO;
	fact.pin = mem_strdup(pin);
	if (is_text(probe->etag))
		fact.etag = mem_strdup(probe->etag);
	if (!fact.pin || (is_text(probe->etag) && !fact.etag))
		return -ENOMEM;
	*out = fact;
	fact = (struct web_fact){ 0 };
	return 0;
}

static int put_text(struct str *out, const char *name, const char *text)
{
	int r = str_printf(out, ",\"%s\":", name);

	return r < 0 ? r : str_append_json(out, text, strlen(text));
}

int web_fact_encode(const struct web_fact *fact, struct str *out)
{
	char digest[DIGEST_TEXT];
	int r;

	if (fact->missing)
		return str_printf(out, "{\"v\":%d,\"missing\":%d}",
				  FACT_VERSION, -fact->missing);
	digest_text(&fact->digest, digest);
	r = str_printf(out, "{\"v\":%d,\"at\":%zu,\"size\":%ju", FACT_VERSION,
		       fact->at, (uintmax_t)fact->size);
	if (r == 0)
		r = put_text(out, "digest", digest);
	if (r == 0 && fact->etag)
		r = put_text(out, "etag", fact->etag);
	if (r == 0)
		r = put_text(out, "pin", fact->pin);
	return r < 0 ? r : str_append_char(out, '}');
}

static int take_text(const struct json *value, char **out)
{
	const char *text = json_string(value);

	if (!text)
		return 0;
	*out = mem_strdup(text);
	return *out ? 0 : -ENOMEM;
}

static int take_fields(const struct json *root, struct web_fact *fact)
{
	const char *digest = json_string(json_get(root, "digest"));
	uint64_t at;
	int r;

	if (!json_u64(json_get(root, "at"), &at) || at >= WEB_CANDIDATES_MAX ||
	    !json_u64(json_get(root, "size"), &fact->size) ||
	    fact->size > FILE_BYTES_MAX || !digest ||
	    digest_of_text(digest, &fact->digest) < 0)
		return -EBADMSG;
	fact->at = at;
	r = take_text(json_get(root, "etag"), &fact->etag);
	if (r == 0)
		r = take_text(json_get(root, "pin"), &fact->pin);
	return r == 0 && !fact->pin ? -EBADMSG : r;
}

int web_fact_decode(const void *bytes, size_t len, struct web_fact *out)
{
	auto_web_fact struct web_fact fact = { 0 };
	auto_json struct json_doc *doc = NULL;
	const struct json *root;
	uint64_t version, missing;
	int r = json_parse(bytes, len, WEB_FACT_BYTES_MAX, &doc);

	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	root = json_root(doc);
	if (!json_u64(json_get(root, "v"), &version) || version != FACT_VERSION)
		return -EBADMSG;
	if (json_u64(json_get(root, "missing"), &missing))
		fact.missing = missing == EACCES ? -EACCES : -ENOENT;
	else
		r = take_fields(root, &fact);
	if (r < 0)
		return r;
	*out = fact;
	fact = (struct web_fact){ 0 };
	return 0;
}
