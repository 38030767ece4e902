/* SPDX-License-Identifier: MIT */
/* Which files of a repository a converter is given. */
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "staging/external/snapshot.h"
#include "tests/unit/staging/repo_fake.h"

static const struct {
	const char *path;
	uint64_t size;
	bool want;
} wanted[] = {
	{ "config.json", 600, true },
	{ "tokenizer.json", (uint64_t)33 << 20, true },
	{ "vocab.txt", 1, true },
	{ "spiece.model", 1, true },
	{ "chat_template.jinja", 1, true },
	{ "1_Pooling/config.json", 1, true },
	{ "a/b/c.json", 1, true },
	{ "a/b/c/d.json", 1, false },
	{ "modeling_x.py", 1, false },
	{ "config.json.py", 1, false },
	{ "pytorch_model.bin", 1, false },
	{ "model.safetensors", 1, false },
	{ "README.md", 1, false },
	{ "huge.json", CONVERT_SMALL_BYTES + 1, false },
	{ ".git.json", 1, false },
	{ "a/.b.json", 1, false },
	{ ".json", 1, false },
};

static void small_files_by_their_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		assert_int_equal(snapshot_wants(wanted[i].path, wanted[i].size),
				 wanted[i].want);
}

static void check_choice(const struct fake_file *files, const char *want)
{
	auto_snapshot struct snapshot snapshot = { 0 };
	struct fake_repo fake;
	auto_str struct str names;

	str_init(&names, 4096);
	fake_repo_init(&fake, files);
	assert_int_equal(snapshot_choose(&fake.repo, &snapshot, NULL), 0);
	for (size_t i = 0; i < snapshot.count; i++) {
		const char *path = fake.repo.files[snapshot.files[i]].path;

		assert_int_equal(str_printf(&names, "%s ", path), 0);
	}
	assert_string_equal(str_text(&names), want);
}

static void one_form_of_the_weights(void **state)
{
	static const struct fake_file both[] = {
		{ "config.json", "{}", NULL },
		{ "model.safetensors", "x", NULL },
		{ "pytorch_model.bin", "y", NULL },
		{ NULL, NULL, NULL },
	};
	static const struct fake_file parts[] = {
		{ "config.json", "{}", NULL },
		{ "model-1.safetensors", "x", NULL },
		{ "model-2.safetensors", "y", NULL },
		{ "model-3.safetensors", "z", NULL },
		{ "model.safetensors.index.json",
		  "{\"weight_map\": {\"a\": \"model-1.safetensors\", "
		  "\"b\": \"model-2.safetensors\"}}",
		  NULL },
		{ NULL, NULL, NULL },
	};

	(void)state;
	check_choice(both, "config.json model.safetensors ");
	check_choice(parts,
		     "config.json model-1.safetensors model-2.safetensors "
		     "model.safetensors.index.json ");
}

static void missing_parts_are_refused(void **state)
{
	static const struct fake_file files[] = {
		{ "config.json", "{}", NULL },
		{ "model.safetensors.index.json",
		  "{\"weight_map\": {\"a\": \"model-1.safetensors\"}}", NULL },
		{ NULL, NULL, NULL },
	};
	static const struct fake_file bare[] = {
		{ "config.json", "{}", NULL },
		{ NULL, NULL, NULL },
	};
	auto_refusal struct refusal why = { 0 };
	struct snapshot snapshot = { 0 };
	struct fake_repo fake;

	(void)state;
	fake_repo_init(&fake, files);
	assert_int_equal(snapshot_choose(&fake.repo, &snapshot, &why),
			 -EBADMSG);
	assert_string_equal(why.code, "shard-index");
	fake_repo_init(&fake, bare);
	refusal_release(&why);
	assert_int_equal(snapshot_choose(&fake.repo, &snapshot, &why),
			 -EBADMSG);
	assert_string_equal(why.code, "weights");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_files_by_their_names),
		cmocka_unit_test(one_form_of_the_weights),
		cmocka_unit_test(missing_parts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
