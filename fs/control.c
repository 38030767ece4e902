/* SPDX-License-Identifier: MIT */
#include "fs/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "staging/jobs.h"

/* Two dozen figures of at most 100 bytes. */
#define CONTROL_BYTES_MAX ((size_t)64 << 10)

/* All figures of the moment, taken together. */
struct figures {
	struct cache_stats cache;
	struct fetcher_stats fetch;
	size_t slow_load;
	size_t disk_load;
	uint64_t nodes;
};

static void figures_take(struct fs *fs, struct figures *out)
{
	*out = (struct figures){ 0 };
	cache_stats(fs->cache, &out->cache);
	if (fs->fetcher)
		fetcher_stats(fs->fetcher, &out->fetch);
	out->slow_load = pool_load(fs->slow);
	out->disk_load = pool_load(fs->disk);
	lock_take(&fs->tree.lock);
	out->nodes = fs->tree.node_count;
	lock_drop(&fs->tree.lock);
}

/* One figure: its name, its kind for Prometheus, what it says. */
struct figure {
	const char *name;
	const char *kind;
	const char *help;
	unsigned long long value;
};

#define FIGURES_MAX 32

/* Fills @out, of FIGURES_MAX; their number. */
static size_t figures_name(const struct fs *fs, const struct figures *f,
			   struct figure *out)
{
	const struct fs_counters *c = &fs->counters;
	const struct figure all[] = {
		{ "reads_total", "counter", "Reads answered", c->reads },
		{ "read_bytes_total", "counter", "Bytes of reads answered",
		  c->read_bytes },
		{ "reads_parked_total", "counter",
		  "Reads that had to wait for a fetch", c->parked },
		{ "opens_total", "counter", "Files opened", c->opens },
		{ "lookups_total", "counter", "Names looked up", c->lookups },
		{ "slow_requests_total", "counter",
		  "Requests that went to the slow lane", c->slow },
		{ "deadlines_total", "counter", "Requests that ran out of time",
		  c->deadlines },
		{ "interrupts_total", "counter", "Requests interrupted",
		  c->interrupts },
		{ "waiting", "gauge", "Requests unanswered now",
		  (unsigned long long)c->waiting },
		{ "slow_lane_load", "gauge", "Work in the slow lane",
		  f->slow_load },
		{ "disk_lane_load", "gauge", "Work in the disk lane",
		  f->disk_load },
		{ "nodes", "gauge", "Inodes known", f->nodes },
		{ "cache_bytes", "gauge", "Bytes of blocks on disk",
		  f->cache.bytes_used },
		{ "cache_bytes_max", "gauge", "Budget of the cache",
		  f->cache.bytes_max },
		{ "cache_blobs", "gauge", "Blobs open", f->cache.blobs },
		{ "cache_hits_total", "counter", "Blocks found resident",
		  f->cache.hits },
		{ "cache_misses_total", "counter", "Blocks fetched",
		  f->cache.misses },
		{ "cache_joins_total", "counter",
		  "Blocks that were being fetched already", f->cache.joins },
		{ "cache_evicted_bytes_total", "counter", "Bytes evicted",
		  f->cache.evicted_bytes },
		{ "cache_waiting", "gauge", "Waits for blocks now",
		  f->cache.waiting },
		{ "cache_inflight", "gauge", "Ranges being fetched now",
		  f->cache.inflight },
		{ "cache_damaged_total", "counter",
		  "Blocks whose checksum was wrong", f->cache.damaged },
		{ "cache_bad_digests_total", "counter",
		  "Files whose digest was not the hub's",
		  f->cache.bad_digests },
		{ "cache_bypass", "gauge",
		  "1 while the disk is full or failing", f->cache.bypass },
		{ "http_requests_total", "counter", "HTTP requests sent",
		  f->fetch.requests },
		{ "http_bytes_total", "counter", "Bytes of bodies received",
		  f->fetch.bytes },
		{ "http_retries_total", "counter", "Transfers tried again",
		  f->fetch.retries },
		{ "http_rejects_total", "counter", "Answers refused as untrue",
		  f->fetch.rejects },
		{ "http_active", "gauge", "Transfers now", f->fetch.active },
		{ "http_queued", "gauge", "Transfers waiting their turn",
		  f->fetch.queued },
	};

	_Static_assert(ARRAY_LEN(all) <= FIGURES_MAX, "FIGURES_MAX");
	memcpy(out, all, sizeof(all));
	return ARRAY_LEN(all);
}

static int write_metrics(struct fs *fs, struct str *out)
{
	struct figure figures[FIGURES_MAX];
	struct figures taken;
	size_t count;
	int r = 0;

	figures_take(fs, &taken);
	count = figures_name(fs, &taken, figures);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = str_printf(out,
			       "# HELP omnihub_%s %s\n"
			       "# TYPE omnihub_%s %s\nomnihub_%s %llu\n",
			       figures[i].name, figures[i].help,
			       figures[i].name, figures[i].kind,
			       figures[i].name, figures[i].value);
	return r;
}

static int write_status_head(struct fs *fs, struct str *out)
{
	static const char *const verify[] = { "complete", "full", "off" };
	static const char *const forms[] = { "plain", "dl4j" };
	static const char *const profiles[] = { "portable", "native" };
	const struct config *config = fs->config;
	int r = str_printf(out,
			   "{\n  \"version\": \"%s\",\n  \"pid\": %d,\n"
			   "  \"uptime_s\": %lld,\n  \"verify\": \"%s\",\n"
			   "  \"form\": \"%s\",\n  \"profile\": \"%s\",\n"
			   "  \"offline\": %s,\n"
			   "  \"timeout_s\": %u,\n  \"cache\": ",
			   OMNIHUB_VERSION, (int)getpid(),
			   (long long)(clock_wall_s() - fs->started_wall_s),
			   verify[config->verify], forms[config->form],
			   profiles[config->profile],
			   config->offline ? "true" : "false",
			   config->timeout_s);

	if (r == 0)
		r = str_append_json(out, config->cache_dir,
				    strlen(config->cache_dir));
	if (r == 0)
		r = str_append_text(out, ",\n  \"hubs\": [");
	for (size_t i = 0; r == 0 && i < fs->hub_count; i++)
		r = str_printf(out, "%s\"%s\"", i ? ", " : "",
			       fs->hubs[i]->name);
	return r < 0 ? r : str_append_text(out, "]");
}

static int write_job(const struct job_status *job, bool first, struct str *out)
{
	int r = str_printf(out, "%s{\"label\": ", first ? "" : ", ");

	if (r == 0)
		r = str_append_json(out, job->label, strlen(job->label));
	if (r == 0)
		r = str_printf(out,
			       ", \"state\": \"%s\", \"done\": %llu, "
			       "\"total\": %llu, \"seconds\": %llu}",
			       job->state, (unsigned long long)job->done,
			       (unsigned long long)job->total,
			       (unsigned long long)job->seconds);
	return r;
}

static int write_jobs(struct fs *fs, struct str *out)
{
	struct jobs_status status = { 0 };
	int r = fs->jobs ? jobs_status(fs->jobs, &status) : 0;

	if (r == 0)
		r = str_append_text(out, ",\n  \"jobs\": [");
	for (size_t i = 0; r == 0 && i < status.count; i++)
		r = write_job(&status.jobs[i], i == 0, out);
	jobs_status_release(&status);
	return r < 0 ? r : str_append_text(out, "]");
}

static int write_status(struct fs *fs, struct str *out)
{
	struct figure figures[FIGURES_MAX];
	struct figures taken;
	size_t count;
	int r = write_status_head(fs, out);

	if (r == 0)
		r = write_jobs(fs, out);
	figures_take(fs, &taken);
	count = figures_name(fs, &taken, figures);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = str_printf(out, ",\n  \"%s\": %llu", figures[i].name,
			       figures[i].value);
	return r < 0 ? r : str_append_text(out, "\n}\n");
}

static int write_version(struct fs *fs, struct str *out)
{
	(void)fs;
	return str_append_text(out, OMNIHUB_VERSION "\n");
}

static int write_help(struct fs *fs, struct str *out)
{
	(void)fs;
	return str_append_text(
		out,
		"OmniHub FS: model hubs as a filesystem.\n"
		"\n"
		"  huggingface/<org>/<model>[@<revision>]/\n"
		"      repo/                   the files as on the hub\n"
		"      pytorch/staged.onnx     the model as ONNX\n"
		"      pytorch/dl4j/staged.onnx   the same, for every "
		"importer\n"
		"      pytorch/<task>/staged.onnx with the head of a task\n"
		"      tensorflow/...          the same as frozen graphs, "
		"staged.pb\n"
		"      safetensors/            pickled checkpoints, safe to "
		"load\n"
		"      onnx/                   ONNX files the repository "
		"ships\n"
		"      */info.json             inputs, outputs, preprocessing\n"
		"      */staged.status         why there is no staged file\n"
		"  onnx/<model>/<opset>/       staged.onnx, archive/\n"
		"  tensorflow/<publisher>/<model>/<variation>/<version>/\n"
		"      staged.pb, saved_model/, <signature>/staged.pb\n"
		"  pytorch/torchvision/<builder>/<WEIGHTS>/   staged.onnx\n"
		"  pytorch/timm/<arch.tag>/                   staged.onnx\n"
		"  pytorch/torchserve/<name>/  staged.onnx, archive/\n"
		"  pytorch/hub/<owner>/<repo>/<ref>/\n"
		"  keras/<application>[/<variant>]/   staged.h5, staged.onnx\n"
		"\n"
		"Every model can be opened by name, listed or not:\n"
		"  ls huggingface/google-bert/bert-base-uncased/pytorch\n"
		"\n"
		"Extended attributes (getfattr -d -m user.omnihub):\n"
		"  url, revision, sha256 or plan, cached, state\n"
		"  setfattr -n user.omnihub.pin -v 1      keep in the cache\n"
		"  setfattr -n user.omnihub.refresh -v 1  ask the hub again\n"
		"  setfattr -n user.omnihub.convert -v 1  convert what is not "
		"staged\n"
		"\n"
		".omnihub/status.json and .omnihub/metrics tell how the mount\n"
		"is doing; `omnihub status` shows them; `omnihub info FILE`\n"
		"tells what a file is made of.\n");
}

static const struct control_file {
	const char *name;
	int (*write)(struct fs *fs, struct str *out);
} files[] = {
	{ "help.txt", write_help },
	{ "metrics", write_metrics },
	{ "status.json", write_status },
	{ "version", write_version },
};

const char *control_name(size_t index)
{
	return index < ARRAY_LEN(files) ? files[index].name : NULL;
}

int control_open(struct fs *fs, const char *name, struct content **out)
{
	auto_str struct str text;
	size_t len;
	char *bytes;
	int r = -ENOENT;

	str_init(&text, CONTROL_BYTES_MAX);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (strcmp(files[i].name, name) == 0)
			r = files[i].write(fs, &text);
	if (r < 0)
		return r;
	bytes = str_take(&text, &len);
	return content_of_bytes(bytes, len, out);
}
