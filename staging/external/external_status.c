/* SPDX-License-Identifier: MIT */
#include "staging/external/external_status.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "staging/json_write.h"

static void write_refusal(struct json_write *json,
			  const struct convertible *what)
{
	json_write_text(json, "code", what->code);
	json_write_text(json, "reason", what->reason);
	json_write_text(json, "detail", what->detail);
	json_write_text(json, "model_type", what->model_type);
	json_write_text(json, "task", what->task);
}

static void write_tool(struct json_write *json, const struct convert_tool *tool)
{
	json_write_open(json, "converter", '{');
	json_write_text(json, "command", tool->text);
	json_write_text(json, "version", tool->version);
	json_write_text(json, "sandbox", tool->box);
	json_write_close(json, '}');
}

static int end(struct json_write *json)
{
	json_write_close(json, '}');
	json_write_newline(json);
	return json_write_end(json);
}

int status_of_offer(const struct convertible *what,
		    const struct convert_tool *tool, struct str *out)
{
	struct json_write json;

	json_write_init(&json, out);
	json_write_open(&json, NULL, '{');
	json_write_text(&json, "state",
			tool->missing ? "refused" : "convertible");
	write_refusal(&json, what);
	if (tool->missing) {
		json_write_text(&json, "converter", tool->missing);
		json_write_text(&json, "install", convert_tool_install);
	} else {
		json_write_text(&json, "convert", "omnihub convert <folder>");
		write_tool(&json, tool);
	}
	return end(&json);
}

static void write_progress(struct json_write *json,
			   struct conversion *conversion)
{
	struct job_entry *entry = &conversion->entry;
	uint64_t total = atomic_load(&entry->total);
	uint64_t done = u64_min(atomic_load(&entry->done), total);

	json_write_text(json, "phase", atomic_load(&entry->state));
	if (total > 0) {
		json_write_u64(
			json, "percent",
			(uint64_t)(100.0 * (double)done / (double)total));
		json_write_u64(json, "done", done);
		json_write_u64(json, "total", total);
	}
	json_write_u64(json, "seconds",
		       (clock_now_ns() - entry->begun_ns) / NS_PER_S);
}

static void write_failure(struct json_write *json,
			  const struct conversion *conversion)
{
	json_write_open(json, "failure", '{');
	json_write_text(json, "code", conversion->why.code);
	json_write_text(json, "reason", conversion->why.reason);
	json_write_text(json, "detail", conversion->why.detail);
	json_write_u64(json, "seconds", conversion->took_s);
	json_write_text(json, "output", conversion->lines);
	json_write_close(json, '}');
	json_write_text(json, "convert", "omnihub convert <folder>");
}

int status_of_conversion(const struct convertible *what,
			 struct conversion *conversion, struct str *out)
{
	bool failed = conversion_has_failed(conversion);
	struct json_write json;

	json_write_init(&json, out);
	json_write_open(&json, NULL, '{');
	json_write_text(&json, "state", failed ? "failed" : "converting");
	write_refusal(&json, what);
	if (failed)
		write_failure(&json, conversion);
	else
		write_progress(&json, conversion);
	write_tool(&json, conversion->tool);
	return end(&json);
}
