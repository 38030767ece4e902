/* SPDX-License-Identifier: MIT */
#include "providers/github_repo.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "providers/fetch.h"
#include "providers/hf_source.h"
#include "providers/local_file.h"
#include "providers/origin.h"
#include "providers/url.h"

#define RAW "https://raw.githubusercontent.com"

struct github_repo {
	struct repo repo;
	struct github *github; /* outlives it */
	char *name;	       /* "owner/repo"; owned */
};

static struct github_repo *github_of(struct repo *repo)
{
	return container_of(repo, struct github_repo, repo);
}

/* Where the file is to be got here. */
static int file_url(const struct github_repo *of, const char *path, char **out)
{
	auto_str struct str url;
	int r;

	str_init(&url, URL_BYTES_MAX);
	r = str_printf(&url, RAW "/%s/%s/", of->name, of->repo.revision);
	if (r == 0)
		r = url_append_path(&url, path);
	return r < 0 ? r
		     : origin_url(of->github->env, "pytorch", str_text(&url),
				  out);
}

/* Independent of where it is got: git's digest names the bytes. */
static int file_key(const struct github_repo *of, const struct repo_file *file,
		    struct content_key *key)
{
	char oid[DIGEST_TEXT];
	auto_free char *pin = NULL;

	digest_text(&file->digest, oid);
	pin = mem_printf("github:%s@%s/%s:%ju:%s", of->name, of->repo.revision,
			 file->path, (uintmax_t)file->size, oid);
	return pin ? content_key_make(&file->digest, pin, key) : -ENOMEM;
}

static int folder_source(const char *path, const struct repo_file *file,
			 const char *label, struct source **out)
{
	struct local_stamp stamp;
	auto_close int fd = local_open("/", path, &stamp);

	if (fd < 0)
		return fd;
	return stamp.size == file->size
		       ? local_source_new("/", path, &stamp, &file->digest,
					  label, out)
		       : -EIO;
}

static int network_source(const struct provider_env *env, const char *url,
			  const struct hf_source_spec *spec,
			  struct source **out)
{
	if (env->offline || !env->fetcher)
		return hf_source_new(spec, NULL, out);
	return http_source_new(
		&(struct http_source_spec){
			.fetcher = env->fetcher,
			.url = url,
			.size = spec->size,
			.digest = spec->digest,
			.key = spec->key,
			.label = spec->label,
		},
		out);
}

static int github_source(struct repo *repo, size_t index, struct source **out)
{
	struct github_repo *of = github_of(repo);
	const struct repo_file *file = &repo->files[index];
	auto_free char *label = mem_printf("%s/%s", repo->id, file->path);
	auto_free char *url = NULL;
	struct hf_source_spec spec = {
		.id = of->name,
		.size = file->size,
		.digest = file->digest,
		.label = label,
	};
	int r = label ? file_url(of, file->path, &url) : -ENOMEM;

	if (r == 0 && origin_file(url))
		return folder_source(origin_file(url), file, label, out);
	if (r == 0)
		r = file_key(of, file, &spec.key);
	return r < 0 ? r : network_source(of->github->env, url, &spec, out);
}

static void github_free(struct repo *repo)
{
	struct github_repo *of = github_of(repo);

	repo_fini(repo);
	free(of->name);
	free(of);
}

static const struct repo_ops github_repo_ops = {
	.source = github_source,
	.free = github_free,
};

int github_repo_new(struct github *github, const char *id, const char *sha,
		    struct repo *tree, struct repo **out)
{
	struct github_repo *of = mem_zalloc(sizeof(*of));
	auto_repo struct repo *repo = NULL;

	if (!of)
		return -ENOMEM;
	of->github = github;
	repo = &of->repo;
	repo_init(repo, &github_repo_ops);
	repo->kind = "torch-hub";
	of->name = mem_strdup(id);
	repo->id = mem_printf("hub/%s", id);
	repo->revision = mem_strdup(sha);
	repo->url = mem_printf("https://github.com/%s/tree/%s", id, sha);
	if (!of->name || !repo->id || !repo->revision || !repo->url)
		return -ENOMEM;
	repo->files = take_ptr(tree->files);
	repo->file_count = tree->file_count;
	tree->file_count = 0;
	*out = take_ptr(repo);
	return 0;
}
