/* SPDX-License-Identifier: MIT */
/*
 * providers/fetch_errno.h - the one place where HTTP and curl become errno.
 */
#ifndef PROVIDERS_FETCH_ERRNO_H
#define PROVIDERS_FETCH_ERRNO_H

#include <stdbool.h>

#include <curl/curl.h>

/*
 * 0 for 200 and 206.  @error_code (X-Error-Code, or NULL) counts before the
 * status: GatedRepo -EACCES; EntryNotFound, RevisionNotFound, RepoNotFound
 * -ENOENT (https://huggingface.co/docs/huggingface_hub, HfHubHTTPError).
 * -EAGAIN: it may be better later.
 */
int errno_of_status(long status, const char *error_code);

/* -EAGAIN: it may be better later; -ETIMEDOUT; -EIO: it will not be. */
int errno_of_curl(CURLcode code);

/* The name was not found: rarely better later. */
bool curl_failed_lookup(CURLcode code);

/*
 * What is said of a file that none of its places gave: @before, of those asked
 * so far (0: of none), or @error, of the next.  "It is not here" says least,
 * then "not for you"; trouble says most, since it may pass; of two that say as
 * much it is the first.
 */
int errno_of_places(int before, int error);

#endif
