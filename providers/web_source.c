/* SPDX-License-Identifier: MIT */
/* The bytes of a file that was found: a folder's, a download's, a host's. */
#include "providers/web_place.h"

#include "base/limits.h"
#include "providers/fallback_source.h"
#include "providers/fetch.h"
#include "providers/hf_source.h"
#include "providers/origin.h"

static int remote_source(const struct provider_env *env,
			 const struct web_place *place, const char *url,
			 const char *label, struct source **out)
{
	return http_source_new(
		&(struct http_source_spec){
			.fetcher = env->fetcher,
			.url = url,
			.size = place->size,
			.digest = place->digest,
			.key = place->key,
			.label = label,
			.etag = place->etag,
		},
		out);
}

/* The first of the candidates that has it; NULL where there is no network. */
static int network_source(const struct provider_env *env,
			  const struct web_place *place, const char *label,
			  struct source **out)
{
	struct source *sources[WEB_CANDIDATES_MAX];
	size_t count = 0;
	int r = 0;

	if (env->offline || !env->fetcher)
		return 0;
	while (r == 0 && count < place->url_count) {
		r = remote_source(env, place, place->urls[count], label,
				  &sources[count]);
		count += r == 0;
	}
	if (r == 0 && count > 1)
		return fallback_source_new(sources, count, out);
	if (r == 0)
		*out = sources[0];
	for (size_t i = 0; r < 0 && i < count; i++)
		source_unref(sources[i]);
	return r;
}

int web_place_source(const struct provider_env *env,
		     const struct web_place *place, const char *label,
		     struct source **out)
{
	struct hf_source_spec spec = {
		.cache_root = "/",
		.size = place->size,
		.digest = place->digest,
		.key = place->key,
		.label = label,
	};
	struct source *network = NULL;
	int r;

	if (place->local)
		return local_source_new("/", origin_file(place->urls[0]),
					&place->stamp, &place->digest, label,
					out);
	r = network_source(env, place, label, &network);
	return r < 0 ? r
		     : downloaded_source_new(&spec, place->download,
					     &place->stamp, network, out);
}
