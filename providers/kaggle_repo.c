/* SPDX-License-Identifier: MIT */
#include "providers/kaggle_hub.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "providers/hf_source.h"
#include "providers/url.h"

struct kaggle_repo {
	struct repo repo;
	struct kaggle_hub *hub; /* outlives it */
	char *bundle;		/* what KAGGLE_BUNDLE is: a file, or ""; NULL */
};

static struct kaggle_repo *kaggle_of(struct repo *repo)
{
	return container_of(repo, struct kaggle_repo, repo);
}

/*
 * Always by file, where Kaggle's own clients take the archive of a model
 * of more than a page of files: of an archive no range can be had.
 */
static int file_url(const struct kaggle_repo *kaggle, const char *path,
		    struct str *url)
{
	const char *handle = kaggle->repo.url + strlen(KAGGLE_PAGES);
	int r = str_printf(url, "%s/models/%s/download", kaggle->hub->api,
			   handle);

	path = kaggle->bundle ? kaggle->bundle : path + strlen(KAGGLE_FOLDER);
	if (r == 0 && *path)
		r = str_append_char(url, '/');
	return r < 0 ? r : url_append_path(url, path);
}

/* Versions never change: a handle names the bytes, on mirrors too. */
static int file_key(const struct repo *repo, const struct repo_file *file,
		    struct content_key *key)
{
	char digest[DIGEST_TEXT];
	auto_free char *pin = NULL;

	digest_text(&file->digest, digest);
	pin = mem_printf("kaggle:%s@%s/%s:%ju:%s", repo->id, repo->revision,
			 file->path, (uintmax_t)file->size, digest);
	return pin ? content_key_make(&file->digest, pin, key) : -ENOMEM;
}

/* *@out stays NULL where there is no network. */
static int network_source(struct kaggle_repo *kaggle,
			  const struct hf_source_spec *spec, const char *path,
			  struct source **out)
{
	auto_str struct str url;
	int r;

	str_init(&url, URL_BYTES_MAX);
	if (kaggle->hub->offline)
		return 0;
	r = file_url(kaggle, path, &url);
	if (r < 0)
		return r;
	return http_source_new(
		&(struct http_source_spec){
			.fetcher = kaggle->hub->env.fetcher,
			.url = str_text(&url),
			.auth = &kaggle->hub->auth,
			.size = spec->size,
			.digest = spec->digest,
			.key = spec->key,
			.label = spec->label,
		},
		out);
}

static int kaggle_repo_source(struct repo *repo, size_t index,
			      struct source **out)
{
	struct kaggle_repo *kaggle = kaggle_of(repo);
	const struct repo_file *file = &repo->files[index];
	auto_free char *label = mem_printf("%s/%s", repo->id, file->path);
	struct hf_source_spec spec = {
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
		r = network_source(kaggle, &spec, file->path, &network);
	return r < 0 ? r : hf_source_new(&spec, network, out);
}

static void kaggle_repo_free(struct repo *repo)
{
	struct kaggle_repo *kaggle = kaggle_of(repo);

	repo_fini(repo);
	free(kaggle->bundle);
	free(kaggle);
}

static const struct repo_ops kaggle_repo_ops = {
	.source = kaggle_repo_source,
	.free = kaggle_repo_free,
};

static int name_fill(struct kaggle_repo *kaggle, const struct kaggle_name *name,
		     const char *bundle)
{
	struct repo *repo = &kaggle->repo;

	repo->id = mem_printf("%s/%s/%s/%s", name->owner, name->model,
			      name->framework, name->variation);
	repo->revision = mem_printf("%s%s", name->version,
				    bundle ? "-bundle" : "");
	if (!repo->id || !repo->revision)
		return -ENOMEM;
	repo->url = mem_printf(KAGGLE_PAGES "%s/%s", repo->id, name->version);
	if (bundle)
		kaggle->bundle = mem_strdup(bundle);
	return repo->url && (kaggle->bundle || !bundle) ? 0 : -ENOMEM;
}

int kaggle_repo_new(struct kaggle_hub *hub, const struct kaggle_name *name,
		    struct repo *tree, const char *bundle, bool gated,
		    struct repo **out)
{
	struct kaggle_repo *kaggle = mem_zalloc(sizeof(*kaggle));
	auto_repo struct repo *repo = NULL;
	int r;

	if (!kaggle)
		return -ENOMEM;
	kaggle->hub = hub;
	repo = &kaggle->repo;
	repo_init(repo, &kaggle_repo_ops);
	repo->kind = "saved-model";
	repo->files_dir = "";
	repo->gated = gated;
	r = name_fill(kaggle, name, bundle);
	if (r == 0)
		r = kaggle_facts(hub, name, repo);
	if (r < 0)
		return r;
	repo->files = take_ptr(tree->files);
	repo->file_count = tree->file_count;
	tree->file_count = 0;
	*out = take_ptr(repo);
	return 0;
}
