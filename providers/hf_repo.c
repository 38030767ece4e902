/* SPDX-License-Identifier: MIT */
#include "providers/hf_hub.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "providers/hf_source.h"
#include "providers/url.h"

struct hf_repo {
	struct repo repo;
	struct hf_hub *hub; /* outlives it */
};

static struct hf_repo *hf_of(struct repo *repo)
{
	return container_of(repo, struct hf_repo, repo);
}

/* Independent of the endpoint: mirrors have the same bytes. */
static int file_key(const struct repo *repo, const struct repo_file *file,
		    struct content_key *key)
{
	char oid[DIGEST_TEXT];
	auto_free char *pin = NULL;

	digest_text(&file->digest, oid);
	pin = mem_printf("huggingface:%s@%s/%s:%ju:%s", repo->id,
			 repo->revision, file->path, (uintmax_t)file->size,
			 oid);
	return pin ? content_key_make(&file->digest, pin, key) : -ENOMEM;
}

static int file_url(struct hf_repo *hf, const char *path, struct str *url)
{
	int r = str_printf(url, "%s/%s/resolve/%s/", hf->hub->endpoint,
			   hf->repo.id, hf->repo.revision);

	return r < 0 ? r : url_append_path(url, path);
}

/* *@out stays NULL where there is no network. */
static int network_source(struct hf_repo *hf, const struct hf_source_spec *spec,
			  const char *path, struct source **out)
{
	auto_str struct str url;
	int r;

	str_init(&url, URL_BYTES_MAX);
	if (hf->hub->offline)
		return 0;
	r = file_url(hf, path, &url);
	if (r < 0)
		return r;
	return http_source_new(
		&(struct http_source_spec){
			.fetcher = hf->hub->env.fetcher,
			.url = str_text(&url),
			.auth = &hf->hub->auth,
			.size = spec->size,
			.digest = spec->digest,
			.key = spec->key,
			.label = spec->label,
		},
		out);
}

static int hf_repo_source(struct repo *repo, size_t index, struct source **out)
{
	struct hf_repo *hf = hf_of(repo);
	const struct repo_file *file = &repo->files[index];
	auto_free char *label = mem_printf("%s/%s", repo->id, file->path);
	struct hf_source_spec spec = {
		.cache_root = hf->hub->cache_root,
		.id = repo->id,
		.size = file->size,
		.digest = file->digest,
		.label = label,
	};
	struct source *network = NULL;
	int r;

	if (!label)
		return -ENOMEM;
	r = file_key(repo, file, &spec.key);
	if (r == 0)
		r = network_source(hf, &spec, file->path, &network);
	return r < 0 ? r : hf_source_new(&spec, network, out);
}

static void hf_repo_free(struct repo *repo)
{
	repo_fini(repo);
	free(hf_of(repo));
}

static const struct repo_ops hf_repo_ops = {
	.source = hf_repo_source,
	.free = hf_repo_free,
};

static int copy_text(const char *from, char **to)
{
	if (!from)
		return 0;
	*to = mem_strdup(from);
	return *to ? 0 : -ENOMEM;
}

int hf_repo_new(struct hf_hub *hub, const struct repo *info, struct repo *tree,
		struct repo **out)
{
	struct hf_repo *hf = mem_zalloc(sizeof(*hf));
	auto_repo struct repo *repo = NULL;

	if (!hf)
		return -ENOMEM;
	hf->hub = hub;
	repo = &hf->repo;
	repo_init(repo, &hf_repo_ops);
	if (copy_text(info->id, &repo->id) < 0 ||
	    copy_text(info->revision, &repo->revision) < 0 ||
	    copy_text(info->licence, &repo->licence) < 0 ||
	    copy_text(info->pipeline_tag, &repo->pipeline_tag) < 0)
		return -ENOMEM;
	repo->url = mem_printf("%s/%s", hub->endpoint, info->id);
	if (!repo->url)
		return -ENOMEM;
	repo->modified_wall_s = info->modified_wall_s;
	repo->gated = info->gated;
	repo->files = take_ptr(tree->files);
	repo->file_count = tree->file_count;
	tree->file_count = 0;
	*out = take_ptr(repo);
	return 0;
}
