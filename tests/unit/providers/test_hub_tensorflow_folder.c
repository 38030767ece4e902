/* SPDX-License-Identifier: MIT */
#include "tests/unit/providers/hub_world.h"

#include <ftw.h>

#include "base/json.h"

#define PB "\x08\x01SavedModel"

static char root[] = "/tmp/omnihub-test-XXXXXX";
static struct provider *provider;

/* A folder of the root, then what stands in it as @name. */
static const struct {
	const char *folder;
	const char *name;
} tree[] = {
	{ "google", NULL },
	{ "google/yamnet", NULL },
	{ "google/yamnet/yamnet", NULL },
	{ "google/yamnet/yamnet/2", "saved_model.pb" },
	{ "google/yamnet/yamnet/2/variables", "variables.index" },
	{ "google/yamnet/yamnet/10", "bundle.tar.gz" },
	{ "google/yamnet/yamnet/3", NULL },
	{ "google/yamnet/yamnet/3/saved_model", "saved_model.pb" },
	{ "google/yamnet/yamnet/notes", "a.txt" },
	{ "google/yamnet/old@tensorFlow1", NULL },
	{ "google/yamnet/old@tensorFlow1/1", "saved_model.pb" },
	{ "google/yamnet/yamnet/5", NULL },
	{ ".git", NULL },
	{ "google/yamnet/a b", NULL },
};

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tree); i++) {
		auto_free char *path = mem_printf("%s/%s", root,
						  tree[i].folder);

		if (mkdir(path, 0755) < 0)
			return -1;
		if (tree[i].name)
			world_write(path, tree[i].name, PB);
	}
	return hub_tensorflow_new(&(struct provider_env){ .offline = true },
				  root, &provider);
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *walk)
{
	(void)st;
	(void)flag;
	(void)walk;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	provider_free(provider);
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void directories(void **state)
{
	static const struct {
		const char *path;
		int want;
		const char *names;
	} cases[] = {
		{ "", 0, "google " },
		{ "google", 0, "yamnet " },
		{ "google/yamnet", 0, "old@tensorFlow1 yamnet " },
		{ "google/yamnet/yamnet", 0, "10 2 3 5 latest>10 " },
		{ "google/yamnet/yamnet/2", -ENOENT, "" },
		{ "google/nothing", -ENOENT, "" },
		{ "google/../google", -ENOENT, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_hub_listing struct hub_listing list = { 0 };
		auto_str struct str names;

		str_init(&names, 4096);
		assert_int_equal(provider->ops->list(provider, cases[i].path,
						     SOON, &list),
				 cases[i].want);
		for (size_t j = 0; j < list.count; j++)
			assert_int_equal(
				str_printf(&names, "%s%s%s ",
					   list.entries[j].name,
					   list.entries[j].target ? ">" : "",
					   list.entries[j].target
						   ? list.entries[j].target
						   : ""),
				0);
		assert_string_equal(str_text(&names), cases[i].names);
	}
}

static void names(void **state)
{
	static const struct {
		const char *path;
		int want;
		enum hub_entry_kind kind;
	} cases[] = {
		{ "google", 0, HUB_DIR },
		{ "google/yamnet/yamnet/2", 0, HUB_REPO },
		{ "google/yamnet/yamnet/latest", 0, HUB_LINK },
		{ "google/yamnet/yamnet/9", -ENOENT, HUB_REPO },
		{ "google/yamnet/yamnet/notes", -ENOENT, HUB_DIR },
		{ "google/yamnet/nothing/latest", -ENOENT, HUB_DIR },
		{ "tfhub.dev", -ENOENT, HUB_DIR },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_hub_entry struct hub_entry entry = { 0 };

		if (provider->ops->lookup(provider, cases[i].path, SOON,
					  &entry) != cases[i].want)
			fail_msg("%s", cases[i].path);
		if (cases[i].want == 0)
			assert_int_equal(entry.kind, cases[i].kind);
	}
}

static void repositories(void **state)
{
	static const struct {
		const char *path;
		int want;
		size_t count;
		const char *file;
	} cases[] = {
		{ "google/yamnet/yamnet/2", 0, 2,
		  "saved_model/variables/variables.index" },
		{ "google/yamnet/yamnet/3", 0, 1,
		  "saved_model/saved_model.pb" },
		{ "google/yamnet/yamnet/10", 0, 1, "bundle.tar.gz" },
		{ "google/yamnet/old@tensorFlow1/1", 0, 1,
		  "saved_model/saved_model.pb" },
		{ "google/yamnet/yamnet/latest", -ENOENT, 0, NULL },
		{ "google/yamnet/yamnet", -ENOENT, 0, NULL },
		{ "google/yamnet/yamnet/4", -ENOENT, 0, NULL },
		{ "google/yamnet/yamnet/5", -ENOENT, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_repo struct repo *repo = NULL;

		assert_int_equal(provider->ops->open(provider, cases[i].path,
						     SOON, &repo),
				 cases[i].want);
		if (!repo)
			continue;
		assert_string_equal(repo->kind, "saved-model");
		assert_string_equal(repo->files_dir, "");
		assert_int_equal(repo->file_count, cases[i].count);
		assert_non_null(repo_find(repo, cases[i].file, NULL));
		assert_non_null(
			strstr(repo->facts, "\"publisher\":\"google\""));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directories),
		cmocka_unit_test(names),
		cmocka_unit_test(repositories),
	};

	if (!mkdtemp(root))
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
