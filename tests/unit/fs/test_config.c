/* SPDX-License-Identifier: MIT */
/* Settings: what is taken, what is refused and how it is said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/config.h"
#include "tests/unit/unit.h"

static const struct {
	const char *name;
	const char *value;
	int want;
} settings[] = {
	{ "cache", "/var/cache/x", 0 },
	{ "cache", "", -EINVAL },
	{ "cache", NULL, -EINVAL },
	{ "cache-size", "20G", 0 },
	{ "cache-size", "many", -EINVAL },
	{ "cache-size", "0", -EINVAL },
	{ "keep-free", "512M", 0 },
	{ "keep-free", "0", 0 },
	{ "keep-free", "none", -EINVAL },
	{ "endpoint", "huggingface=http://localhost:1", 0 },
	{ "endpoint", "huggingface=", -EINVAL },
	{ "endpoint", "=x", -EINVAL },
	{ "endpoint", "huggingface", -EINVAL },
	{ "verify", "full", 0 },
	{ "verify", "sometimes", -EINVAL },
	{ "form", "dl4j", 0 },
	{ "form", "DL4J", -EINVAL },
	{ "offline", NULL, 0 },
	{ "offline", "no", 0 },
	{ "offline", "perhaps", -EINVAL },
	{ "timeout", "30", 0 },
	{ "timeout", "0", -EINVAL },
	{ "timeout", "1e9", -EINVAL },
	{ "log-level", "debug", 0 },
	{ "converter", "convert {snapshot} {out}", 0 },
	{ "converter", "none", 0 },
	{ "converter", "convert {snapshot}", -EINVAL },
	{ "converter", "", -EINVAL },
	{ "converter-sandbox", "landlock", 0 },
	{ "converter-sandbox", "perhaps", -EINVAL },
	{ "converter-memory", "8G", 0 },
	{ "converter-memory", "much", -EINVAL },
	{ "converter-timeout", "60", 0 },
	{ "converter-timeout", "0", -EINVAL },
	{ "colour", "red", -EINVAL },
};

static void settings_are_taken_or_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		auto_config struct config config;
		auto_str struct str why;

		config_init(&config);
		str_init(&why, 4096);
		assert_int_equal(config_set(&config, settings[i].name,
					    settings[i].value, &why),
				 settings[i].want);
		assert_int_equal(why.len > 0, settings[i].want < 0);
	}
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void a_file_and_then_the_command_line(void **state)
{
	char path[] = "/tmp/omnihub-config-XXXXXX";
	auto_config struct config config;
	auto_str struct str why;

	(void)state;
	assert_true(close(mkstemp(path)) == 0);
	write_file(path, "cache-size = 1G\noffline = yes\n"
			 "[endpoints]\nhuggingface = /srv/models\n");
	config_init(&config);
	str_init(&why, 4096);
	assert_int_equal(config_read(&config, path, &why), 0);
	assert_int_equal(config_set(&config, "cache-size", "2G", &why), 0);
	assert_true(config.cache_bytes == 2ULL << 30);
	assert_true(config.offline);
	assert_string_equal(config_endpoint(&config, "huggingface"),
			    "/srv/models");
	assert_null(config_endpoint(&config, "onnx"));
	unlink(path);
}

static void a_wrong_line_is_named(void **state)
{
	char path[] = "/tmp/omnihub-config-XXXXXX";
	auto_config struct config config;
	auto_str struct str why;

	(void)state;
	assert_true(close(mkstemp(path)) == 0);
	write_file(path, "offline = yes\ncache-size = x\n");
	config_init(&config);
	str_init(&why, 4096);
	assert_int_equal(config_read(&config, path, &why), -EINVAL);
	assert_non_null(strstr(str_text(&why), "cache-size"));
	assert_non_null(strstr(str_text(&why), "line 2"));
	unlink(path);
	assert_int_equal(config_read(&config, path, &why), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_taken_or_explained),
		cmocka_unit_test(a_file_and_then_the_command_line),
		cmocka_unit_test(a_wrong_line_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
