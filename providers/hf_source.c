/* SPDX-License-Identifier: MIT */
#include "providers/hf_source.h"

#include "base/mem.h"
#include "providers/hf_cache_layout.h"

struct hf_source {
	struct source source;
	struct source *network; /* one reference, or NULL */
	char *root;		/* NULL: no download */
	char *where;		/* below the root */
	struct local_stamp stamp;
};

static struct hf_source *hf_of(struct source *source)
{
	return container_of(source, struct hf_source, source);
}

static int hf_source_fetch(struct source *source, uint64_t off, uint64_t len,
			   enum source_urgency urgency, uint64_t deadline_ns,
			   struct source_sink *sink)
{
	struct source *network = hf_of(source)->network;

	if (!network)
		return -ENETUNREACH;
	return network->ops->fetch(network, off, len, urgency, deadline_ns,
				   sink);
}

/* Not the file it was, or gone: the network has it still. */
static int hf_source_open_local(struct source *source)
{
	struct hf_source *hf = hf_of(source);
	struct local_stamp now;
	auto_close int fd = local_open(hf->root, hf->where, &now);

	if (fd < 0)
		return fd;
	return local_stamp_equal(&now, &hf->stamp) ? take_fd(fd) : -ESTALE;
}

static void hf_source_free(struct source *source)
{
	struct hf_source *hf = hf_of(source);

	source_fini(source);
	if (hf->network)
		source_unref(hf->network);
	free(hf->root);
	free(hf->where);
	free(hf);
}

static const struct source_ops downloaded_ops = {
	.fetch = hf_source_fetch,
	.open_local = hf_source_open_local,
	.free = hf_source_free,
};

static const struct source_ops offline_ops = {
	.fetch = hf_source_fetch,
	.free = hf_source_free,
};

/* @where as in struct hf_source; taken on success only. */
static int wrap(const struct hf_source_spec *spec, struct source *network,
		char *where, const struct local_stamp *stamp,
		struct source **out)
{
	struct hf_source *hf = mem_zalloc(sizeof(*hf));
	int r = -ENOMEM;

	if (!hf)
		return -ENOMEM;
	if (where)
		hf->root = mem_strdup(spec->cache_root);
	if (!where || hf->root)
		r = source_init(&hf->source,
				where ? &downloaded_ops : &offline_ops,
				spec->size, &spec->digest, &spec->key,
				spec->label);
	if (r < 0) {
		free(hf->root);
		free(hf);
		return r;
	}
	hf->network = network;
	hf->where = where;
	if (where)
		hf->stamp = *stamp;
	*out = &hf->source;
	return 0;
}

int downloaded_source_new(const struct hf_source_spec *spec, const char *where,
			  const struct local_stamp *stamp,
			  struct source *network, struct source **out)
{
	auto_source struct source *mine = network;
	auto_free char *copy = NULL;
	int r;

	if (!where && network) {
		*out = take_ptr(mine);
		return 0;
	}
	if (where) {
		copy = mem_strdup(where);
		if (!copy)
			return -ENOMEM;
	}
	r = wrap(spec, network, copy, stamp, out);
	if (r < 0)
		return r;
	mine = NULL;
	copy = NULL;
	return 0;
}

int hf_source_new(const struct hf_source_spec *spec, struct source *network,
		  struct source **out)
{
	auto_free char *where = NULL;
	struct local_stamp stamp = { 0 };
	int r = -ENOENT;

	if (spec->cache_root)
		r = hf_cache_blob_find(spec->cache_root, spec->id,
				       &spec->digest, spec->size, &where,
				       &stamp);
	if (r < 0 && r != -ENOENT) {
		source_unref(network);
		return r;
	}
	return downloaded_source_new(spec, where, &stamp, network, out);
}
