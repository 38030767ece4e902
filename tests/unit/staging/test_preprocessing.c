/* SPDX-License-Identifier: MIT */
/* What is done to an image, told of the libraries' own files. */
#include "staging/preprocessing.h"

#include <string.h>

#include "base/limits.h"
#include "tests/unit/unit.h"

struct row {
	const char *config;
	const char *said; /* what stands between the braces */
};

#define BEGIN \
	"\"preprocessing\":{\"layout\":\"NCHW\",\"channel_order\":\"RGB\","

static void assert_said(const struct row *row,
			void (*write)(struct json_write *json,
				      const struct json *config))
{
	auto_json struct json_doc *doc = NULL;
	auto_str struct str text;
	struct json_write json;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	assert_int_equal(json_parse(row->config, strlen(row->config),
				    CONFIG_BYTES_MAX, &doc),
			 0);
	json_write_init(&json, &text);
	write(&json, json_root(doc));
	assert_int_equal(json_write_end(&json), 0);
	assert_string_equal(str_text(&text), row->said);
}

static void a_processor_says_what_it_does(void **state)
{
	static const struct row rows[] = {
		{ "{\"do_resize\":true,\"size\":{\"height\":224,\"width\":224},"
		  "\"resample\":2,\"do_normalize\":true,\"do_rescale\":true,"
		  "\"rescale_factor\":0.00392156862745098,"
		  "\"image_mean\":[0.5,0.5,0.5],\"image_std\":[0.5,0.5,0.5]}",
		  BEGIN "\"resize\":{\"height\":224,\"width\":224},"
			"\"interpolation\":\"bilinear\","
			"\"rescale\":0.00392156862745098,"
			"\"mean\":[0.5,0.5,0.5],\"std\":[0.5,0.5,0.5]}" },
		{ "{\"size\":224,\"do_center_crop\":true,\"crop_size\":224,"
		  "\"resample\":3,\"image_mean\":[0.485],\"image_std\":[1],"
		  "\"do_rescale\":false,\"do_normalize\":false}",
		  BEGIN "\"resize\":{\"height\":224,\"width\":224},"
			"\"interpolation\":\"bicubic\","
			"\"crop\":{\"height\":224,\"width\":224}}" },
		{ "{\"feature_extractor_type\":\"CLIPFeatureExtractor\","
		  "\"size\":224,\"do_center_crop\":true,\"crop_size\":224,"
		  "\"do_rescale\":false}",
		  BEGIN "\"resize\":{\"shortest_edge\":224},"
			"\"crop\":{\"height\":224,\"width\":224}}" },
		{ "{\"size\":{\"shortest_edge\":256},\"do_rescale\":false}",
		  BEGIN "\"resize\":{\"shortest_edge\":256}}" },
		{ "{\"feature_size\":80,\"size\":3}", "" },
		{ "{\"do_lower_case\":true}", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_said(&rows[i], preprocessing_of_processor);
}

static void timm_fills_in_what_it_leaves_out(void **state)
{
	static const struct row rows[] = {
		{ "{\"architecture\":\"resnet18\",\"pretrained_cfg\":{"
		  "\"input_size\":[3,224,224],\"crop_pct\":0.95,"
		  "\"interpolation\":\"bicubic\",\"mean\":[0.5,0.5,0.5],"
		  "\"std\":[0.5,0.5,0.5]}}",
		  BEGIN "\"resize\":{\"shortest_edge\":235},"
			"\"interpolation\":\"bicubic\","
			"\"crop\":{\"height\":224,\"width\":224},"
			"\"rescale\":0.00392156862745098,"
			"\"mean\":[0.5,0.5,0.5],\"std\":[0.5,0.5,0.5]}" },
		{ "{}", BEGIN
		  "\"resize\":{\"shortest_edge\":256},"
		  "\"interpolation\":\"bicubic\","
		  "\"crop\":{\"height\":224,\"width\":224},"
		  "\"rescale\":0.00392156862745098,"
		  "\"mean\":[0.485,0.456,0.406],\"std\":[0.229,0.224,0.225]}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_said(&rows[i], preprocessing_of_timm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_processor_says_what_it_does),
		cmocka_unit_test(timm_fills_in_what_it_leaves_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
