/* SPDX-License-Identifier: MIT */
#include "staging/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_write_init(struct json_write *json, struct str *out)
{
	*json = (struct json_write){ .out = out };
}

static void keep(struct json_write *json, int result)
{
	if (json->result == 0)
		json->result = result;
}

static void begin_member(struct json_write *json, const char *key)
{
	if (json->comma)
		keep(json, str_append_char(json->out, ','));
	json->comma = true;
	if (!key)
		return;
	keep(json, str_append_json(json->out, key, strlen(key)));
	keep(json, str_append_char(json->out, ':'));
}

void json_write_open(struct json_write *json, const char *key, char bracket)
{
	begin_member(json, key);
	keep(json, str_append_char(json->out, bracket));
	json->comma = false;
}

void json_write_close(struct json_write *json, char bracket)
{
	keep(json, str_append_char(json->out, bracket));
	json->comma = true;
}

void json_write_text(struct json_write *json, const char *key, const char *text)
{
	if (!text) {
		json_write_raw(json, key, "null");
		return;
	}
	begin_member(json, key);
	keep(json, str_append_json(json->out, text, strlen(text)));
}

void json_write_u64(struct json_write *json, const char *key, uint64_t value)
{
	begin_member(json, key);
	keep(json, str_printf(json->out, "%" PRIu64, value));
}

void json_write_double(struct json_write *json, const char *key, double value)
{
	char text[32];

	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	json_write_raw(json, key, text);
}

void json_write_members(struct json_write *json, const char *object)
{
	const char *first = object + strspn(object, " \t\r\n{");
	const char *last = strrchr(object, '}');

	if (!last || first >= last)
		return;
	begin_member(json, NULL);
	keep(json, str_append(json->out, first, (size_t)(last - first)));
}

void json_write_raw(struct json_write *json, const char *key, const char *value)
{
	begin_member(json, key);
	keep(json, str_append_text(json->out, value));
}

void json_write_newline(struct json_write *json)
{
	keep(json, str_append_char(json->out, '\n'));
}

int json_write_end(struct json_write *json)
{
	return json->result;
}
