/* SPDX-License-Identifier: MIT */
#include "base/source.h"

#include "base/mem.h"

int source_init(struct source *source, const struct source_ops *ops,
		uint64_t size, const struct digest *digest,
		const struct content_key *key, const char *label)
{
	char *copy = mem_strdup(label);

	if (!copy)
		return -ENOMEM;
	source->ops = ops;
	atomic_init(&source->refs, 1);
	source->size = size;
	source->digest = *digest;
	source->key = *key;
	source->label = copy;
	return 0;
}

void source_fini(struct source *source)
{
	free(take_ptr(source->label));
}

struct source *source_ref(struct source *source)
{
	atomic_fetch_add(&source->refs, 1);
	return source;
}

void source_unref(struct source *source)
{
	if (source && atomic_fetch_sub(&source->refs, 1) == 1)
		source->ops->free(source);
}
