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
#include "providers/fetch.h"

/*
 * Fills in @auth for the origin of @endpoint; token NULL where there is
 * none.  The token is hidden from the log.  A file that others may write
 * to, or that is no regular file, is refused.  -EINVAL: no such endpoint
 * or token can be; -EPERM: refused; -errno of the file.
 */
int auth_load(const char *endpoint, struct auth *auth) MUST_CHECK;

/* The same of the environment's variable @name alone: $GITHUB_TOKEN. */
int auth_of_variable(const char *name, const char *endpoint,
		     struct auth *auth) MUST_CHECK;

/*
 * Whose answers are remembered together: "anon", or 16 hex of SHA-256 of
 * "omnihub" and the token.
 */
#define AUTH_CREDENTIAL_BYTES 17
int auth_credential(const struct auth *auth,
		    char credential[AUTH_CREDENTIAL_BYTES]) MUST_CHECK;

/* Wipes the token; frees the strings, not @auth. */
void auth_release(struct auth *auth);

#endif
