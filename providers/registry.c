/* SPDX-License-Identifier: MIT */
#include "providers/provider.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "providers/hubs.h"
#include "providers/origin.h"

static const struct {
	const char *name;
	int (*make)(const struct provider_env *env, const char *endpoint,
		    struct provider **out);
} hubs[] = {
	{ "huggingface", hub_huggingface_new },
};

size_t provider_count(void)
{
	return ARRAY_LEN(hubs);
}

const char *provider_name(size_t index)
{
	assert(index < ARRAY_LEN(hubs));
	return hubs[index].name;
}

int provider_new(size_t index, const struct provider_env *env,
		 struct provider **out)
{
	const char *endpoint = NULL, *folder = NULL, *name;
	int r;

	assert(index < ARRAY_LEN(hubs));
	name = hubs[index].name;
	if (env->endpoint)
		endpoint = env->endpoint(env->endpoint_arg, name);
	if (endpoint)
		folder = origin_folder(endpoint);
	r = folder ? hub_local_new(name, folder, out)
		   : hubs[index].make(env, endpoint, out);
	if (r < 0)
		log_error("providers", "%s: cannot serve %s: %s", name,
			  endpoint ? endpoint : "it", strerror(-r));
	return r;
}

void provider_free(struct provider *provider)
{
	if (provider)
		provider->ops->free(provider);
}
