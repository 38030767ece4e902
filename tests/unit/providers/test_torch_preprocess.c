/* SPDX-License-Identifier: MIT */
#include "providers/torch_preprocess.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/catalogue.h"
#include "tests/unit/unit.h"

#define BEGIN "{\"layout\":\"NCHW\",\"channel_order\":\"RGB\""
#define VIDEO "{\"layout\":\"NCTHW\",\"channel_order\":\"RGB\""
#define RESCALE "\"rescale\":0.00392156862745098"

/* A column, and its JSON or errno. */
static const struct {
	const char *column;
	int want;
	const char *json; /* NULL: nothing */
} rows[] = {
	{ "", 0, NULL },
	{ "scale=1/255", 0, BEGIN "," RESCALE "}" },
	{ "resize_short=256;interp=bilinear;antialias=1;center_crop=224;"
	  "scale=1/255;mean=0.485,0.456,0.406;std=0.229,0.224,0.225",
	  0,
	  BEGIN ",\"resize\":{\"shortest_edge\":256},"
		"\"interpolation\":\"bilinear\",\"antialias\":true,"
		"\"crop\":{\"height\":224,\"width\":224}," RESCALE
		",\"mean\":[0.485,0.456,0.406],\"std\":[0.229,0.224,0.225]}" },
	{ "resize=128x171;antialias=0;center_crop=112x100;permute=TCHW->CTHW",
	  0,
	  VIDEO
	  ",\"resize\":{\"height\":128,\"width\":171},"
	  "\"antialias\":false,\"crop\":{\"height\":112,\"width\":100}}" },
	{ "resize=256;scale=1/255", 0,
	  BEGIN ",\"resize\":{\"shortest_edge\":256}," RESCALE "}" },
	{ "resize=256;resize_short=256", -EBADMSG, NULL },
	{ "scale=1/127", -EBADMSG, NULL },
	{ "permute=HWC", -EBADMSG, NULL },
	{ "scale=1/255;scale=1/255", -EBADMSG, NULL },
	{ "flip=1", -EBADMSG, NULL },
	{ "scale", -EBADMSG, NULL },
	{ ";", -EBADMSG, NULL },
};

static void columns_become_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *json = NULL;

		assert_int_equal(torch_preprocess(rows[i].column, &json),
				 rows[i].want);
		if (rows[i].json)
			assert_string_equal(json, rows[i].json);
		else
			assert_null(json);
	}
}

static void check_catalogue(const char *hub)
{
	static const char *const name[] = { "preprocess" };
	auto_catalogue struct catalogue *table = NULL;
	size_t column, some = 0;

	assert_int_equal(catalogue_load(hub, &table), 0);
	assert_int_equal(catalogue_columns(table, name, 1, &column), 0);
	for (size_t i = 0; i < catalogue_all(table).count; i++) {
		const char *text = catalogue_field(table, i, column);
		auto_free char *json = NULL;

		assert_int_equal(torch_preprocess(text, &json), 0);
		/* every side and figure was read as a number */
		assert_true(!json || !strstr(json, "\"\""));
		some += json != NULL;
	}
	assert_true(some * 10 > catalogue_all(table).count * 9);
}

static void every_row_of_the_catalogues_is_of_that_form(void **state)
{
	(void)state;
	check_catalogue("torchvision");
	check_catalogue("timm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_become_json),
		cmocka_unit_test(every_row_of_the_catalogues_is_of_that_form),
	};

	unsetenv("OMNIHUB_SHARE");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
