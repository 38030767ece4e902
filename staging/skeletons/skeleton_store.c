/* SPDX-License-Identifier: MIT */
#include "staging/skeletons/skeleton_store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/atomic_file.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/gunzip.h"
#include "staging/skeletons/skeleton_bind.h"
#include "staging/skeletons/skeleton_manifest.h"

#define MANIFEST_NAME "manifest.json"

/* A manifest in memory. */
struct manifest {
	struct manifest *next;
	char *path;	      /* owned */
	struct stat stat;     /* of the file it was read of */
	struct json_doc *doc; /* owned */
};

/* A leaf: nothing else is taken while it is held. */
static struct lock manifests_lock = { PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP };
static struct manifest *manifests; /* manifests_lock */

static void manifest_free(struct manifest *manifest)
{
	json_free(manifest->doc);
	free(manifest->path);
	free(manifest);
}
DEFINE_AUTO_PTR(manifest, struct manifest, manifest_free)

void skeleton_store_clear(void)
{
	lock_take(&manifests_lock);
	while (manifests) {
		struct manifest *manifest = manifests;

		manifests = manifest->next;
		manifest_free(manifest);
	}
	lock_drop(&manifests_lock);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The one of @path that is of the file of @stat; others of it go away. */
static struct manifest *manifest_get_locked(const char *path,
					    const struct stat *stat)
{
	struct manifest **link = &manifests;

	lock_assert_held(&manifests_lock);
	while (*link) {
		struct manifest *manifest = *link;

		if (strcmp(manifest->path, path) != 0) {
			link = &manifest->next;
			continue;
		}
		if (same_file(&manifest->stat, stat))
			return manifest;
		*link = manifest->next;
		manifest_free(manifest);
	}
	return NULL;
}

static int manifest_read(const char *path, const struct stat *stat,
			 struct manifest **out)
{
	auto_of(manifest) struct manifest *made = mem_zalloc(sizeof(*made));
	auto_str struct str text;
	int r;

	str_init(&text, SKELETON_MANIFEST_MAX);
	if (!made)
		return -ENOMEM;
	made->stat = *stat;
	made->path = mem_strdup(path);
	if (!made->path)
		return -ENOMEM;
	r = file_read_all(AT_FDCWD, path, &text);
	if (r == 0)
		r = skeleton_manifest_parse(str_text(&text), text.len,
					    &made->doc);
	if (r == 0)
		*out = take_ptr(made);
	return r;
}

/* skeleton_manifest_find() in the file at @path, read if it is not known. */
static int manifest_ask(const char *path, const char *name,
			enum stage_form form, uint8_t sha[SHA256_BYTES],
			struct refusal *why)
{
	auto_of(manifest) struct manifest *made = NULL;
	const struct manifest *known;
	struct stat now;
	int r;

	if (stat(path, &now) < 0)
		return -errno;
	lock_take(&manifests_lock);
	known = manifest_get_locked(path, &now);
	r = known ? skeleton_manifest_find(known->doc, name, form, sha, why)
		  : -EAGAIN;
	lock_drop(&manifests_lock);
	if (r != -EAGAIN)
		return r;
	r = manifest_read(path, &now, &made);
	if (r == -EBADMSG || r == -EFBIG)
		return refuse(why, "skeleton", path,
			      "the manifest of the skeletons is malformed");
	if (r < 0)
		return r;
	lock_take(&manifests_lock);
	if (!manifest_get_locked(path, &now)) {
		made->next = manifests;
		manifests = take_ptr(made);
	}
	known = manifest_get_locked(path, &now);
	r = skeleton_manifest_find(known->doc, name, form, sha, why);
	lock_drop(&manifests_lock);
	return r;
}

/* Names of architectures, and nothing that leads elsewhere. */
static bool is_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_-.");

	return name[len] == '\0' && len > 0 && len <= SKELETON_NAME_MAX &&
	       name[0] != '.';
}

static const char *form_suffix(enum stage_form form)
{
	return form == STAGE_FORM_DL4J ? ".dl4j" : "";
}

/* Appends the file, uncompressed where it is compressed. */
static int read_model(const char *path, bool compressed, struct str *out)
{
	auto_str struct str packed;
	int r;

	str_init(&packed, SKELETON_FILE_MAX);
	if (!compressed)
		return file_read_all(AT_FDCWD, path, out);
	r = file_read_all(AT_FDCWD, path, &packed);
	return r < 0 ? r : gunzip(str_text(&packed), packed.len, out);
}

static int refuse_damaged(const char *path, struct refusal *why)
{
	return refuse(why, "skeleton", path,
		      "the skeleton of the model is damaged");
}

/* <user>/<name>[.dl4j].onnx[.gz]; -ENOENT. */
static int open_user(const char *user, const char *name, enum stage_form form,
		     struct skeleton **out, struct refusal *why)
{
	static const char *const ends[] = { "", ".gz" };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		auto_free char *path = mem_printf("%s/%s%s.onnx%s", user, name,
						  form_suffix(form), ends[i]);
		auto_str struct str text;
		int r;

		str_init(&text, SKELETON_BYTES_MAX);
		if (!path)
			return -ENOMEM;
		r = read_model(path, i > 0, &text);
		if (r == -ENOENT)
			continue;
		if (r == -EBADMSG || r == -EFBIG)
			return refuse_damaged(path, why);
		if (r < 0)
			return r;
		return skeleton_parse(str_text(&text), text.len, out, why);
	}
	return -ENOENT;
}

/* As open_user(): who has one form of a model has all there are. */
static int look_at_user(const char *user, const char *name,
			enum stage_form form, struct skeleton **out,
			struct refusal *why)
{
	auto_skeleton struct skeleton *plain = NULL;
	int r = open_user(user, name, form, out, why);

	if (r != -ENOENT || form == STAGE_FORM_PLAIN)
		return r;
	r = open_user(user, name, STAGE_FORM_PLAIN, &plain, why);
	if (r < 0)
		return r;
	return refuse(why, "unsupported-construct", name,
		      "the folder of skeletons has no dl4j form of %s", name);
}

static int read_proven(const char *path, const uint8_t sha[SHA256_BYTES],
		       struct str *out)
{
	uint8_t found[SHA256_BYTES];
	int r = read_model(path, true, out);

	if (r == 0)
		r = sha256(out->bytes, out->len, found);
	if (r == 0 && memcmp(found, sha, sizeof(found)) != 0)
		r = -EBADMSG;
	return r;
}

/* <share>/<set>/<name>[.dl4j].onnx.gz; -ENOENT. */
static int open_share(const char *share, const char *set, const char *name,
		      enum stage_form form, struct skeleton **out,
		      struct refusal *why)
{
	auto_free char *manifest = mem_printf("%s/%s/" MANIFEST_NAME, share,
					      set);
	auto_free char *path = mem_printf("%s/%s/%s%s.onnx.gz", share, set,
					  name, form_suffix(form));
	uint8_t sha[SHA256_BYTES];
	auto_str struct str text;
	int r;

	str_init(&text, SKELETON_BYTES_MAX);
	if (!manifest || !path)
		return -ENOMEM;
	r = manifest_ask(manifest, name, form, sha, why);
	if (r < 0)
		return r;
	r = read_proven(path, sha, &text);
	if (r == -EBADMSG || r == -EFBIG || r == -ENOENT)
		return refuse_damaged(path, why);
	if (r < 0)
		return r;
	return skeleton_parse(text.bytes, text.len, out, why);
}

int skeleton_open(const struct skeleton_dirs *dirs, const char *set,
		  const char *name, enum stage_form form, struct skeleton **out,
		  struct refusal *why)
{
	int r = -ENOENT;

	if (is_name(name)) {
		if (dirs->user)
			r = look_at_user(dirs->user, name, form, out, why);
		if (r == -ENOENT && dirs->share)
			r = open_share(dirs->share, set, name, form, out, why);
	}
	if (r == -ENOENT)
		return refuse(why, "no-skeleton", name,
			      "the architecture %s of %s is not known", name,
			      set);
	return r;
}

int skeleton_stage(const struct skeleton_dirs *dirs, const char *set,
		   const char *name, const struct weights *weights,
		   enum stage_form form, struct staged_model **out,
		   struct refusal *why)
{
	auto_skeleton struct skeleton *skeleton = NULL;
	int r = skeleton_open(dirs, set, name, form, &skeleton, why);

	return r < 0 ? r : skeleton_bind(skeleton, weights, form, out, why);
}
