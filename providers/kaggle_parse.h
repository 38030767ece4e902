/* SPDX-License-Identifier: MIT */
/*
 * providers/kaggle_parse.h - names and answers of Kaggle Models.
 *
 * Pure.  A model has variations, each of one framework, each with versions
 * from 1 that never change; its handle is
 *
 *	<owner>/<model>/<framework>/<variation>/<version>
 *
 * The objects are those of Kaggle's public API, as its own clients have it
 * (https://github.com/Kaggle/kaggle-cli, https://github.com/Kaggle/kagglehub).
 * Unknown fields are ignored; a wrong type counts as a missing field.  Of
 * the frameworks only TensorFlow's two are seen.
 *
 * -EBADMSG: not strict JSON, or not of that shape; -EFBIG: over a limit.
 */
#ifndef PROVIDERS_KAGGLE_PARSE_H
#define PROVIDERS_KAGGLE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "providers/repo_files.h"

/* Before each file of a repository: "saved_model/variables/...". */
#define KAGGLE_FOLDER "saved_model/"
#define KAGGLE_LATEST "latest"

/* One of the two, static; NULL: another.  Of any spelling of the API's. */
const char *kaggle_framework(const char *text, size_t len);

/* A path below the hub, or a handle; parts are owned, what it lacks NULL. */
struct kaggle_name {
	char *owner;
	char *model;
	const char *framework; /* static */
	char *variation;
	char *version; /* decimal, from 1; of a path also "latest" */
};
void kaggle_name_release(struct kaggle_name *name);
DEFINE_AUTO(kaggle_name, struct kaggle_name, kaggle_name_release)
#define auto_kaggle_name auto_of(kaggle_name)

/*
 * "<owner>[/<model>[/<variation>[@<framework>][/<version>]]]".  @out is
 * zeroed before.  -ENOENT: no such name can be; -ENOMEM.
 */
int kaggle_path_parse(const char *path, struct kaggle_name *out) MUST_CHECK;

/* A whole handle, likewise.  -ENOENT: also of another framework. */
int kaggle_handle_parse(const char *handle, struct kaggle_name *out) MUST_CHECK;

/*
 * The handle that the address of a model's page has, in one of the forms
 *	/models/<o>/<m>/<fw>/<v>/<n>
 *	/models/<o>/<m>/frameworks/<fw>/variations/<v>/versions/<n>
 * Likewise; -ENOENT: it has none.
 */
int kaggle_page_parse(const char *url, struct kaggle_name *out) MUST_CHECK;

/*
 * An address of old, "<publisher>/<path>/<version>", safe to ask for.  Its
 * last part is a number where *@whole, else it may be the start of one.
 */
bool kaggle_old_path_ok(const char *path, bool *whole);

struct kaggle_instance {
	const char *framework; /* static */
	char *variation;
	uint64_t version; /* the newest; 0: unknown */
	char *licence;	  /* or NULL */
	char *url;	  /* or NULL */
	bool has_fine_tunable, fine_tunable;
};

struct kaggle_instances {
	struct kaggle_instance *list; /* owned */
	size_t count;
};
void kaggle_instances_release(struct kaggle_instances *instances);
DEFINE_AUTO(kaggle_instances, struct kaggle_instances, kaggle_instances_release)
#define auto_kaggle_instances auto_of(kaggle_instances)

/*
 * GET /models/{o}/{m}/get, {"instances": [...]}, or one instance alone, of
 * GET /models/{o}/{m}/{fw}/{v}/get.  @out is zeroed before.
 */
int kaggle_instances_parse(const void *bytes, size_t len,
			   struct kaggle_instances *out) MUST_CHECK;

/* Appends what that reads the same.  -ENOMEM, -EFBIG. */
int kaggle_instances_encode(const struct kaggle_instances *instances,
			    struct str *out) MUST_CHECK;

/* NULL: there is none. */
const struct kaggle_instance *kaggle_instance_find(
	const struct kaggle_instances *instances, const char *framework,
	const char *variation);

/*
 * A page of GET /models/{handle}/files, added to @files below
 * KAGGLE_FOLDER; one with no exact size is hidden.  *@next: the token of
 * the next page, NULL at the end; caller frees.
 */
int kaggle_files_parse(const void *bytes, size_t len, struct repo_files *files,
		       char **next) MUST_CHECK;

/*
 * A page of GET /models/list: each model of @owner that may have one of the
 * frameworks; an error of @each ends the walk.  *@next likewise.
 */
int kaggle_models_parse(const void *bytes, size_t len, const char *owner,
			int (*each)(void *arg, const char *model), void *arg,
			char **next) MUST_CHECK;

#endif
