/* SPDX-License-Identifier: MIT */
/*
 * providers/kaggle_auth.h - where the credentials of Kaggle come from.
 *
 * The first of these that is set, as Kaggle's own tools look for them
 * (https://github.com/Kaggle/kagglehub, "Authenticate"): the token
 * $KAGGLE_API_TOKEN, or the file ~/.kaggle/access_token; $KAGGLE_USERNAME
 * and $KAGGLE_KEY, or those of kaggle.json, {"username", "key"}, in
 * $KAGGLE_CONFIG_DIR or ~/.kaggle.
 */
#ifndef PROVIDERS_KAGGLE_AUTH_H
#define PROVIDERS_KAGGLE_AUTH_H

#include "base/annot.h"
#include "providers/auth.h"

/* As auth_load(): its arguments, errors and rules. */
int kaggle_auth_load(const char *endpoint, struct auth *auth) MUST_CHECK;

#endif
