/* SPDX-License-Identifier: MIT */
/*
 * A conversion from its beginning to its end, on one thread: the model's
 * files are copied, the command runs in its box, what it wrote is checked
 * and kept.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "staging/external/conversion.h"
#include "staging/external/output_tail.h"
#include "staging/external/snapshot.h"
#include "staging/stage_repo.h"

/* Between looks at the mount and the disk, which cost a call or two. */
#define LOOK_NS (200 * NS_PER_MS)

#define BOX_BROKEN 125 /* omnihub-box could not do its part */

int conversion_look(void *arg)
{
	struct conversion *conversion = arg;
	const struct converter *converter = conversion->converter;
	const struct converter_options *options = &converter->options;
	uint64_t room, now_ns = clock_now_ns();
	int r;

	if (atomic_load(&converter->closing))
		return -ESHUTDOWN;
	if (atomic_load(&conversion->stop))
		return -ECANCELED;
	if (now_ns < conversion->look_ns)
		return 0;
	conversion->look_ns = now_ns + LOOK_NS;
	if (options->is_wanted && !options->is_wanted(options->wanted_arg))
		return -ESHUTDOWN;
	r = job_folder_room(options->dir, &room);
	return r ?: room == 0 ? -ENOSPC : 0;
}

static void enter_state(struct conversion *conversion, const char *state,
			uint64_t total)
{
	atomic_store(&conversion->entry.done, 0);
	atomic_store(&conversion->entry.total, total);
	atomic_store(&conversion->entry.state, state);
	log_debug("convert", "%s: %s", conversion->label, state);
}

/* The refusal said so before; nothing runs should that have been passed by. */
static int check_config(struct conversion *conversion)
{
	auto_json struct json_doc *doc = NULL;
	int r = stage_repo_json(&conversion->repo, "config.json", &doc);

	if (r == 0 && json_count(json_get(json_root(doc), "auto_map")) > 0)
		return refuse(&conversion->why, "remote-code", "auto_map",
			      "the model needs Python code of its repository");
	return r;
}

static int no_room(struct conversion *conversion)
{
	return refuse(&conversion->why, "disk-full", NULL,
		      "the disk of the cache has no room for a conversion");
}

static int copy_snapshot(struct conversion *conversion,
			 const struct job_folder *folder)
{
	struct snapshot_copy copy = { &conversion->entry.done, conversion_look,
				      conversion };
	auto_free char *path = mem_printf("%s/snapshot", folder->path);
	auto_snapshot struct snapshot snapshot = { 0 };
	uint64_t room;
	int r = path ? check_config(conversion) : -ENOMEM;

	if (r == 0)
		r = snapshot_choose(&conversion->repo, &snapshot,
				    &conversion->why);
	r = r ?: job_folder_room(folder->path, &room);
	if (r < 0)
		return r;
	if (snapshot.bytes > room / 2) /* the result is about as long */
		return no_room(conversion);
	enter_state(conversion, "downloading", snapshot.bytes);
	return snapshot_write(&snapshot, &conversion->repo, path, &copy,
			      &conversion->why);
}

/* What an exit status means, for people. */
static int judge(struct conversion *conversion, const struct job_folder *folder,
		 int status)
{
	struct refusal *why = &conversion->why;
	uint64_t room;

	if (status == 0)
		return 0;
	if (status == BOX_BROKEN)
		return refuse(why, "sandbox", NULL,
			      "the converter could not be started in its "
			      "sandbox");
	if (status == 128 + SIGXCPU)
		return refuse(why, "time", NULL,
			      "the converter used more time than it may");
	if (status == 128 + SIGXFSZ)
		return no_room(conversion);
	if (status == 128 + SIGKILL)
		return refuse(why, "killed", NULL,
			      "the converter was killed: the machine's memory "
			      "was probably not enough");
	if (status > 128)
		return refuse(why, "crashed", NULL,
			      "the converter was ended by signal %d",
			      status - 128);
	/* It may see that before conversion_look() does. */
	if (job_folder_room(folder->path, &room) == 0 && room == 0)
		return no_room(conversion);
	return refuse(why, "exit", NULL, "the converter ended with status %d",
		      status);
}

static int fill(const struct conversion *conversion,
		const struct job_folder *folder, struct command *out)
{
	auto_free char *snapshot = mem_printf("%s/snapshot", folder->path);
	auto_free char *result = mem_printf("%s/out", folder->path);
	struct command_values values = { snapshot, result, conversion->task };

	if (!snapshot || !result)
		return -ENOMEM;
	return command_fill(&conversion->tool->command, &values, out);
}

/* The last lines it printed, for who asks why. */
static void keep_lines(struct conversion *conversion, const struct str *tail)
{
	auto_str struct str lines;

	str_init(&lines, CONVERT_LINES_BYTES + CONVERT_LINES_MAX);
	if (tail_lines(tail, &lines) == 0)
		conversion->lines = mem_strdup(str_text(&lines));
}

static int run_command(struct conversion *conversion,
		       const struct job_folder *folder)
{
	const struct converter_options *options =
		&conversion->converter->options;
	auto_command struct command command = { 0 };
	struct convert_bounds bounds = { options->memory_bytes,
					 options->seconds, 0 };
	auto_str struct str output;
	struct box_process process = {
		.until_ns = clock_after_ns(options->seconds * NS_PER_S),
		.look = conversion_look,
		.arg = conversion,
		.output = &output,
	};
	int r;

	str_init(&output, CONVERT_OUTPUT_BYTES);
	r = fill(conversion, folder, &command);
	r = r ?: job_folder_room(folder->path, &bounds.file_bytes);
	if (r < 0)
		return r;
	enter_state(conversion, "converting", 0);
	r = convert_tool_run(options, conversion->tool->box, &command, folder,
			     &bounds, &process);
	if (r != 0)
		keep_lines(conversion, &output);
	if (r == -ETIMEDOUT)
		return refuse(&conversion->why, "time", NULL,
			      "the converter took longer than %u seconds",
			      options->seconds);
	return r < 0 ? r : judge(conversion, folder, r);
}

static int convert(struct conversion *conversion)
{
	auto_job_folder struct job_folder folder = { 0 };
	int r = conversion_look(conversion);

	r = r ?: job_folder_make(conversion->converter->options.dir, &folder);
	r = r ?: copy_snapshot(conversion, &folder);
	r = r ?: run_command(conversion, &folder);
	if (r < 0)
		return r;
	enter_state(conversion, "checking", 0);
	return convert_result_keep(conversion, &folder);
}

/* Every failure has words. */
static void explain(struct conversion *conversion, int r)
{
	if (r == -ENOSPC || r == -EDQUOT)
		(void)no_room(conversion);
	else if (r != -EBADMSG)
		(void)refuse(&conversion->why, "error", NULL,
			     "the conversion failed: %s", strerror(-r));
}

void conversion_run(struct pool_work *work)
{
	struct conversion *conversion = container_of(work, struct conversion,
						     work);
	int r;

	conversion->repo.deadline_ns = CLOCK_NEVER;
	r = convert(conversion);
	if (r == 0) {
		log_info("convert", "%s was converted", conversion->label);
	} else if (r != -ESHUTDOWN && r != -ECANCELED) {
		explain(conversion, r);
		log_warn("convert", "%s was not converted: %s",
			 conversion->label,
			 conversion->why.reason ? conversion->why.reason
						: strerror(-r));
	}
	conversion_end(conversion, r);
	conversion_unref(conversion);
}
