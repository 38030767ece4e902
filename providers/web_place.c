/* SPDX-License-Identifier: MIT */
#include "providers/web_place.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/memo.h"
#include "providers/download.h"
#include "providers/fetch.h"
#include "providers/fetch_errno.h"
#include "providers/origin.h"
#include "providers/url.h"
#include "providers/web_fact.h"

/* One finding, from here to the end of the file. */
struct find {
	const struct web_repo_spec *spec;
	const struct web_file *file;
	uint64_t deadline_ns;
	struct web_place *place;
};

void web_place_release(struct web_place *place)
{
	for (size_t i = 0; i < place->url_count; i++)
		free(place->urls[i]);
	free(place->urls);
	free(place->pin);
	free(place->etag);
	free(place->download);
	*place = (struct web_place){ 0 };
}

static int resolve_urls(struct find *find)
{
	const struct web_file *file = find->file;
	struct web_place *place = find->place;

	assert(file->url_count > 0 && file->url_count <= WEB_CANDIDATES_MAX);
	place->urls = mem_array(file->url_count, sizeof(char *));
	if (!place->urls)
		return -ENOMEM;
	for (size_t i = 0; i < file->url_count; i++) {
		int r = origin_url(find->spec->env, find->spec->hub,
				   file->urls[i], &place->urls[i]);

		if (r < 0)
			return r == -EINVAL ? -EIO : r;
		place->url_count++;
	}
	return 0;
}

/* Only candidate @at stays. */
static void keep_one(struct web_place *place, size_t at)
{
	char *url = place->urls[at];

	place->urls[at] = place->urls[0];
	place->urls[0] = url;
	while (place->url_count > 1)
		free(place->urls[--place->url_count]);
}

/* The table's word counts. */
static bool trusted(const struct find *find)
{
	return !find->spec->env->unverified;
}

/* A file of @size and @digest may be the one of the table. */
static bool agrees(const struct find *find, uint64_t size,
		   const struct digest *digest)
{
	const struct web_file *file = find->file;

	if (!trusted(find))
		return true;
	if (file->size != WEB_SIZE_UNKNOWN && file->size != size)
		return false;
	return file->digest.kind != digest->kind ||
	       digest_equal(&file->digest, digest);
}

/*
 * @pin names the version among all of @url.  What the table has a digest of
 * is the same on every mirror.
 */
static int finish(struct find *find, uint64_t size, const struct digest *digest,
		  const char *url, const char *pin)
{
	const struct web_file *file = find->file;
	struct web_place *place = find->place;
	char text[DIGEST_TEXT];

	place->size = size;
	place->digest = *digest;
	if (trusted(find) && file->digest.kind != DIGEST_NONE) {
		place->digest = file->digest;
		digest_text(&place->digest, text);
		url = file->urls[0];
		pin = text;
	}
	place->pin = mem_printf("web:%s:%ju:%s", url, (uintmax_t)size, pin);
	return place->pin ? content_key_make(&place->digest, place->pin,
					     &place->key)
			  : -ENOMEM;
}

/* ---- files of a folder ---- */

static int local_head(const char *path, uint8_t *head, size_t *len,
		      struct local_stamp *stamp)
{
	auto_close int fd = local_open("/", path, stamp);

	if (fd < 0)
		return fd == -ENOTDIR || fd == -EISDIR ? -ENOENT : fd;
	*len = (size_t)u64_min(FETCH_PROBE_BYTES, stamp->size);
	return file_pread(fd, 0, *len, head);
}

static int find_local(struct find *find, size_t at)
{
	static const struct digest none = { .kind = DIGEST_NONE };
	struct web_place *place = find->place;
	uint8_t head[FETCH_PROBE_BYTES];
	struct local_stamp stamp;
	auto_free char *pin = NULL;
	size_t len;
	int r = local_head(origin_file(place->urls[at]), head, &len, &stamp);

	if (r < 0)
		return r;
	if (!web_body_ok(head, len) || !agrees(find, stamp.size, &none))
		return -EIO;
	pin = mem_printf("%ju:%ju:%jd", (uintmax_t)stamp.dev,
			 (uintmax_t)stamp.ino, (intmax_t)stamp.mtime_ns);
	if (!pin)
		return -ENOMEM;
	place->local = true;
	place->stamp = stamp;
	r = finish(find, stamp.size, &none, place->urls[at], pin);
	if (r == 0)
		keep_one(place, at);
	return r;
}

/* ---- files of a host ---- */

static bool is_huggingface(const char *url)
{
	return url_same_origin(url, "https://huggingface.co");
}

/* Each candidate left has its share of the time. */
static uint64_t share_of_time(const struct find *find, size_t at)
{
	uint64_t now = clock_now_ns();

	if (find->deadline_ns <= now)
		return find->deadline_ns;
	return now + (find->deadline_ns - now) / (find->place->url_count - at);
}

static int probe_remote(struct find *find, size_t at, struct web_fact *fact)
{
	const struct provider_env *env = find->spec->env;
	auto_fetch_probe struct fetch_probe probe = { 0 };
	const char *url = find->place->urls[at];
	int r;

	if (env->offline || !env->fetcher)
		return -ENETUNREACH;
	if (find->deadline_ns == DEADLINE_NOW)
		return -EINPROGRESS;
	r = fetch_probe(env->fetcher, url, NULL, share_of_time(find, at),
			&probe);
	if (r == 0)
		r = web_fact_of_probe(
			&probe, at, is_huggingface(find->file->urls[at]), fact);
	if (r == 0 && !agrees(find, fact->size, &fact->digest)) {
		log_warn(find->spec->hub, "%s is not the file of the catalogue",
			 url);
		web_fact_release(fact);
		r = -EIO;
	}
	return r;
}

static int use_fact(struct find *find, struct web_fact *fact)
{
	struct web_place *place = find->place;
	int r = finish(find, fact->size, &fact->digest, place->urls[fact->at],
		       fact->pin);

	if (r < 0)
		return r;
	place->etag = take_ptr(fact->etag);
	keep_one(place, fact->at);
	return 0;
}

/* What ends it at once: nothing was learnt of the file. */
static bool is_final(int r)
{
	return r == 0 || r == -ENOMEM || r == -EINPROGRESS || r == -ESHUTDOWN;
}

/* 1: *@fact is what a host said; 0: found in a folder; or why not. */
static int ask_candidates(struct find *find, struct web_fact *fact)
{
	size_t count = find->place->url_count;
	int error = 0;

	for (size_t at = 0; at < count; at++) {
		bool local = origin_file(find->place->urls[at]) != NULL;
		int r = local ? find_local(find, at)
			      : probe_remote(find, at, fact);

		if (is_final(r))
			return r == 0 && !local ? 1 : r;
		error = errno_of_places(error, r);
	}
	return error;
}

/* ---- what is remembered ---- */

/* What a mirror says is not believed of the origin, nor of another's. */
static char *memo_key(const struct find *find)
{
	return mem_printf("web/1/%s/%s %s", find->spec->hub,
			  find->file->urls[0], find->place->urls[0]);
}

static int fact_get(const struct find *find, struct web_fact *fact,
		    int64_t *stored_wall_s)
{
	auto_free char *key = memo_key(find);
	auto_str struct str value;
	int r;

	str_init(&value, WEB_FACT_BYTES_MAX);
	if (!key)
		return -ENOMEM;
	r = memo_get(find->spec->env->memo, key, &value, stored_wall_s);
	if (r == 0)
		r = web_fact_decode(str_text(&value), value.len, fact);
	if (r == 0 &&
	    (fact->at >= find->place->url_count ||
	     (!fact->missing && !agrees(find, fact->size, &fact->digest)))) {
		web_fact_release(fact);
		r = -ENOENT;
	}
	return r == -ENOMEM ? r : r < 0 ? -ENOENT : 0;
}

static void fact_put(const struct find *find, const struct web_fact *fact)
{
	auto_free char *key = memo_key(find);
	auto_str struct str value;

	str_init(&value, WEB_FACT_BYTES_MAX);
	if (key && web_fact_encode(fact, &value) == 0)
		memo_put(find->spec->env->memo, key, value.bytes, value.len);
}

static int64_t until_of(const struct web_fact *fact, int64_t stored_wall_s)
{
	return stored_wall_s + (fact->missing ? HUB_MISSING_TTL_S : WEB_TTL_S);
}

static bool is_fresh(const struct web_fact *fact, int64_t stored_wall_s)
{
	int64_t now = clock_wall_s();

	return stored_wall_s <= now && now < until_of(fact, stored_wall_s);
}

static int fact_result(struct find *find, struct web_fact *fact)
{
	return fact->missing ? fact->missing : use_fact(find, fact);
}

/* Asks; what is known of old serves where nobody gives a better answer. */
static int find_anew(struct find *find, struct web_fact *old, bool has_old,
		     int64_t *until_wall_s)
{
	auto_web_fact struct web_fact fact = { 0 };
	bool serves = has_old && !old->missing;
	int r;

	if (serves)
		find->deadline_ns =
			u64_min(find->deadline_ns,
				clock_after_ns(HUB_REFRESH_S * NS_PER_S));
	r = ask_candidates(find, &fact);
	*until_wall_s = clock_wall_s() +
			(r < 0 ? HUB_MISSING_TTL_S : WEB_TTL_S);
	if (r == 1) {
		fact_put(find, &fact);
		return use_fact(find, &fact);
	}
	if (is_final(r))
		return r;
	if (serves)
		return use_fact(find, old);
	if (r == -ENOENT || r == -EACCES) {
		fact.missing = r;
		fact_put(find, &fact);
	}
	return r;
}

static bool has_local(const struct web_place *place)
{
	for (size_t i = 0; i < place->url_count; i++)
		if (origin_file(place->urls[i]))
			return true;
	return false;
}

/* By the memo, where it may be believed, else by asking. */
static int find_probed(struct find *find, bool ask, int64_t *until_wall_s)
{
	auto_web_fact struct web_fact fact = { 0 };
	int64_t stored_wall_s = 0;
	int r = has_local(find->place) ? -ENOENT
				       : fact_get(find, &fact, &stored_wall_s);

	if (r == -ENOMEM)
		return r;
	if (r == 0 && !ask && is_fresh(&fact, stored_wall_s)) {
		*until_wall_s = until_of(&fact, stored_wall_s);
		return fact_result(find, &fact);
	}
	return find_anew(find, &fact, r == 0, until_wall_s);
}

/* What was downloaded before is as good, if it is the same. */
static int find_download(struct find *find)
{
	const struct web_file *file = find->file;
	struct web_place *place = find->place;
	int r;

	if (!file->download || place->local)
		return 0;
	r = download_find(find->spec->env, file->download, place->size,
			  &place->digest, find->deadline_ns, &place->stamp);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	place->download = mem_strdup(file->download);
	return place->download ? 0 : -ENOMEM;
}

static int find_file(struct find *find, bool ask, int64_t *until_wall_s)
{
	const struct web_file *file = find->file;
	int r = resolve_urls(find);

	if (r < 0)
		return r;
	if (!trusted(find) || file->size == WEB_SIZE_UNKNOWN ||
	    file->digest.kind == DIGEST_NONE || has_local(find->place))
		return find_probed(find, ask, until_wall_s);
	*until_wall_s = INT64_MAX;
	return finish(find, file->size, &file->digest, file->urls[0], "");
}

int web_place_find(const struct web_repo_spec *spec,
		   const struct web_file *file, bool ask, uint64_t deadline_ns,
		   struct web_place *place, int64_t *until_wall_s)
{
	struct find find = { spec, file, deadline_ns, place };
	int r = find_file(&find, ask, until_wall_s);

	return r < 0 ? r : find_download(&find);
}
