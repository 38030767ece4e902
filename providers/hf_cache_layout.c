/* SPDX-License-Identifier: MIT */
#include "providers/hf_cache_layout.h"

#include <string.h>

#include "base/atomic_file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "providers/huggingface_parse.h"
#include "providers/local_repo.h"
#include "providers/repo_files.h"
#include "providers/repo_name.h"

static const char model_prefix[] = "models--";

int hf_cache_root(char **out)
{
	static const struct {
		const char *variable;
		const char *below;
	} places[] = {
		{ "HF_HUB_CACHE", "" },
		{ "HUGGINGFACE_HUB_CACHE", "" },
		{ "HF_HOME", "/hub" },
		{ "XDG_CACHE_HOME", "/huggingface/hub" },
		{ "HOME", "/.cache/huggingface/hub" },
	};

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const char *value = getenv(places[i].variable);
		auto_free char *folder = NULL;

		if (!value || !*value)
			continue;
		folder = mem_printf("%s%s", value, places[i].below);
		if (!folder)
			return -ENOMEM;
		return local_root_open(folder, out) < 0 ? -ENOENT : 0;
	}
	return -ENOENT;
}

char *hf_cache_model_name(const char *id)
{
	const char *slash = strchr(id, '/');

	if (!slash)
		return mem_printf("%s%s", model_prefix, id);
	return mem_printf("%s%.*s--%s", model_prefix, (int)(slash - id), id,
			  slash + 1);
}

int hf_cache_model_id(const char *name, char **out)
{
	auto_free char *id = NULL;
	const char *dashes;

	if (strncmp(name, model_prefix, sizeof(model_prefix) - 1) != 0)
		return -ENOENT;
	name += sizeof(model_prefix) - 1;
	dashes = strstr(name, "--");
	if (dashes)
		id = mem_printf("%.*s/%s", (int)(dashes - name), name,
				dashes + 2);
	else
		id = mem_strdup(name);
	if (!id)
		return -ENOMEM;
	if (!repo_id_ok(id, true))
		return -ENOENT;
	*out = take_ptr(id);
	return 0;
}

/* Appends the file at @where below @root to @out. */
static int read_below(const char *root, const char *where, struct str *out)
{
	auto_free char *bytes = NULL;
	struct local_stamp stamp;
	auto_close int fd = local_open(root, where, &stamp);
	int r;

	if (fd < 0)
		return fd;
	if (stamp.size > out->len_max)
		return -EFBIG;
	bytes = mem_alloc((size_t)stamp.size + 1);
	if (!bytes)
		return -ENOMEM;
	r = file_pread(fd, 0, (size_t)stamp.size, bytes);
	return r < 0 ? r : str_append(out, bytes, (size_t)stamp.size);
}

/* The commit of @revision, with its NUL in @commit. */
static int ref_read(const char *root, const char *model, const char *revision,
		    char commit[2 * SHA1_BYTES + 1])
{
	auto_free char *where = mem_printf("%s/refs/%s", model, revision);
	auto_str struct str text;
	size_t len;
	int r;

	str_init(&text, REVISION_BYTES_MAX);
	if (!where)
		return -ENOMEM;
	r = read_below(root, where, &text);
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	len = strcspn(str_text(&text), " \t\r\n");
	if (len != 2 * SHA1_BYTES)
		return -ENOENT;
	memcpy(commit, text.bytes, len);
	commit[len] = '\0';
	return commit_ok(commit) ? 0 : -ENOENT;
}

static char *blob_name(const char *model, const struct digest *digest)
{
	char hex[2 * SHA256_BYTES + 1];
	size_t len = digest->kind == DIGEST_SHA256 ? SHA256_BYTES : SHA1_BYTES;

	hex_encode(digest->bytes, len, hex);
	return mem_printf("%s/blobs/%s", model, hex);
}

/* -ENOENT: not there, or not of that size. */
static int blob_find(const char *root, const char *model,
		     const struct digest *digest, uint64_t size, char **where,
		     struct local_stamp *stamp)
{
	auto_free char *name = NULL;

	if (digest->kind == DIGEST_NONE)
		return -ENOENT;
	name = blob_name(model, digest);
	if (!name)
		return -ENOMEM;
	if (local_stat(root, name, stamp) < 0 || stamp->size != size)
		return -ENOENT;
	*where = take_ptr(name);
	return 0;
}

int hf_cache_blob_find(const char *root, const char *id,
		       const struct digest *digest, uint64_t size, char **where,
		       struct local_stamp *stamp)
{
	const char *slash = strchr(id, '/');
	auto_free char *model = hf_cache_model_name(id);
	auto_free char *legacy = hf_cache_model_name(slash ? slash + 1 : id);
	int r;

	if (!model || !legacy)
		return -ENOMEM;
	r = blob_find(root, model, digest, size, where, stamp);
	if (r == -ENOENT) /* asked for by its old id of one part */
		r = blob_find(root, legacy, digest, size, where, stamp);
	return r;
}

/* Adds those files of the listing whose blobs are there. */
static int tree_add(struct local_repo *local, const char *model,
		    const struct repo_files *tree)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < tree->count; i++) {
		const struct repo_file *file = &tree->list[i];
		auto_free char *where = NULL;
		struct local_stamp stamp;

		r = blob_find(local->root, model, &file->digest, file->size,
			      &where, &stamp);
		if (r == 0)
			r = local_repo_add(local, file->path, where,
					   &file->digest, false);
		else if (r == -ENOENT)
			r = 0;
	}
	return r;
}

/* A listing that is not there or makes no sense adds nothing. */
static int tree_read(struct local_repo *local, const char *model,
		     const char *commit)
{
	auto_free char *where = mem_printf("%s/trees/%s.json", model, commit);
	auto_repo_files struct repo_files tree = { 0 };
	auto_str struct str text;
	int r;

	str_init(&text, HUB_JSON_BYTES_MAX);
	if (!where)
		return -ENOMEM;
	r = read_below(local->root, where, &text);
	if (r == 0)
		r = hf_cached_tree_parse(text.bytes, text.len, &tree);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return tree_add(local, model, &tree);
}

static int snapshot_read(struct local_repo *local, const char *model,
			 const char *commit)
{
	auto_free char *where = mem_printf("%s/snapshots/%s", model, commit);
	int r;

	if (!where)
		return -ENOMEM;
	r = tree_read(local, model, commit);
	if (r < 0)
		return r;
	r = local_repo_walk(local, where, "", true);
	if (r == -ENOENT && local->files.count)
		r = 0;
	return r;
}

int hf_cache_repo_open(const char *root, const char *id, const char *revision,
		       struct repo **out)
{
	auto_local_repo struct local_repo *local = NULL;
	auto_free char *model = hf_cache_model_name(id);
	char commit[2 * SHA1_BYTES + 1];
	int r = 0;

	if (!model)
		return -ENOMEM;
	if (commit_ok(revision))
		memcpy(commit, revision, sizeof(commit));
	else
		r = ref_read(root, model, revision, commit);
	if (r == 0)
		r = local_repo_new(root, id, &local);
	if (r == 0)
		r = snapshot_read(local, model, commit);
	if (r < 0)
		return r;
	return local_repo_seal(take_ptr(local), commit, out);
}
