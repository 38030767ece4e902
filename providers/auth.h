/* SPDX-License-Identifier: MIT */
/*
 * providers/auth.h - where the token of a hub comes from.
 *
 * The first of these that is set: $HF_TOKEN; the file $HF_TOKEN_PATH; the
 * file "token" in $HF_HOME, in $XDG_CACHE_HOME/huggingface, or in
 * ~/.cache/huggingface.  As the hub's own tools look for it: "Environment
 * variables" in https://huggingface.co/docs/huggingface_hub.
 */
#ifndef PROVIDERS_AUTH_H
#define PROVIDERS_AUTH_H

#include "base/annot.h"
#include "base/limits.h"
#include "providers/fetch.h"

/*
 * Fills in @auth for the origin of @endpoint; token NULL where there is
 * none.  The token is hidden from the log.  A file that others may write
 * to, or that is no regular file, is refused.  -EINVAL: no such endpoint
 * or token can be; -EPERM: refused; -errno of the file.
 */
int auth_load(const char *endpoint, struct auth *auth) MUST_CHECK;

/*
 * For hubs with other rules.  auth_token_take(): the token is @text, less
 * space at its ends; none where nothing is left.  auth_file_read(): the
 * text of the file @path, into @text of AUTH_FILE_BYTES, which the caller
 * wipes; "" where there is no such file.  Both judge as auth_load().
 */
#define AUTH_FILE_BYTES (TOKEN_BYTES_MAX + 64)
int auth_token_take(struct auth *auth, const char *text) MUST_CHECK;
int auth_file_read(const char *path, char *text) MUST_CHECK;

/* "anon", or 16 hex of SHA-256 of "omnihub" and the token: for the memo. */
#define AUTH_WHO_BYTES 17
int auth_who(const struct auth *auth, char *who) MUST_CHECK;

/* Wipes the token; frees the strings, not @auth. */
void auth_release(struct auth *auth);

#endif
