/* SPDX-License-Identifier: MIT */
/*
 * TensorFlow's SavedModels: each signature as a frozen graph, that of the
 * default one at the top, the others below their names.
 *
 * The files lie in saved_model/, or, where a hub gives no single files, in
 * an archive, whose members are shown as saved_model/.
 */
#include "staging/stager.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/archive_view.h"
#include "staging/info.h"
#include "staging/stage_listing.h"
#include "staging/stage_repo.h"
#include "staging/stage_status.h"
#include "staging/tensorflow/saved_folder.h"

#define MODEL_DIR "saved_model"
#define MODEL_NAME "saved_model.pb"

/* Where the files of a SavedModel are. */
struct place {
	struct archive_repo members; /* .archive NULL: they are the repo's */
	const struct stage_repo *holder;
	char *folder; /* owned; before "saved_model.pb" */
	bool in_archive;
	size_t archive; /* the file, if so */
};

static void place_release(struct place *place)
{
	archive_repo_release(&place->members);
	free(place->folder);
}
DEFINE_AUTO(place, struct place, place_release)
#define auto_place auto_of(place)

/* The shallowest saved_model.pb; -ENOENT. */
static int find_model(const struct stage_repo *holder, const char *below,
		      char **folder)
{
	const char *best = NULL;
	size_t skip = strlen(below);

	for (size_t i = 0; i < holder->file_count; i++) {
		const char *path = holder->files[i].path;
		const char *name = strrchr(path, '/');

		name = name ? name + 1 : path;
		if (strncmp(path, below, skip) != 0 ||
		    strcmp(name, MODEL_NAME) != 0)
			continue;
		if (!best || strlen(path) < strlen(best))
			best = path;
	}
	if (!best)
		return -ENOENT;
	*folder = mem_strndup(best, strlen(best) - strlen(MODEL_NAME));
	return *folder ? 0 : -ENOMEM;
}

static bool is_archive(const char *path)
{
	static const char *const ends[] = { ".tar.gz", ".tgz", ".tar", ".zip" };
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t end_len = strlen(ends[i]);

		if (len > end_len && !strchr(path, '/') &&
		    strcmp(path + len - end_len, ends[i]) == 0)
			return true;
	}
	return false;
}

static bool find_archive(const struct stage_repo *repo, size_t *index)
{
	for (size_t i = 0; i < repo->file_count; i++) {
		if (!is_archive(repo->files[i].path))
			continue;
		*index = i;
		return true;
	}
	return false;
}

/* Into the zeroed @out.  -ENOENT: there is no SavedModel. */
static int place_find(const struct stage_repo *repo, struct place *out,
		      struct refusal *why)
{
	int r = find_model(repo, "", &out->folder);

	out->holder = repo;
	if (r != -ENOENT)
		return r;
	if (!find_archive(repo, &out->archive))
		return -ENOENT;
	out->in_archive = true;
	out->holder = &out->members.repo;
	r = archive_repo_open(repo, out->archive, &out->members, why);
	if (r == 0)
		r = find_model(out->holder, out->members.prefix, &out->folder);
	if (r == -ENOENT)
		return refuse(why, "saved-model",
			      repo->files[out->archive].path,
			      "the archive has no " MODEL_NAME);
	return r;
}

static int add_frozen(const struct stage_repo *repo, const char *signature,
		      struct staged_model *model, struct stage_listing *out)
{
	auto_free char *how = mem_printf("freeze of signature %s", signature);
	auto_str struct str text;
	int r = how ? 0 : -ENOMEM;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	if (r == 0)
		r = info_of_staged(repo, how, NULL, model, &text);
	if (r == 0)
		r = stage_listing_add_text(out, "info.json", &text);
	if (r < 0)
		return r;
	return stage_listing_add_plan(out, "staged.pb", repo,
				      take_ptr(model->onnx));
}

/* One signature's frozen graph, or why there is none. */
static int add_signature(const struct stage_repo *repo,
			 const struct saved_folder *saved,
			 const char *signature, struct stage_listing *out)
{
	auto_staged_model struct staged_model *model = NULL;
	auto_refusal struct refusal why = { 0 };
	int r = saved_folder_freeze(saved, signature, &model, &why);

	if (r == 0)
		return add_frozen(repo, signature, model, out);
	return r == -EBADMSG ? status_add_refusal(out, &why) : r;
}

/* A name that a directory can have, and that no view has. */
static bool is_dir_name(const char *name)
{
	return *name && name[0] != '.' && !strchr(name, '/') &&
	       strncmp(name, "__", 2) != 0 && strcmp(name, MODEL_DIR) != 0 &&
	       strlen(name) <= NAME_BYTES_MAX;
}

static int add_root(const struct stage_repo *repo,
		    const struct saved_folder *saved, struct stage_listing *out)
{
	const char *first = saved_model_default_signature(saved->model);
	auto_refusal struct refusal why = { 0 };
	int r;

	if (first) {
		r = add_signature(repo, saved, first, out);
	} else {
		refuse(&why, "no-signature", NULL,
		       "the SavedModel has no signature");
		r = status_add_refusal(out, &why);
	}
	for (size_t i = 0;
	     r == 0 && i < saved_model_signature_count(saved->model); i++) {
		const char *name = saved_model_signature(saved->model, i);

		if (is_dir_name(name) && strcmp(name, first ? first : "") != 0)
			r = stage_listing_add_dir(out, name);
	}
	return r;
}

static bool has_signature(const struct saved_folder *saved, const char *name)
{
	for (size_t i = 0; i < saved_model_signature_count(saved->model); i++)
		if (strcmp(saved_model_signature(saved->model, i), name) == 0)
			return is_dir_name(name);
	return false;
}

static int list_place(const struct stage_repo *repo, const struct place *place,
		      const char *dir, struct stage_listing *out)
{
	auto_saved_folder struct saved_folder saved = { 0 };
	auto_refusal struct refusal why = { 0 };
	int r = saved_folder_open(place->holder, place->folder, &saved, &why);

	if (r == -EBADMSG)
		return *dir ? -ENOENT : status_add_refusal(out, &why);
	if (r < 0)
		return r;
	if (!*dir)
		return add_root(repo, &saved, out);
	if (!has_signature(&saved, dir))
		return -ENOENT;
	return add_signature(repo, &saved, dir, out);
}

static int list_staged(const struct stage_repo *repo, const char *dir,
		       struct stage_listing *out)
{
	auto_place struct place place = { 0 };
	auto_refusal struct refusal why = { 0 };
	int r = place_find(repo, &place, &why);

	if (r == -ENOENT)
		return *dir ? r : 0;
	if (r == -EBADMSG)
		return *dir ? -ENOENT : status_add_refusal(out, &why);
	if (r == -ETIMEDOUT && !*dir && place.in_archive)
		return status_add_job(out, repo, place.archive);
	if (r < 0)
		return r;
	r = list_place(repo, &place, dir, out);
	if (r == 0 && !*dir && place.in_archive)
		r = stage_listing_add_dir(out, MODEL_DIR);
	return r;
}

static bool is_instant(const struct stage_repo *repo, const char *dir)
{
	(void)repo;
	return *dir && path_below(dir, MODEL_DIR);
}

static int list(const struct stage_repo *repo, const char *dir,
		struct stage_listing *out)
{
	const char *below = *dir ? path_below(dir, MODEL_DIR) : NULL;
	auto_refusal struct refusal why = { 0 };
	auto_place struct place place = { 0 };
	auto_free char *inner = NULL;
	int r;

	if (!below)
		return list_staged(repo, dir, out);
	r = place_find(repo, &place, &why);
	if (r < 0)
		return r == -EBADMSG ? -ENOENT : r;
	if (!place.in_archive)
		return -ENOENT; /* the repository's own files */
	inner = mem_printf("%s%s", place.folder + strlen(place.members.prefix),
			   below);
	if (!inner)
		return -ENOMEM;
	if (*inner && inner[strlen(inner) - 1] == '/')
		inner[strlen(inner) - 1] = '\0';
	return archive_view(repo, place.archive, inner, out);
}

const struct stager stager_saved_model = {
	.kind = "saved-model",
	.is_instant = is_instant,
	.list = list,
};
