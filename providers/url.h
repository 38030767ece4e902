/* SPDX-License-Identifier: MIT */
/*
 * providers/url.h - URLs, read strictly and never built by hand.
 *
 * Pure.  A URL of ours is absolute, http or https, with a host and without
 * user or password, in printable ASCII, of at most URL_BYTES_MAX bytes; all
 * else is refused.  An origin is scheme, host and port, in lower case, the
 * port left out where it is the scheme's own: "https://huggingface.co".
 */
#ifndef PROVIDERS_URL_H
#define PROVIDERS_URL_H

#include <stdbool.h>

#include "base/annot.h"
#include "base/str.h"

/* 0; -EINVAL: not a URL of ours; -ENOMEM. */
int url_check(const char *url) MUST_CHECK;

/* Caller frees *@out.  -EINVAL, -ENOMEM. */
int url_origin(const char *url, char **out) MUST_CHECK;

/* False also where one is no URL of ours. */
bool url_same_origin(const char *a, const char *b);

/*
 * Where @location, an answer of @base, leads; caller frees *@out.
 * -EINVAL: not a URL of ours, or from https down to http.  -ENOMEM.
 */
int url_resolve(const char *base, const char *location, char **out) MUST_CHECK;

/*
 * Appends, with all but A-Z a-z 0-9 - . _ ~ percent-encoded; a path keeps
 * its "/" too.  -ENOMEM, -EFBIG.
 */
int url_append_segment(struct str *url, const char *segment) MUST_CHECK;
int url_append_path(struct str *url, const char *path) MUST_CHECK;

/*
 * The target with rel="next" of a Link header (RFC 8288); caller frees.
 * -ENOENT: there is none; -EINVAL: malformed; -ENOMEM.
 */
int link_next(const char *header, char **url) MUST_CHECK;

#endif
