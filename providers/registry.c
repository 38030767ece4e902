/* SPDX-License-Identifier: MIT */
#include "providers/provider.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "providers/hubs.h"
#include "providers/origin.h"

/* A hub of models, which a folder can be too; the others are tables. */
static const struct {
	const char *name;
	bool local; /* hub_local.c serves a folder */
	int (*make)(const struct provider_env *env, const char *endpoint,
		    struct provider **out);
} hubs[] = {
	{ "huggingface", true, hub_huggingface_new },
	{ "onnx", false, hub_onnx_new },
	{ "pytorch", false, hub_pytorch_new },
	{ "tensorflow", false, hub_tensorflow_new },
	{ "keras", false, hub_keras_new },
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
	const char *endpoint, *folder = NULL, *name;
	int r;

	assert(index < ARRAY_LEN(hubs));
	name = hubs[index].name;
	endpoint = origin_endpoint(env, name);
	if (endpoint && hubs[index].local)
		folder = origin_folder(endpoint);
	r = folder ? hub_local_new(name, folder, out)
		   : hubs[index].make(env, endpoint, out);
	if (r < 0)
		log_error("providers", "%s: cannot serve %s: %s", name,
			  endpoint ? endpoint : "it", strerror(-r));
	return r;
}

int provider_new_named(const char *name, const struct provider_env *env,
		       struct provider **out)
{
	for (size_t i = 0; i < ARRAY_LEN(hubs); i++)
		if (!strcmp(hubs[i].name, name))
			return provider_new(i, env, out);
	return -ENOENT;
}

void provider_free(struct provider *provider)
{
	if (provider)
		provider->ops->free(provider);
}
