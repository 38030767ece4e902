/* SPDX-License-Identifier: MIT */
/*
 * providers/origin.h - where a file of the Internet is to be got here.
 *
 * Every origin can be replaced (--endpoint): HOST=URL puts URL in place of
 * "https://HOST", the path below stays; HOST=FOLDER reads the path below
 * FOLDER instead.  A hub's own name counts before the host's: it replaces
 * all origins of that hub.  For huggingface.co the name "huggingface" and
 * $HF_ENDPOINT count too; a folder of that name has models as
 * <org>/<model>/, so "resolve/<revision>/" is left out.
 *
 * A hub whose own tree is plain files may also ask for "/<path>", which is
 * below its own endpoint and nowhere else.
 */
#ifndef PROVIDERS_ORIGIN_H
#define PROVIDERS_ORIGIN_H

#include <stdbool.h>

#include "base/annot.h"
#include "providers/provider.h"

/*
 * What to ask for @url, which is a URL of ours or "/<path>": a URL, or
 * "file://" and the absolute path of a file, nothing encoded.  Caller frees
 * *@out.
 *
 * @hub: the name of the hub that asks, or NULL.  -ENOMEM; -EINVAL: not a
 * URL of ours, an endpoint that is none, or a path that would leave the
 * folder, or is below no endpoint.
 */
int origin_url(const struct provider_env *env, const char *hub, const char *url,
	       char **out) MUST_CHECK;

/* The value of --endpoint @hub, or NULL. */
const char *origin_endpoint(const struct provider_env *env, const char *hub);

/* The folder that @endpoint names, or NULL where it is a URL. */
const char *origin_folder(const char *endpoint);

/* The path of an origin_url() that is a file, else NULL. */
const char *origin_file(const char *url);

#endif
