/* SPDX-License-Identifier: MIT */
#include "providers/origin.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define HF_FILE "https://huggingface.co/o/m/resolve/main/a/b.onnx"
#define KERAS "https://storage.googleapis.com/tensorflow/k/f%20x.h5"

/* "NAME=VALUE" lines. */
static const char *endpoint_in(void *arg, const char *name)
{
	static char value[256];
	const char *at = arg;
	size_t len = strlen(name);

	while (at && *at) {
		const char *end = strchr(at, '\n');

		if (!strncmp(at, name, len) && at[len] == '=') {
			size_t bytes = (size_t)(end - at) - len - 1;

			memcpy(value, at + len + 1, bytes);
			value[bytes] = '\0';
			return value;
		}
		at = end + 1;
	}
	return NULL;
}

static const struct {
	const char *endpoints;
	const char *hub;
	const char *url;
	const char *want; /* NULL: -EINVAL */
} cases[] = {
	{ "", "keras", KERAS, KERAS },
	{ "other.org=http://x\n", NULL, KERAS, KERAS },
	{ "storage.googleapis.com=http://127.0.0.1:80/m/\n", NULL, KERAS,
	  "http://127.0.0.1:80/m/tensorflow/k/f%20x.h5" },
	{ "storage.googleapis.com=/srv/gcs\n", "keras", KERAS,
	  "file:///srv/gcs/tensorflow/k/f x.h5" },
	{ "storage.googleapis.com=file:///srv/gcs/\n", "keras", KERAS,
	  "file:///srv/gcs/tensorflow/k/f x.h5" },
	/* a hub's name counts before the host's */
	{ "keras=http://k\nstorage.googleapis.com=http://s\n", "keras", KERAS,
	  "http://k/tensorflow/k/f%20x.h5" },
	{ "keras=http://k\nstorage.googleapis.com=http://s\n", "onnx", KERAS,
	  "http://s/tensorflow/k/f%20x.h5" },
	/* Hugging Face by its two names */
	{ "huggingface=http://h\n", "onnx", HF_FILE,
	  "http://h/o/m/resolve/main/a/b.onnx" },
	{ "huggingface=http://h\nhuggingface.co=http://c\n", "onnx", HF_FILE,
	  "http://c/o/m/resolve/main/a/b.onnx" },
	{ "huggingface=/models\n", "onnx", HF_FILE,
	  "file:///models/o/m/a/b.onnx" },
	{ "huggingface.co=/models\n", "onnx", HF_FILE,
	  "file:///models/o/m/resolve/main/a/b.onnx" },
	/* queries name nothing in a folder */
	{ "a.org=/f\n", NULL, "https://a.org/x?raw=1", "file:///f/x" },
	{ "a.org=http://m\n", NULL, "https://a.org/x?raw=1",
	  "http://m/x?raw=1" },
	{ "a.org=/f\n", NULL, "https://A.ORG/x", "file:///f/x" },
	/* another port is another host */
	{ "a.org=/f\n", NULL, "https://a.org:8443/x", "https://a.org:8443/x" },
	{ "a.org:8443=/f\n", NULL, "https://a.org:8443/x", "file:///f/x" },
	/* below a hub's own endpoint */
	{ "onnx=/zoo\n", "onnx", "/validated/a%20b.onnx",
	  "file:///zoo/validated/a b.onnx" },
	{ "onnx=http://m/zoo\n", "onnx", "/validated/a.onnx",
	  "http://m/zoo/validated/a.onnx" },
	/* refusals */
	{ "keras=/zoo\n", "onnx", "/validated/a.onnx", NULL },
	{ "onnx=/zoo\n", "onnx", "/../a.onnx", NULL },
	{ "a.org=/f\n", NULL, "https://a.org/a/..%2f..%2fx", NULL },
	{ "a.org=/f\n", NULL, "https://a.org/a/../../x", NULL },
	{ "a.org=/f\n", NULL, "https://a.org/%00x", NULL },
	{ "a.org=/f\n", NULL, "https://a.org/%4", NULL },
	{ "a.org=/f\n", NULL, "https://a.org/", NULL },
	{ "huggingface=/models\n", NULL, "https://huggingface.co/o/m", NULL },
	{ "a.org=ftp://b.org\n", NULL, "https://a.org/x", NULL },
	{ "", NULL, "ftp://a.org/x", NULL },
};

static void origins_are_replaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct provider_env env = {
			.endpoint = endpoint_in,
			.endpoint_arg = (void *)(uintptr_t)cases[i].endpoints,
		};
		auto_free char *url = NULL;
		int r = origin_url(&env, cases[i].hub, cases[i].url, &url);

		if (!cases[i].want) {
			assert_int_equal(r, -EINVAL);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(url, cases[i].want);
	}
}

static void the_environment_names_a_mirror(void **state)
{
	struct provider_env env = { 0 };
	auto_free char *url = NULL;

	(void)state;
	setenv("HF_ENDPOINT", "http://mirror", 1);
	assert_int_equal(origin_url(&env, "onnx", HF_FILE, &url), 0);
	unsetenv("HF_ENDPOINT");
	assert_string_equal(url, "http://mirror/o/m/resolve/main/a/b.onnx");
}

static void files_and_folders(void **state)
{
	(void)state;
	assert_string_equal(origin_folder("/a"), "/a");
	assert_string_equal(origin_folder("./a"), "./a");
	assert_string_equal(origin_folder("file:///a"), "/a");
	assert_null(origin_folder("http://a"));
	assert_string_equal(origin_file("file:///a"), "/a");
	assert_null(origin_file("http://a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(origins_are_replaced),
		cmocka_unit_test(the_environment_names_a_mirror),
		cmocka_unit_test(files_and_folders),
	};

	unsetenv("HF_ENDPOINT");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
