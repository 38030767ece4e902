/* SPDX-License-Identifier: MIT */
#include "staging/weights/weights_sniff.h"

#include <stdio.h>

#include "tests/unit/staging/repo_fake.h"

#define HEAD(text) text, sizeof(text) - 1

static const struct {
	const char *name, *bytes;
	size_t len;
	const char *format; /* NULL: refused */
	const char *code;
} heads[] = {
	{ "a zip", HEAD("PK\3\4\0\0"), "torch-zip", NULL },
	{ "an empty zip", HEAD("PK\5\6\0\0"), NULL, "weights" },
	{ "the stream of before 1.6",
	  HEAD("\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2"),
	  "torch-legacy", NULL },
	{ "another pickle", HEAD("\x80\2}q\1.aaaaaaaaaaaaaaaa"), NULL,
	  "weights" },
	{ "safetensors", HEAD("\2\0\0\0\0\0\0\0{}"), "safetensors", NULL },
	{ "a header longer than the file", HEAD("\xff\0\0\0\0\0\0\0{}"), NULL,
	  "weights" },
	{ "HDF5", HEAD("\x89HDF\r\n\x1a\n"), "hdf5", NULL },
	{ "a pointer", HEAD("version https://git-lfs.github.com/spec/v1\n"),
	  NULL, "lfs-pointer" },
	{ "gzip", HEAD("\x1f\x8b\x08"), NULL, "compressed" },
	{ "a page", HEAD("<!doctype html>"), NULL, "web-page" },
	{ "a page after space", HEAD("\n\t <html>"), NULL, "web-page" },
	{ "space", HEAD("\n\t "), NULL, "weights" },
	{ "zeros", HEAD("\0\0\0\0\0\0\0\0\0\0\0\0"), NULL, "weights" },
	{ "nothing", HEAD(""), NULL, "weights" },
};

static void files_are_known_by_their_first_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		auto_refusal struct refusal why = { 0 };
		struct weights_format format;
		int r = weights_sniff(heads[i].bytes, heads[i].len,
				      heads[i].len, &format, &why);

		print_message("%s\n", heads[i].name);
		assert_int_equal(r, heads[i].format ? 0 : -EBADMSG);
		if (heads[i].format)
			assert_string_equal(format.format, heads[i].format);
		else
			assert_string_equal(why.code, heads[i].code);
	}
}

static void a_tar_is_known_by_what_follows_its_name(void **state)
{
	auto_refusal struct refusal why = { 0 };
	struct weights_format format;
	char head[512] = "sys_info";

	(void)state;
	memcpy(head + 257, "ustar", 6);
	assert_int_equal(weights_sniff(head, sizeof(head), 4096, &format, &why),
			 -EBADMSG);
	assert_string_equal(why.code, "torch-tar");
}

/* Opens the one file, of whatever name, that has the bytes of @data. */
static int open_file(const char *data, struct weights **out,
		     struct refusal *why)
{
	const struct fake_file files[] = {
		{ "resnet-0123abcd.pth", NULL, data },
		{ NULL, NULL, NULL },
	};
	struct fake_repo fake;

	fake_repo_init(&fake, files);
	return weights_open_file(&fake.repo, 0, out, why);
}

static void any_name_will_do(void **state)
{
	static const struct {
		const char *data, *format;
	} files[] = { { "tiny.bin", "torch-zip" },
		      { "legacy.bin", "torch-legacy" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		auto_weights struct weights *weights = NULL;

		assert_int_equal(open_file(files[i].data, &weights, NULL), 0);
		assert_string_equal(weights->format, files[i].format);
		assert_non_null(weights_find(weights, "w2"));
		assert_string_equal(weights->files[0].path,
				    "resnet-0123abcd.pth");
	}
}

static void other_files_are_refused(void **state)
{
	auto_refusal struct refusal why = { 0 };
	struct weights *weights;

	(void)state;
	assert_int_equal(open_file("README.md", &weights, &why), -EBADMSG);
	assert_string_equal(why.code, "weights");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_known_by_their_first_bytes),
		cmocka_unit_test(a_tar_is_known_by_what_follows_its_name),
		cmocka_unit_test(any_name_will_do),
		cmocka_unit_test(other_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
