/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/staging/repo_fake.h - a repository in memory.
 */
#ifndef TESTS_UNIT_STAGING_REPO_FAKE_H
#define TESTS_UNIT_STAGING_REPO_FAKE_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/mem.h"
#include "staging/staging.h"
#include "tests/unit/unit.h"

#define FAKE_FILES_MAX 16
#define FAKE_DATA "tests/unit/staging/data/"

struct fake_repo {
	struct stage_repo repo;
	struct stage_file files[FAKE_FILES_MAX];
	const char *texts[FAKE_FILES_MAX]; /* NULL: a file of FAKE_DATA */
	const char *paths[FAKE_FILES_MAX];
	size_t opened;
};

/* One file: its path, then its text, or the file that has its bytes. */
struct fake_file {
	const char *path;
	const char *text;
	const char *data;
};

static inline int fake_blob(const struct fake_file *file, struct blob **out)
{
	auto_str struct str path;

	str_init(&path, 4096);
	if (file->text)
		return blob_of_bytes(mem_dup(file->text, strlen(file->text)),
				     strlen(file->text), out);
	if (str_printf(&path, FAKE_DATA "%s", file->data) < 0)
		return -ENOMEM;
	return blob_open_file(str_text(&path), out);
}

static inline int fake_open(void *arg, size_t index, struct blob **out)
{
	struct fake_repo *fake = arg;
	struct fake_file file = { fake->files[index].path, fake->texts[index],
				  fake->paths[index] };

	fake->opened++;
	return fake_blob(&file, out);
}

/* @files are sorted by path; ends with .path NULL. */
static inline void fake_repo_init(struct fake_repo *fake,
				  const struct fake_file *files)
{
	*fake = (struct fake_repo){ .repo = {
					    .id = "org/model",
					    .revision = "0123",
					    .url = "https://hub.example/org/"
						   "model",
					    .files = fake->files,
					    .open = fake_open,
					    .arg = fake,
					    .deadline_ns = CLOCK_NEVER,
				    } };
	for (; files->path; files++) {
		size_t i = fake->repo.file_count++;
		struct blob *blob;

		assert_int_equal(fake_blob(files, &blob), 0);
		fake->files[i] = (struct stage_file){ files->path, blob->size };
		fake->texts[i] = files->text;
		fake->paths[i] = files->data;
		blob_unref(blob);
	}
}

#endif
