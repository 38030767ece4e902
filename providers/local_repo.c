/* SPDX-License-Identifier: MIT */
#include "providers/local_repo.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"

static void close_dir(DIR *dir)
{
	closedir(dir);
}
DEFINE_AUTO_PTR(dir, DIR, close_dir)
#define auto_dir auto_of(dir)

static struct local_repo *local_of(struct repo *repo)
{
	return container_of(repo, struct local_repo, repo);
}

static int local_repo_source(struct repo *repo, size_t index,
			     struct source **out)
{
	struct local_repo *local = local_of(repo);
	const struct local_place *place = local->places[index];
	const struct repo_file *file = &repo->files[index];
	auto_free char *label = mem_printf("%s/%s", repo->id, file->path);

	if (!label)
		return -ENOMEM;
	return local_source_new(local->root, place->where, &place->stamp,
				&file->digest, label, out);
}

static void place_free(struct local_place *place)
{
	free(place->where);
	free(place);
}
DEFINE_AUTO_PTR(place, struct local_place, place_free)
#define auto_place auto_of(place)

void local_repo_free(struct local_repo *local)
{
	const struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&local->by_path, &at)))
		place_free(slot->value);
	map_release(&local->by_path);
	repo_files_release(&local->files);
	repo_fini(&local->repo);
	free(local->places);
	free(local->root);
	free(local);
}

static void local_repo_last_unref(struct repo *repo)
{
	local_repo_free(local_of(repo));
}

static const struct repo_ops local_repo_ops = {
	.source = local_repo_source,
	.free = local_repo_last_unref,
};

int local_repo_new(const char *root, const char *id, struct local_repo **out)
{
	auto_local_repo struct local_repo *local = mem_zalloc(sizeof(*local));

	if (!local)
		return -ENOMEM;
	repo_init(&local->repo, &local_repo_ops);
	repo_files_init(&local->files);
	map_init(&local->by_path);
	local->root = mem_strdup(root);
	local->repo.id = mem_strdup(id);
	if (!local->root || !local->repo.id)
		return -ENOMEM;
	*out = take_ptr(local);
	return 0;
}

/* "../../blobs/<hash>" names the digest of what it points to. */
static struct digest digest_of_link(const char *root, const char *where)
{
	auto_free char *full = mem_printf("%s/%s", root, where);
	struct digest digest = { .kind = DIGEST_NONE };
	char target[PATH_MAX];
	const char *name;
	ssize_t len;

	len = full ? readlink(full, target, sizeof(target) - 1) : -1;
	if (len < 0)
		return digest;
	target[len] = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	if (digest_parse(name, strlen(name), &digest) < 0)
		digest.kind = DIGEST_NONE;
	return digest;
}

int local_repo_add(struct local_repo *local, const char *path,
		   const char *where, const struct digest *digest,
		   bool names_digest)
{
	auto_place struct local_place *place = NULL;
	struct digest found = { .kind = DIGEST_NONE };
	struct local_stamp stamp;
	int r;

	if (!repo_path_ok(path, strlen(path)) ||
	    map_get(&local->by_path, path) ||
	    local_stat(local->root, where, &stamp) < 0)
		return 0;
	if (digest)
		found = *digest;
	else if (names_digest)
		found = digest_of_link(local->root, where);
	place = mem_zalloc(sizeof(*place));
	if (!place)
		return -ENOMEM;
	place->stamp = stamp;
	place->where = mem_strdup(where);
	if (!place->where)
		return -ENOMEM;
	r = repo_files_add(&local->files, path, strlen(path), stamp.size,
			   &found);
	if (r == 0)
		r = map_add(&local->by_path, path, place);
	if (r < 0)
		return r;
	place = NULL;
	return 0;
}

/* Folders that tools keep their own things in: git, downloads' metadata. */
static bool is_private(const char *folder, const char *name)
{
	return !*folder && (!strcmp(name, ".git") || !strcmp(name, ".cache"));
}

struct walk {
	struct local_repo *local;
	const char *base; /* below the root */
	const char *above;
	bool names_digest;
	unsigned int depth;
};

static int walk_folder(struct walk *walk, const char *folder);

/* @folder and @path are below the base; @folder is "" for the base itself. */
static int walk_entry(struct walk *walk, const char *folder,
		      const struct dirent *entry)
{
	auto_free char *path = NULL, *where = NULL, *full = NULL, *as = NULL;
	struct stat st;

	if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
	    is_private(folder, entry->d_name))
		return 0;
	path = mem_printf("%s%s%s", folder, *folder ? "/" : "", entry->d_name);
	where = path ? mem_printf("%s/%s", walk->base, path) : NULL;
	full = where ? mem_printf("%s/%s", walk->local->root, where) : NULL;
	as = full ? mem_printf("%s%s", walk->above, path) : NULL;
	if (!as)
		return -ENOMEM;
	if (lstat(full, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return walk_folder(walk, path);
	return local_repo_add(walk->local, as, where, NULL, walk->names_digest);
}

static int walk_folder(struct walk *walk, const char *folder)
{
	auto_free char *full = mem_printf("%s/%s/%s", walk->local->root,
					  walk->base, folder);
	auto_dir DIR *dir = NULL;
	const struct dirent *entry;
	int r = 0;

	if (!full)
		return -ENOMEM;
	if (walk->depth >= PATH_DEPTH_MAX)
		return 0;
	dir = opendir(full);
	if (!dir)
		return *folder ? 0 : -errno;
	walk->depth++;
	while (r == 0 && (entry = readdir(dir)))
		r = walk_entry(walk, folder, entry);
	walk->depth--;
	return r;
}

int local_repo_walk(struct local_repo *local, const char *folder,
		    const char *above, bool names_digest)
{
	struct walk walk = { local, folder, above, names_digest, 0 };

	return walk_folder(&walk, "");
}

static int hash_file(struct hasher *hasher, const char *path,
		     const struct local_stamp *stamp)
{
	int r = hasher_add(hasher, path, strlen(path) + 1);

	return r < 0 ? r : hasher_add(hasher, stamp, sizeof(*stamp));
}

/* "local-" and 32 hex: changes with any name, size or time. */
static int revision_make(const struct local_repo *local, char **out)
{
	struct hasher *hasher = hasher_new(DIGEST_SHA256, 0);
	char hex[2 * SHA256_BYTES + 1];
	struct digest digest;
	int r = hasher ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < local->repo.file_count; i++)
		r = hash_file(hasher, local->repo.files[i].path,
			      &local->places[i]->stamp);
	if (r < 0) {
		hasher_free(hasher);
		return r;
	}
	r = hasher_finish(hasher, &digest);
	if (r < 0)
		return r;
	hex_encode(digest.bytes, SHA256_BYTES, hex);
	*out = mem_printf("local-%.32s", hex);
	return *out ? 0 : -ENOMEM;
}

/* The newest file's time, and which place is whose. */
static int index_places(struct local_repo *local)
{
	struct repo *repo = &local->repo;

	local->places = mem_array(repo->file_count ? repo->file_count : 1,
				  sizeof(struct local_place *));
	if (!local->places)
		return -ENOMEM;
	for (size_t i = 0; i < repo->file_count; i++) {
		struct local_place *place = map_get(&local->by_path,
						    repo->files[i].path);
		int64_t wall_s = place->stamp.mtime_ns / (int64_t)NS_PER_S;

		local->places[i] = place;
		if (wall_s > repo->modified_wall_s)
			repo->modified_wall_s = wall_s;
	}
	return 0;
}

int local_repo_seal(struct local_repo *local, const char *revision,
		    struct repo **out)
{
	auto_local_repo struct local_repo *mine = local;
	int r = repo_files_finish(&local->files, &local->repo);

	if (r == 0)
		r = index_places(local);
	if (r < 0)
		return r;
	local->repo.url = mem_printf("file://%s", local->root);
	if (revision)
		local->repo.revision = mem_strdup(revision);
	else
		r = revision_make(local, &local->repo.revision);
	if (r < 0)
		return r;
	if (!local->repo.url || !local->repo.revision)
		return -ENOMEM;
	*out = &take_ptr(mine)->repo;
	return 0;
}
