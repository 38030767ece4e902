/* SPDX-License-Identifier: MIT */
/*
 * Results of conversions, across mounts.  In the memo, under
 * "convert/1/<hex of the conversion's key>", is a JSON object:
 *
 *	{"command": ..., "version": ..., "sandbox": ..., "seconds": 31,
 *	 "pin": "<what names these bytes>",
 *	 "files": [{"name": "staged.onnx", "size": 9, "sha256": "<hex>",
 *		    "look": {as onnx_look() says; of a model}}]}
 *
 * An empty value: it was forgotten.  The files are blobs of the cache,
 * pinned; their key is made of the pin and the name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "staging/external/conversion.h"
#include "staging/external/convert_info.h"
#include "staging/external/convert_out.h"
#include "staging/external/kept_file.h"
#include "staging/external/plain_name.h"
#include "staging/json_write.h"
#include "staging/stage_listing.h"

#define PIN_BYTES 16
#define KEEP_S 600 /* for a piece: the disk is slow at worst */

static char *memo_key(const struct conversion_key *key)
{
	return mem_printf("convert/1/%s", key->hex);
}

/* ---- keeping ---- */

static int hash_file(struct conversion *conversion, int fd, uint64_t size,
		     struct digest *out)
{
	struct hasher *hasher = hasher_new(DIGEST_SHA256, size);
	auto_free uint8_t *piece = mem_alloc(READ_BYTES_MAX);
	int r = hasher && piece ? 0 : -ENOMEM;

	for (uint64_t at = 0; r == 0 && at < size;) {
		size_t len = (size_t)u64_min(size - at, READ_BYTES_MAX);

		r = conversion_look(conversion);
		r = r ?: file_pread(fd, at, len, piece);
		r = r ?: hasher_add(hasher, piece, len);
		at += len;
	}
	if (r == 0)
		return hasher_finish(hasher, out);
	hasher_free(hasher);
	return r;
}

/* Read once, whole: that is how the cache gets it. */
static int read_through(struct conversion *conversion, struct blob *blob)
{
	auto_free uint8_t *piece = mem_alloc(READ_BYTES_MAX);
	int r = piece ? 0 : -ENOMEM;

	for (uint64_t at = 0; r == 0 && at < blob->size;) {
		size_t len = (size_t)u64_min(blob->size - at, READ_BYTES_MAX);

		r = conversion_look(conversion);
		if (r == 0)
			r = blob_fetch(blob, at, len, piece,
				       clock_after_ns(KEEP_S * NS_PER_S));
		at += len;
		atomic_fetch_add(&conversion->entry.done, len);
	}
	return r;
}

static int not_kept(struct conversion *conversion, const char *name)
{
	return refuse(&conversion->why, "not-kept", name,
		      "the cache has no room for the result: --cache-size, or "
		      "the disk, is too small");
}

/* Pinned first, so that it does not push itself out. */
static int keep_blob(struct conversion *conversion, struct blob *blob,
		     const char *name)
{
	const struct converter_options *options =
		&conversion->converter->options;
	int r = options->pin(options->keep_arg, blob, true);

	r = r ?: read_through(conversion, blob);
	if (r == 0 && !options->is_whole(options->keep_arg, blob))
		r = not_kept(conversion, name);
	if (r < 0)
		(void)!options->pin(options->keep_arg, blob, false);
	return r;
}

static int keep_source(struct conversion *conversion, struct kept_file *file,
		       int fd, const char *name)
{
	const struct converter_options *options =
		&conversion->converter->options;
	auto_source struct source *source = NULL;
	auto_blob struct blob *blob = NULL;
	int r = kept_file_source(file, options->jobs, fd, &source);

	r = r ?: options->keep(options->keep_arg, source, &blob);
	r = r ?: keep_blob(conversion, blob, name);
	if (source)
		kept_file_close(source);
	return r;
}

static char *pin_of(const char *pin, const char *name)
{
	return mem_printf("converted/1/%s/%s", pin, name);
}

static int keep_file(struct conversion *conversion,
		     const struct convert_out *out, const struct out_file *from,
		     const char *pin, struct digest *digest)
{
	const char *name = convert_out_name(out, from);
	auto_free char *path = mem_printf("%s/%s", out->folder, from->name);
	auto_free char *label = mem_printf("%s/%s", conversion->label, name);
	auto_free char *file_pin = pin_of(pin, name);
	struct kept_file file = { label, file_pin, from->size, { 0 } };
	int fd, r;

	if (!path || !label || !file_pin)
		return -ENOMEM;
	if (from->size == 0)
		return refuse(&conversion->why, "bad-file", name,
			      "a file of the converter is empty");
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = hash_file(conversion, fd, from->size, &file.digest);
	if (r < 0) {
		close(fd);
		return r;
	}
	*digest = file.digest;
	return keep_source(conversion, &file, fd, name);
}

static void write_file(struct json_write *json, const struct convert_out *out,
		       const struct out_file *file, const struct digest *digest)
{
	char hex[2 * SHA256_BYTES + 1];

	hex_encode(digest->bytes, SHA256_BYTES, hex);
	json_write_open(json, NULL, '{');
	json_write_text(json, "name", convert_out_name(out, file));
	json_write_u64(json, "size", file->size);
	json_write_text(json, "sha256", hex);
	if (file->look)
		json_write_raw(json, "look", file->look);
	json_write_close(json, '}');
}

static int keep_files(struct conversion *conversion,
		      const struct convert_out *out, const char *pin,
		      struct json_write *json)
{
	struct digest digest;
	int r = 0;

	json_write_open(json, "files", '[');
	for (size_t i = 0; r == 0 && i < out->count; i++) {
		if (!out->files[i].wanted)
			continue;
		r = keep_file(conversion, out, &out->files[i], pin, &digest);
		if (r == 0)
			write_file(json, out, &out->files[i], &digest);
	}
	json_write_close(json, ']');
	return r;
}

static int write_result(struct conversion *conversion,
			const struct convert_out *out, struct str *text)
{
	const struct convert_tool *tool = conversion->tool;
	uint8_t bytes[PIN_BYTES];
	char pin[2 * PIN_BYTES + 1];
	struct json_write json;
	int r;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	hex_encode(bytes, sizeof(bytes), pin);
	json_write_init(&json, text);
	json_write_open(&json, NULL, '{');
	json_write_text(&json, "command", tool->text);
	json_write_text(&json, "version", tool->version);
	json_write_text(&json, "sandbox", tool->box);
	json_write_u64(&json, "seconds",
		       (clock_now_ns() - conversion->entry.begun_ns) /
			       NS_PER_S);
	json_write_text(&json, "pin", pin);
	r = keep_files(conversion, out, pin, &json);
	json_write_close(&json, '}');
	return r ?: json_write_end(&json);
}

static uint64_t wanted_bytes(const struct convert_out *out)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < out->count; i++)
		if (out->files[i].wanted)
			sum += out->files[i].size;
	return sum;
}

int convert_result_keep(struct conversion *conversion,
			const struct job_folder *folder)
{
	struct converter *converter = conversion->converter;
	auto_convert_out struct convert_out out = { 0 };
	auto_free char *path = mem_printf("%s/out", folder->path);
	auto_free char *key = memo_key(&conversion->key);
	auto_str struct str text;
	int r;

	str_init(&text, CONVERT_MEMO_BYTES_MAX);
	if (!path || !key)
		return -ENOMEM;
	r = convert_out_open(path, converter->options.box, conversion_look,
			     conversion, &out, &conversion->why);
	if (r < 0)
		return r;
	atomic_store(&conversion->entry.done, 0);
	atomic_store(&conversion->entry.total, wanted_bytes(&out));
	atomic_store(&conversion->entry.state, "keeping");
	r = write_result(conversion, &out, &text);
	if (r == 0)
		memo_put(converter->options.memo, key, str_text(&text),
			 text.len);
	return r;
}

/* ---- listing ---- */

static int load(struct converter *converter, const struct stage_repo *repo,
		const char *task, struct json_doc **out)
{
	struct conversion_key key;
	auto_free char *name = NULL;
	auto_str struct str text;
	int r = conversion_key_of(repo, task, &key);

	str_init(&text, CONVERT_MEMO_BYTES_MAX);
	if (r < 0)
		return r;
	name = memo_key(&key);
	if (!name)
		return -ENOMEM;
	if (memo_get(converter->options.memo, name, &text, NULL) < 0 ||
	    text.len == 0)
		return -ENOENT;
	r = json_parse(str_text(&text), text.len, CONVERT_MEMO_BYTES_MAX, out);
	return r == -ENOMEM ? r : r < 0 ? -ENOENT : 0;
}

/* -ENOENT: it says nothing of that kind. */
static int read_file(const struct json *entry, struct kept_file *file,
		     const char **name)
{
	const char *hex = json_string(json_get(entry, "sha256"));

	*name = json_string(json_get(entry, "name"));
	if (!*name || !name_is_plain(*name) || !hex ||
	    !json_u64(json_get(entry, "size"), &file->size) ||
	    digest_parse_as(DIGEST_SHA256, hex, strlen(hex), &file->digest) < 0)
		return -ENOENT;
	return 0;
}

/* The blob of one file, whole or not. */
static int open_blob(struct converter *converter, const struct json *entry,
		     const char *pin, const char **name, struct blob **out)
{
	const struct converter_options *options = &converter->options;
	auto_source struct source *source = NULL;
	auto_free char *file_pin = NULL;
	struct kept_file file = { 0 };
	int r = pin ? read_file(entry, &file, name) : -ENOENT;

	if (r < 0)
		return r;
	file_pin = pin_of(pin, *name);
	if (!file_pin)
		return -ENOMEM;
	file.label = *name;
	file.pin = file_pin;
	r = kept_file_source(&file, options->jobs, -1, &source);
	return r ?: options->keep(options->keep_arg, source, out);
}

static int add_file(struct converter *converter, const struct json *entry,
		    const char *pin, struct stage_listing *out)
{
	auto_blob struct blob *blob = NULL;
	struct content *content;
	char mark[CONTENT_KEY_HEX];
	const char *name;
	int r = open_blob(converter, entry, pin, &name, &blob);

	if (r == 0 &&
	    !converter->options.is_whole(converter->options.keep_arg, blob))
		r = -ENOENT;
	r = r ?: content_of_blob(blob, &content);
	r = r ?: stage_listing_add(out, name, content, NULL);
	if (r < 0)
		return r;
	content_key_hex(&blob->key, mark);
	return stage_listing_mark(out, mark);
}

static int add_info(const struct stage_repo *repo, const char *task,
		    const struct json *root, struct stage_listing *out)
{
	auto_str struct str text;
	int r;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	r = info_of_converted(repo, task, root, &text);
	return r ?: stage_listing_add_passing(out, "info.json", &text);
}

static int move_entries(struct stage_listing *from, struct stage_listing *to)
{
	struct stage_entry *entries = mem_resize(
		to->entries, to->count + from->count, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	memcpy(entries + to->count, from->entries,
	       from->count * sizeof(*entries));
	to->entries = entries;
	to->count += from->count;
	from->count = 0;
	return 0;
}

int convert_result_list(struct converter *converter,
			const struct stage_repo *repo, const char *task,
			struct stage_listing *out)
{
	auto_stage_listing struct stage_listing listing = { 0 };
	auto_json struct json_doc *doc = NULL;
	const struct json *entry, *root;
	const char *pin;
	int r = load(converter, repo, task, &doc);

	if (r < 0)
		return r;
	root = json_root(doc);
	pin = json_string(json_get(root, "pin"));
	entry = json_first(json_get(root, "files"));
	if (!entry)
		return -ENOENT;
	for (; r == 0 && entry; entry = json_next(entry))
		r = add_file(converter, entry, pin, &listing);
	r = r ?: add_info(repo, task, root, &listing);
	return r ?: move_entries(&listing, out);
}

int convert_result_forget(struct converter *converter,
			  const struct stage_repo *repo, const char *task)
{
	const struct converter_options *options = &converter->options;
	auto_json struct json_doc *doc = NULL;
	auto_free char *key_name = NULL;
	const struct json *entry;
	struct conversion_key key;
	const char *name, *pin;
	int r = load(converter, repo, task, &doc);

	r = r ?: conversion_key_of(repo, task, &key);
	if (r < 0)
		return r;
	key_name = memo_key(&key);
	if (!key_name)
		return -ENOMEM;
	memo_put(options->memo, key_name, "", 0);
	pin = json_string(json_get(json_root(doc), "pin"));
	entry = json_first(json_get(json_root(doc), "files"));
	for (; entry; entry = json_next(entry)) {
		auto_blob struct blob *blob = NULL;

		if (open_blob(converter, entry, pin, &name, &blob) == 0)
			(void)!options->pin(options->keep_arg, blob, false);
	}
	return 0;
}
