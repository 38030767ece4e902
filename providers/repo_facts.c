/* SPDX-License-Identifier: MIT */
#include "providers/repo_facts.h"

#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"

void repo_facts_init(struct repo_facts *facts)
{
	str_init(&facts->json, REPO_FACTS_BYTES_MAX);
	facts->error = 0;
}

void repo_facts_release(struct repo_facts *facts)
{
	str_release(&facts->json);
}

static void put(struct repo_facts *facts, const char *text)
{
	if (facts->error == 0)
		facts->error = str_append_text(&facts->json, text);
}

static void put_string(struct repo_facts *facts, const char *text, size_t len)
{
	if (facts->error == 0)
		facts->error = str_append_json(&facts->json, text, len);
}

static void put_name(struct repo_facts *facts, const char *name)
{
	put(facts, facts->json.len ? "," : "{");
	put_string(facts, name, strlen(name));
	put(facts, ":");
}

static bool has(const char *value)
{
	return value && *value;
}

/* A decimal number as JSON has it: "0.875", not "01", "1." or "0x1". */
static bool is_number(const char *text, size_t len)
{
	const char *point = memchr(text, '.', len);
	size_t whole = point ? (size_t)(point - text) : len;
	uint64_t value;

	if (parse_u64(text, whole, UINT64_MAX, &value) < 0)
		return false;
	if (!point)
		return true;
	len -= whole + 1;
	return len > 0 && len < JSON_NUMBER_BYTES_MAX / 2 &&
	       strspn(point + 1, "0123456789") >= len;
}

static void put_value(struct repo_facts *facts, const char *text, size_t len)
{
	if (!is_number(text, len))
		put_string(facts, text, len);
	else if (facts->error == 0)
		facts->error = str_append(&facts->json, text, len);
}

void repo_facts_text(struct repo_facts *facts, const char *name,
		     const char *value)
{
	if (!has(value))
		return;
	put_name(facts, name);
	put_string(facts, value, strlen(value));
}

void repo_facts_number(struct repo_facts *facts, const char *name,
		       const char *value)
{
	if (!has(value))
		return;
	put_name(facts, name);
	put_value(facts, value, strlen(value));
}

void repo_facts_flag(struct repo_facts *facts, const char *name, bool value)
{
	put_name(facts, name);
	put(facts, value ? "true" : "false");
}

void repo_facts_list(struct repo_facts *facts, const char *name,
		     const char *value, const char *separators)
{
	const char *before = "[";

	if (!has(value))
		return;
	put_name(facts, name);
	for (;;) {
		size_t len = strcspn(value, separators);

		put(facts, before);
		put_value(facts, value, len);
		if (!value[len])
			break;
		value += len + 1;
		before = ",";
	}
	put(facts, "]");
}

/* The last two fields hold no "|"; a name might. */
static void put_port(struct repo_facts *facts, const char *port, size_t len)
{
	const char *shape = memrchr(port, '|', len);
	const char *type = shape ? memrchr(port, '|', (size_t)(shape - port))
				 : NULL;

	put(facts, "{\"name\":");
	put_string(facts, port, type ? (size_t)(type - port) : len);
	if (type) {
		put(facts, ",\"type\":");
		put_string(facts, type + 1, (size_t)(shape - type - 1));
		put(facts, ",\"shape\":");
		put_string(facts, shape + 1, (size_t)(port + len - shape - 1));
	}
	put(facts, "}");
}

void repo_facts_ports(struct repo_facts *facts, const char *name,
		      const char *value)
{
	const char *before = "[";

	if (!has(value))
		return;
	put_name(facts, name);
	for (;;) {
		size_t len = strcspn(value, ";");

		put(facts, before);
		put_port(facts, value, len);
		if (!value[len])
			break;
		value += len + 1;
		before = ",";
	}
	put(facts, "]");
}

void repo_facts_json(struct repo_facts *facts, const char *name,
		     const char *json)
{
	if (!has(json))
		return;
	put_name(facts, name);
	put(facts, json);
}

int repo_facts_take(struct repo_facts *facts, char **out)
{
	put(facts, facts->json.len ? "}" : "{}");
	if (facts->error < 0)
		return facts->error;
	*out = str_take(&facts->json, NULL);
	return 0;
}
