/* SPDX-License-Identifier: MIT */
/*
 * providers/fetch.h - HTTP, as providers need it.  Sole user of libcurl.
 *
 * One thread drives curl's multi interface.  Redirects are followed by
 * hand: the token goes to its own origin only, and the last URL of another
 * origin (a signed one) is told to the caller, who may start there next
 * time.  Every answer is checked (status, Content-Range, length, ETag,
 * encoding) before a byte of it is given away; retries with back-off, 429,
 * Retry-After and RateLimit are handled here, inside the deadline.
 *
 * What is decided is pure and stands in fetch_policy.h.
 *
 * Threads: any; callbacks come on the fetch thread and must not block.
 */
#ifndef PROVIDERS_FETCH_H
#define PROVIDERS_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/source.h"
#include "base/str.h"
#include "providers/provider.h"

/*
 * A token and the one origin (scheme, host, port) that may see it.
 * Immutable once shared.
 */
struct auth {
	char *origin; /* "https://huggingface.co"; owned */
	char *token;  /* owned; NULL: anonymous */
	bool basic;   /* it is base64 of "user:key", not a bearer's */
};

/* What an answer said of itself, beside its bytes; strings owned, or NULL. */
struct fetch_reply {
	long status;
	char *url;		/* the last one, after redirects */
	char *location;		/* of a redirect that was not followed */
	char *link;		/* Link header */
	char *error_code;	/* X-Error-Code */
	char *error_message;	/* X-Error-Message */
	char *repo_commit;	/* X-Repo-Commit */
	char *etag;		/* without W/ and quotes */
	bool negative_cachable; /* a 404 that holds for this commit */
};
void fetch_reply_release(struct fetch_reply *reply);
DEFINE_AUTO(fetch_reply, struct fetch_reply, fetch_reply_release)
#define auto_fetch_reply auto_of(fetch_reply)

/*
 * Gets a text (JSON), waiting for it on the calling thread.  @auth may be
 * NULL.  @body is appended to, within its bound; *@reply is zeroed before
 * and filled also on failure as far as known.  Follows redirects within
 * the origin.  The errno of a status is that of fetch_errno.h.
 */
int fetch_text(struct fetcher *fetcher, const char *url,
	       const struct auth *auth, uint64_t deadline_ns, struct str *body,
	       struct fetch_reply *reply) MUST_CHECK;

/*
 * What a file behind a URL is, from its first bytes; see fetch_probe().
 * Strings owned, or NULL.
 */
struct fetch_probe {
	uint64_t size; /* exact */

	/* SHA-256 (X-Linked-ETag) or MD5 (x-goog-hash), or NONE. */
	struct digest digest;
	char *etag;	 /* by which the URL's own origin names it */
	char *away_etag; /* by which a host it sent us to does */
	char *modified;	 /* Last-Modified of who gave the bytes */
	uint8_t head[FETCH_PROBE_BYTES];
	size_t head_len; /* all of a file that is smaller */
};
void fetch_probe_release(struct fetch_probe *probe);
DEFINE_AUTO(fetch_probe, struct fetch_probe, fetch_probe_release)
#define auto_fetch_probe auto_of(fetch_probe)

/*
 * Asks for the first bytes of @url, waiting on the calling thread: not all
 * hosts answer HEAD, and none of a signed URL does.  Follows redirects to
 * other origins too.  @auth may be NULL.  Errors as fetch_text(); -EIO:
 * also what has no size, or is empty.
 */
int fetch_probe(struct fetcher *fetcher, const char *url,
		const struct auth *auth, uint64_t deadline_ns,
		struct fetch_probe *out) MUST_CHECK;

/*
 * The bytes of a file behind a URL of a hub, as a source.  Copies all
 * arguments but @auth and @fetcher, which outlive it.
 *
 * @url is where to start each time no signed URL is known.  Every range
 * must be served as 206 with the right Content-Range and total @size.
 */
struct http_source_spec {
	struct fetcher *fetcher;
	const char *url;
	const struct auth *auth; /* or NULL */
	uint64_t size;
	struct digest digest;
	struct content_key key;
	const char *label;
	const char *etag; /* of a probe; another is -ESTALE.  NULL: any one */
};
int http_source_new(const struct http_source_spec *spec,
		    struct source **out) MUST_CHECK;

#endif
