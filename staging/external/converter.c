/* SPDX-License-Identifier: MIT */
/* Which conversions there are; what converts. */
#include "staging/converter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "staging/external/conversion.h"
#include "staging/external/external_view.h"
#include "staging/spawn.h"

#define BOX_PROGRAM "omnihub-box"

int converter_check(const char *command, struct str *why)
{
	auto_command struct command parsed = { 0 };

	if (strcmp(command, CONVERTER_NONE) == 0)
		return 0;
	return command_parse(command, &parsed, why);
}

static uint64_t default_memory(void)
{
	uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES);
	uint64_t all = pages * (uint64_t)sysconf(_SC_PAGESIZE);

	return u64_min(CONVERT_MEMORY_BYTES, all / 5 * 4);
}

static int copy_options(struct converter *converter,
			const struct converter_options *options)
{
	struct converter_options *own = &converter->options;
	char *box = NULL;
	int r = 0;

	*own = *options;
	own->dir = mem_strdup(options->dir);
	own->command = options->command ? mem_strdup(options->command) : NULL;
	own->box = NULL;
	if (options->box)
		box = mem_strdup(options->box);
	else
		r = spawn_find(BOX_PROGRAM, &box);
	own->box = box;
	own->memory_bytes = options->memory_bytes ?: default_memory();
	own->seconds = options->seconds ?: CONVERT_S;
	if (r == 0 &&
	    (!own->dir || !box || (options->command && !own->command)))
		r = -ENOMEM;
	return r;
}

static void sweep(struct pool_work *work)
{
	struct converter *converter = container_of(work, struct converter,
						   sweep);

	job_folders_sweep(converter->options.dir);
}

int converter_new(const struct converter_options *options,
		  struct converter **out)
{
	struct converter *converter = mem_zalloc(sizeof(*converter));
	int r;

	if (!converter)
		return -ENOMEM;
	lock_init(&converter->lock);
	cond_init(&converter->found);
	map_init(&converter->conversions);
	converter->sweep.run = sweep;
	r = copy_options(converter, options);
	if (r == 0)
		r = pool_new("omnihub-convert", 1, CONVERT_QUEUE_MAX + 1,
			     &converter->pool);
	if (r == 0)
		job_folders_set_aside(converter->options.dir);
	r = r ?: pool_add(converter->pool, &converter->sweep);
	if (r < 0)
		converter_free(converter);
	else
		*out = converter;
	return r;
}

void converter_stop(struct converter *converter)
{
	if (!converter)
		return;
	atomic_store(&converter->closing, true);
	pool_stop(converter->pool);
}

void converter_free(struct converter *converter)
{
	const struct map_slot *slot;
	size_t at = 0;

	if (!converter)
		return;
	converter_stop(converter);
	pool_free(converter->pool);
	while ((slot = map_next(&converter->conversions, &at)))
		conversion_unref(slot->value);
	map_release(&converter->conversions);
	convert_tool_unref(converter->tool);
	cond_release(&converter->found);
	lock_release(&converter->lock);
	free((char *)(uintptr_t)converter->options.dir);
	free((char *)(uintptr_t)converter->options.command);
	free((char *)(uintptr_t)converter->options.box);
	free(converter);
}

/* ---- what converts ---- */

/* With the lock held: whether we are the one to look for it. */
static int must_look_locked(struct converter *converter, uint64_t deadline_ns,
			    bool again)
{
	int r = 0;

	lock_assert_held(&converter->lock);
	if (deadline_ns == DEADLINE_NOW)
		return converter->tool ? 0 : -EINPROGRESS;
	while (r == 0 && converter->looking)
		r = cond_wait_until(&converter->found, &converter->lock,
				    deadline_ns);
	if (r < 0)
		return r;
	return !converter->tool || (again && converter->tool->missing);
}

static int look_for_end(void *arg)
{
	struct converter *converter = arg;

	return atomic_load(&converter->closing) ? -ESHUTDOWN : 0;
}

/* Without the lock: this takes a while. */
static int look_for_tool(struct converter *converter)
{
	struct convert_tool *tool = NULL, *old = NULL;
	int r = convert_tool_find(&converter->options, look_for_end, converter,
				  &tool);

	lock_take(&converter->lock);
	if (r == 0) {
		old = converter->tool;
		converter->tool = tool;
	}
	converter->looking = false;
	cond_wake_all(&converter->found);
	lock_drop(&converter->lock);
	convert_tool_unref(old);
	if (r == 0 && tool->missing)
		log_info("convert", "%s", tool->missing);
	else if (r == 0)
		log_info("convert", "converter: %s (%s; %s)", tool->text,
			 tool->version, tool->box);
	return r;
}

int converter_tool(struct converter *converter, uint64_t deadline_ns,
		   bool again, struct convert_tool **out)
{
	int r;

	lock_take(&converter->lock);
	r = must_look_locked(converter, deadline_ns, again);
	if (r > 0)
		converter->looking = true;
	lock_drop(&converter->lock);
	if (r > 0)
		r = look_for_tool(converter);
	if (r < 0)
		return r;
	lock_take(&converter->lock);
	*out = convert_tool_ref(converter->tool);
	lock_drop(&converter->lock);
	return 0;
}

/* ---- conversions ---- */

int conversion_key_of(const struct stage_repo *repo, const char *task,
		      struct conversion_key *out)
{
	const struct converter *converter = repo->converter;
	const char *command = converter->options.command;
	static const struct digest none = { .kind = DIGEST_NONE };
	struct content_key key;
	auto_free char *pin = mem_printf(
		"convert/1/%s:%s@%s/%s/%s",
		repo->kind ? repo->kind : "huggingface", repo->id,
		repo->revision, task, command ? command : convert_tool_default);
	int r = pin ? content_key_make(&none, pin, &key) : -ENOMEM;

	if (r == 0)
		content_key_hex(&key, out->hex);
	return r;
}

static struct conversion *conversion_ref(struct conversion *conversion)
{
	atomic_fetch_add(&conversion->refs, 1);
	return conversion;
}

void conversion_unref(struct conversion *conversion)
{
	if (!conversion || atomic_fetch_sub(&conversion->refs, 1) != 1)
		return;
	if (conversion->repo.unref)
		conversion->repo.unref(conversion->repo.arg);
	convert_tool_unref(conversion->tool);
	refusal_release(&conversion->why);
	free(conversion->lines);
	free(conversion->task);
	free(conversion->label);
	free(conversion);
}

struct conversion *converter_conversion(struct converter *converter,
					const struct conversion_key *key)
{
	struct conversion *conversion;

	lock_take(&converter->lock);
	conversion = map_get(&converter->conversions, key->hex);
	if (conversion)
		conversion_ref(conversion);
	lock_drop(&converter->lock);
	return conversion;
}

bool conversion_has_failed(struct conversion *conversion)
{
	bool failed;

	lock_take(&conversion->converter->lock);
	failed = conversion->failed;
	lock_drop(&conversion->converter->lock);
	return failed;
}

static int conversion_new(struct converter *converter,
			  const struct stage_repo *repo, const char *task,
			  struct conversion **out)
{
	auto_conversion struct conversion *conversion =
		mem_zalloc(sizeof(*conversion));
	int r;

	if (!conversion)
		return -ENOMEM;
	atomic_init(&conversion->refs, 1);
	conversion->work.run = conversion_run;
	conversion->converter = converter;
	conversion->task = mem_strdup(task);
	conversion->label = mem_printf("%s (%s)", repo->id, task);
	if (!conversion->task || !conversion->label)
		return -ENOMEM;
	r = conversion_key_of(repo, task, &conversion->key);
	if (r < 0)
		return r;
	conversion->repo = *repo;
	if (repo->ref)
		conversion->repo.arg = repo->ref(repo->arg);
	memcpy(conversion->entry.key, conversion->key.hex, CONTENT_KEY_HEX);
	conversion->entry.label = conversion->label;
	conversion->entry.begun_ns = clock_now_ns();
	atomic_init(&conversion->entry.state, "waiting");
	*out = take_ptr(conversion);
	return 0;
}

/* One that failed makes room for who comes later. */
static struct conversion *drop_failed_locked(struct converter *converter,
					     const char *key)
{
	const struct map_slot *slot;
	struct conversion *old = map_get(&converter->conversions, key);
	size_t at = 0;

	lock_assert_held(&converter->lock);
	while (!old && converter->conversions.count >= CONVERT_FAILED_MAX &&
	       (slot = map_next(&converter->conversions, &at)))
		if (((struct conversion *)slot->value)->failed)
			old = slot->value;
	if (!old || !old->failed)
		return NULL;
	return map_remove(&converter->conversions, old->key.hex);
}

/* 1: another goes on.  The table's reference is the caller's. */
static int enter(struct converter *converter, struct conversion *fresh)
{
	struct conversion *old, *failed;
	int r;

	lock_take(&converter->lock);
	failed = drop_failed_locked(converter, fresh->key.hex);
	old = map_get(&converter->conversions, fresh->key.hex);
	r = old ? 1 : map_add(&converter->conversions, fresh->key.hex, fresh);
	lock_drop(&converter->lock);
	conversion_unref(failed);
	return r;
}

static void leave(struct conversion *conversion)
{
	struct converter *converter = conversion->converter;
	struct conversion *left;

	lock_take(&converter->lock);
	left = map_get(&converter->conversions, conversion->key.hex);
	left = left == conversion ? map_remove(&converter->conversions,
					       conversion->key.hex)
				  : NULL;
	lock_drop(&converter->lock);
	conversion_unref(left);
}

/* Of @fresh the work has one reference from now on, the table another. */
static int begin(struct converter *converter, struct conversion *fresh)
{
	struct jobs *jobs = converter->options.jobs;
	int r = enter(converter, conversion_ref(fresh));

	if (r != 0) {
		conversion_unref(fresh);
		return r < 0 ? r : 0;
	}
	r = jobs_enter(jobs, &fresh->entry);
	if (r == 0) {
		r = pool_add(converter->pool, &conversion_ref(fresh)->work);
		if (r < 0) {
			conversion_unref(fresh);
			jobs_exit(jobs, &fresh->entry);
		}
	}
	if (r < 0)
		leave(fresh);
	return r == -EBUSY || r == -EEXIST ? -EAGAIN : r;
}

void conversion_end(struct conversion *conversion, int r)
{
	struct converter *converter = conversion->converter;
	bool forget = r == 0 || r == -ESHUTDOWN || r == -ECANCELED;

	jobs_exit(converter->options.jobs, &conversion->entry);
	conversion->took_s = (clock_now_ns() - conversion->entry.begun_ns) /
			     NS_PER_S;
	if (forget) {
		leave(conversion);
		return;
	}
	lock_take(&converter->lock);
	conversion->failed = true; /* C2 */
	lock_drop(&converter->lock);
}

static int start(struct converter *converter, const struct stage_repo *repo,
		 const char *task)
{
	auto_convert_tool struct convert_tool *tool = NULL;
	auto_conversion struct conversion *fresh = NULL;
	int r = converter_tool(converter, repo->deadline_ns, true, &tool);

	if (r < 0)
		return r;
	if (tool->missing)
		return -EOPNOTSUPP;
	r = conversion_new(converter, repo, task, &fresh);
	if (r < 0)
		return r;
	fresh->tool = take_ptr(tool);
	return begin(converter, fresh);
}

int converter_start(struct converter *converter, const struct stage_repo *repo,
		    const char *dir)
{
	auto_convertible struct convertible what = { 0 };
	auto_stage_listing struct stage_listing kept = { 0 };
	int r = convertible_find(repo, dir, &what);

	if (r == -ENOENT || (r == 0 && what.never))
		return -EOPNOTSUPP;
	if (r < 0)
		return r;
	r = convert_result_list(converter, repo, what.task, &kept);
	return r == -ENOENT ? start(converter, repo, what.task) : r;
}

int converter_forget(struct converter *converter, const struct stage_repo *repo,
		     const char *dir)
{
	auto_convertible struct convertible what = { 0 };
	auto_conversion struct conversion *conversion = NULL;
	struct conversion_key key;
	int r = convertible_find(repo, dir, &what);

	r = r ?: conversion_key_of(repo, what.task, &key);
	if (r < 0)
		return r == -ENOENT ? -EOPNOTSUPP : r;
	conversion = converter_conversion(converter, &key);
	if (conversion && !conversion_has_failed(conversion)) {
		atomic_store(&conversion->stop, true);
		return 0;
	}
	if (conversion)
		leave(conversion);
	r = convert_result_forget(converter, repo, what.task);
	return r == -ENOENT ? (conversion ? 0 : -EOPNOTSUPP) : r;
}
