/* SPDX-License-Identifier: MIT */
#include "fs/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "fs/fs.h"
#include "fs/fuse_api.h"
#include "fs/mount_point.h"
#include "fs/notify.h"
#include "fs/ops.h"
#include "staging/converter.h"
#include "staging/jobs.h"

/* Between looks at whether the kernel has our answer to its INIT. */
#define GREET_NS (10 * NS_PER_MS)

uint64_t fs_deadline_ns(const struct fs *fs)
{
	return clock_after_ns(fs->config->timeout_s * NS_PER_S);
}

uint64_t fs_heard(const struct fs *fs)
{
	struct fetcher_stats stats = { 0 };

	if (fs->fetcher)
		fetcher_stats(fs->fetcher, &stats);
	return stats.useful;
}

static const char *endpoint_of(void *arg, const char *name)
{
	return config_endpoint(arg, name);
}

/* All but huggingface need a table, which an installation has. */
static int hub_explain(const struct config *config, const char *name, int error,
		       struct str *why)
{
	const char *endpoint = config_endpoint(config, name);

	if (endpoint)
		return str_explain(why, error, "cannot serve %s from %s: %s",
				   name, endpoint, strerror(-error));
	if (error == -ENOENT)
		return str_explain(why, error,
				   "cannot serve %s: share/omnihub is not "
				   "where the program expects it; "
				   "OMNIHUB_SHARE can name the folder",
				   name);
	return str_explain(why, error, "cannot serve %s: %s", name,
			   strerror(-error));
}

static int hubs_new(struct fs *fs, struct str *why)
{
	struct provider_env env = {
		.fetcher = fs->fetcher,
		.memo = cache_memo(fs->cache),
		.offline = fs->config->offline,
		.unverified = fs->config->verify == CACHE_VERIFY_OFF,
		.endpoint = endpoint_of,
		.endpoint_arg = (void *)(uintptr_t)fs->config,
	};

	fs->hubs = mem_array(provider_count() + 1, sizeof(*fs->hubs));
	if (!fs->hubs)
		return -ENOMEM;
	for (size_t i = 0; i < provider_count(); i++) {
		int r = provider_new(i, &env, &fs->hubs[fs->hub_count]);

		if (r < 0)
			return hub_explain(fs->config, provider_name(i), r,
					   why);
		fs->hub_count++;
	}
	return 0;
}

/* Threads of ours must leave signals to the one that serves. */
static void signals_block(sigset_t *old)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, old);
}

static int lanes_new(struct fs *fs)
{
	int r = timers_new(&fs->timers);

	if (r == 0)
		r = pool_new("omnihub-slow", SLOW_LANE_THREADS,
			     SLOW_LANE_QUEUE_MAX, &fs->slow);
	if (r == 0)
		r = pool_new("omnihub-disk", DISK_LANE_THREADS,
			     DISK_LANE_QUEUE_MAX, &fs->disk);
	return r;
}

static int keep_blob(void *arg, struct source *source, struct blob **out)
{
	return cache_blob(arg, source, out);
}

static int pin_blob(void *arg, struct blob *blob, bool on)
{
	return cache_blob_pin(arg, blob, on);
}

static bool is_whole_blob(void *arg, struct blob *blob)
{
	struct cache_blob_info info;

	return cache_blob_info(arg, blob, &info) == 0 &&
	       info.state != CACHE_BLOB_BAD && info.cached_bytes == blob->size;
}

/*
 * A converter's view of the file system has our mount in it, and so keeps
 * it: the kernel would not tell us that it was unmounted here.
 */
static bool is_mounted(void *arg)
{
	const struct fs *fs = arg;

	return mount_point_is_ours(fs->config->mountpoint);
}

static int converter_open(struct fs *fs)
{
	const struct config *config = fs->config;
	struct converter_options options = {
		.dir = config->cache_dir,
		.command = config->converter,
		.sandbox = config->converter_sandbox,
		.memory_bytes = config->converter_memory,
		.seconds = config->converter_timeout_s,
		.jobs = fs->jobs,
		.memo = cache_memo(fs->cache),
		.keep = keep_blob,
		.pin = pin_blob,
		.is_whole = is_whole_blob,
		.keep_arg = fs->cache,
		.is_wanted = is_mounted,
		.wanted_arg = fs,
	};
	int r = fs->jobs ? converter_new(&options, &fs->converter) : -ENOENT;

	if (r == -ENOENT) {
		log_warn("fs", "omnihub-box is not installed: nothing can be "
			       "converted");
		r = 0;
	}
	return r;
}

static int jobs_open(struct fs *fs)
{
	struct jobs_options options = { .dir = fs->config->cache_dir };
	int r = jobs_new(&options, &fs->jobs);

	if (r == -ENOENT) {
		log_warn("fs", "omnihub-unpack is not installed: archives "
			       "cannot be read");
		r = 0;
	}
	return r;
}

/* Everything but the session. */
static int fs_open(struct fs *fs, struct str *why)
{
	const struct config *config = fs->config;
	struct cache_options options = {
		.dir = config->cache_dir,
		.bytes_max = config->cache_bytes,
		.free_min = config->keep_free_bytes,
		.verify = config->verify,
		.deadline_s = config->timeout_s,
		.spoiled = notify_spoiled,
		.spoiled_arg = fs,
	};
	int r = cache_open(&options, &fs->cache);

	if (r < 0)
		return str_explain(why, r, "cannot use the cache %s: %s",
				   config->cache_dir,
				   r == -EBUSY ? "another mount uses it"
					       : strerror(-r));
	r = jobs_open(fs);
	r = r ?: converter_open(fs);
	if (r == 0 && !config->offline)
		r = fetcher_new(config->timeout_s, &fs->fetcher);
	if (r == 0)
		r = lanes_new(fs);
	if (r == 0)
		r = hubs_new(fs, why);
	if (r == 0)
		r = tree_init(&fs->tree);
	if (r < 0 && !why->len)
		return str_explain(why, r, "cannot start: %s", strerror(-r));
	return r;
}

/*
 * Every request is answered, and nobody will answer any more: transfers
 * end, and so what waits for them; the disk lane before the slow one, to
 * which it defers; last the timers, which answer in the place of them all.
 */
static void fs_stop(struct fs *fs)
{
	if (fs->fetcher)
		fetcher_stop(fs->fetcher);
	if (fs->cache)
		cache_quiet(fs->cache);
	converter_stop(fs->converter);
	jobs_stop(fs->jobs);
	pool_stop(fs->disk);
	pool_stop(fs->slow);
	timers_free(fs->timers);
	fs->timers = NULL;
}

/* Nothing runs but us: from the outside in. */
static void fs_close(struct fs *fs)
{
	pool_free(fs->disk);
	pool_free(fs->slow);
	handles_release(&fs->handles);
	if (fs->tree.root)
		tree_release(&fs->tree);
	converter_free(fs->converter);
	if (fs->jobs)
		jobs_free(fs->jobs);
	for (size_t i = 0; i < fs->hub_count; i++)
		provider_free(fs->hubs[i]);
	free(fs->hubs);
	if (fs->cache)
		cache_close(fs->cache);
	if (fs->fetcher)
		fetcher_free(fs->fetcher);
	if (fs->session)
		fuse_session_destroy(fs->session);
	late_release(&fs->late);
}

static int session_new(struct fs *fs)
{
	auto_free char *options = mem_printf(
		"fsname=omnihub,subtype=omnihub,nosuid,nodev,noexec,noatime,"
		"max_read=%zu%s",
		READ_BYTES_MAX, fs->config->allow_other ? ",allow_other" : "");
	char name[] = "omnihub";
	char flag[] = "-o";
	char *argv[] = { name, flag, options, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);

	if (!options)
		return -ENOMEM;
	fs->session = fuse_session_new(&args, &fs_ops, sizeof(fs_ops), fs);
	fuse_opt_free_args(&args);
	return fs->session ? 0 : -EINVAL;
}

/*
 * The answer to INIT sets the kernel's read-ahead, downwards only, once this
 * program has made it; so ours is asked for a moment later.
 */
static void readahead_fire(struct timer *timer)
{
	struct fs *fs = container_of(timer, struct fs, readahead);

	if (fs->readahead_asked) {
		mount_point_readahead(fs->config->mountpoint);
		return;
	}
	fs->readahead_asked = fs->greeted;
	(void)!timer_arm(fs->timers, timer, clock_after_ns(GREET_NS));
}

/* Serves until unmounted or told to stop. */
static void session_serve(struct fs *fs)
{
	struct fuse_loop_config loop = {
		.clone_fd = 0, .max_idle_threads = FUSE_THREADS_IDLE
	};

	fs->readahead.fire = readahead_fire;
	(void)!timer_arm(fs->timers, &fs->readahead, clock_after_ns(GREET_NS));
	log_info("fs", "mounted at %s", fs->config->mountpoint);
	fuse_session_loop_mt(fs->session, &loop);
	log_info("fs", "unmounting %s", fs->config->mountpoint);
}

static int session_mount(struct fs *fs, struct str *why)
{
	int r = session_new(fs);

	if (r == 0 && fuse_set_signal_handlers(fs->session) != 0)
		r = -EIO;
	if (r == 0 &&
	    fuse_session_mount(fs->session, fs->config->mountpoint) != 0)
		r = -EIO;
	if (r == 0)
		return 0;
	return str_explain(why, r,
			   "cannot mount at %s: is it free, is /dev/fuse "
			   "usable, is fusermount3 (package fuse3) "
			   "installed%s?",
			   fs->config->mountpoint,
			   fs->config->allow_other
				   ? ", is user_allow_other in /etc/fuse.conf"
				   : "");
}

/* What a process that holds a token and serves a machine should be. */
static void process_harden(void)
{
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0);
	/* Many arenas would keep what few threads freed. */
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

int daemon_run(const struct config *config,
	       void (*ready)(void *arg, int error, const char *why), void *arg)
{
	struct fs fs = { .config = config,
			 .uid = getuid(),
			 .gid = getgid(),
			 .started_wall_s = clock_wall_s() };
	auto_str struct str why;
	sigset_t signals;
	int r;

	str_init(&why, PATH_BYTES_MAX);
	handles_init(&fs.handles);
	late_init(&fs.late);
	process_harden();
	r = mount_point_check(config->mountpoint, config->cache_dir, &why);
	if (r == 0) {
		signals_block(&signals);
		r = fs_open(&fs, &why);
		pthread_sigmask(SIG_SETMASK, &signals, NULL);
	}
	if (r == 0)
		r = session_mount(&fs, &why);
	ready(arg, r, str_text(&why));
	if (r == 0) {
		session_serve(&fs);
		fs_stop(&fs); /* replies need the session's descriptor */
		fuse_session_unmount(fs.session);
	} else {
		fs_stop(&fs);
	}
	if (fs.session)
		fuse_remove_signal_handlers(fs.session);
	fs_close(&fs);
	return r;
}
