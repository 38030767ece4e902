/* SPDX-License-Identifier: MIT */
/*
 * providers/web_fact.h - what was learnt of a file behind a URL.
 *
 * Pure.  For the memo a fact is a JSON object: "v" 1; "at" the candidate
 * that answered, "size", "digest" (as digest_text()), "etag" (or missing),
 * "pin"; or only "v" and "missing", an errno.
 */
#ifndef PROVIDERS_WEB_FACT_H
#define PROVIDERS_WEB_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/str.h"
#include "providers/fetch.h"

struct web_fact {
	int missing; /* -ENOENT or -EACCES: the rest is nothing */
	size_t at;
	uint64_t size;
	struct digest digest;
	char *etag; /* owned, or NULL; for struct http_source_spec */
	char *pin;  /* owned; names this version among all of that URL */
};
void web_fact_release(struct web_fact *fact);
DEFINE_AUTO(web_fact, struct web_fact, web_fact_release)
#define auto_web_fact auto_of(web_fact)

/*
 * Of candidate @at's @probe.  @is_hub: it is one whose word on a SHA-256
 * counts (Hugging Face).  -EIO: the bytes are a web page or a pointer, or
 * nothing pins them; -ENOMEM.
 */
int web_fact_of_probe(const struct fetch_probe *probe, size_t at, bool is_hub,
		      struct web_fact *out) MUST_CHECK;

/* False: a web page, an XML error or an LFS pointer begins like that. */
bool web_body_ok(const void *head, size_t len);

/* Appends.  -ENOMEM, -EFBIG. */
int web_fact_encode(const struct web_fact *fact, struct str *out) MUST_CHECK;

/* -EBADMSG: other bytes than encode() makes; -ENOMEM. */
int web_fact_decode(const void *bytes, size_t len,
		    struct web_fact *out) MUST_CHECK;

#endif
