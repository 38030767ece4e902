/* SPDX-License-Identifier: MIT */
#include "staging/weights/torch_legacy.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/map.h"
#include "base/mem.h"
#include "staging/weights/torch_state.h"
#include "staging/weights/torch_tensor.h"

#define PROTOCOL 1001
#define COUNT_BYTES 8 /* before the elements of a storage */

static const uint8_t magic[TORCH_LEGACY_MAGIC_BYTES] = { 0x80, 0x02, 0x8a, 0x0a,
							 0x6c, 0xfc, 0x9c, 0x46,
							 0xf9, 0x20, 0x6a, 0xa8,
							 0x50, 0x19, 0x2e };

/* Nothing but plain values. */
static const struct pickle_global no_globals[] = { { NULL, NULL, 0, 0, 0 } };

bool torch_legacy_is(const void *bytes, size_t len)
{
	return len >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

void torch_legacy_release(struct torch_legacy *legacy)
{
	pickle_free(legacy->object);
	pickle_free(legacy->keys);
	legacy->object = legacy->keys = NULL;
}

static int bad(struct refusal *why, const char *what)
{
	return refuse(why, "torch-legacy", what,
		      "the checkpoint is not what PyTorch before 1.6 writes, "
		      "or is damaged");
}

/* The next pickle; *@at moves behind it. */
static int next(const uint8_t *bytes, size_t len, size_t *at,
		const struct pickle_global *allowed, struct pickle **out,
		struct refusal *why)
{
	size_t used;
	int r = pickle_parse_first(bytes + *at, len - *at, allowed, out, &used,
				   why);

	if (r == 0)
		*at += used;
	return r;
}

static int check_protocol(const struct pickle *pickle, struct refusal *why)
{
	uint64_t number;

	if (!pickle_u64(pickle_root(pickle), &number) || number != PROTOCOL)
		return bad(why, "protocol");
	return 0;
}

static int check_machine(const struct pickle *pickle, struct refusal *why)
{
	const struct pickle_node *little;

	little = pickle_get(pickle_root(pickle), "little_endian");
	if (!little || little->kind != PICKLE_BOOL)
		return bad(why, "little_endian");
	if (little->number)
		return 0;
	return refuse(why, "big-endian", NULL,
		      "the checkpoint was written on a big-endian machine");
}

static int parse_head(const void *bytes, size_t len, size_t *at,
		      struct refusal *why)
{
	auto_pickle struct pickle *protocol = NULL, *machine = NULL;
	int r;

	if (memcmp(bytes, magic, u64_min(len, sizeof(magic))) != 0)
		return bad(why, "magic");
	if (len < sizeof(magic))
		return -ENODATA;
	*at = sizeof(magic);
	r = next(bytes, len, at, no_globals, &protocol, why);
	if (r == 0)
		r = check_protocol(protocol, why);
	if (r == 0)
		r = next(bytes, len, at, no_globals, &machine, why);
	return r < 0 ? r : check_machine(machine, why);
}

int torch_legacy_parse(const void *bytes, size_t len, struct torch_legacy *out,
		       struct refusal *why)
{
	size_t at = 0;
	int r = parse_head(bytes, len, &at, why);

	if (r == 0)
		r = next(bytes, len, &at, torch_globals, &out->object, why);
	if (r == 0)
		r = next(bytes, len, &at, no_globals, &out->keys, why);
	if (r == 0)
		out->pickles_len = at;
	return r;
}

struct storage {
	uint64_t off; /* of its elements in the file; 0: not yet known */
	uint64_t len;
	unsigned int width;
};

/* The storages of a file, by key; also what torch_state.h wants. */
struct stream {
	struct torch_storages base;
	struct storage *list; /* owned */
	size_t count;
	struct map by_key; /* key -> struct storage * */
	struct refusal *why;
};

static void stream_release(struct stream *stream)
{
	map_release(&stream->by_key);
	free(stream->list);
}
DEFINE_AUTO(stream, struct stream, stream_release)

static struct storage *stream_find(const struct stream *stream, const char *key,
				   size_t len)
{
	return map_get_bytes(&stream->by_key, key, len);
}

static int place(const struct torch_storages *storages,
		 const struct torch_view *view, const char *name, uint64_t *off,
		 struct refusal *why)
{
	const struct stream *stream = container_of(storages,
						   const struct stream, base);
	const struct storage *found = stream_find(stream, view->key,
						  view->key_len);

	if (!view->old || !found || found->off == 0)
		return refuse(why, "torch-storage", name,
			      "the checkpoint lacks the storage of a tensor");
	*off = found->off;
	return 0;
}

/* One persistent id of the object; the same storage may be named often. */
static int storage_add(struct stream *stream, const struct pickle_node *node)
{
	struct torch_view view;
	struct storage *known;

	if (torch_storage_read(node, &view) < 0)
		return bad(stream->why, "persistent id");
	known = stream_find(stream, view.key, view.key_len);
	if (known &&
	    (known->len != view.storage_bytes || known->width != view.width))
		return bad(stream->why, "storage of two kinds");
	if (known)
		return 0;
	known = &stream->list[stream->count++];
	known->len = view.storage_bytes;
	known->width = view.width;
	return map_add_bytes(&stream->by_key, view.key, view.key_len, known);
}

static int storages_collect(struct stream *stream, const struct pickle *object)
{
	size_t count = 0;
	int r = 0;

	while (pickle_persistent(object, count))
		count++;
	stream->list = mem_array(count + 1, sizeof(*stream->list));
	if (!stream->list)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = storage_add(stream, pickle_persistent(object, i));
	return r;
}

/* Puts the storage that @key names behind *@at, which moves over it. */
static int storage_place(struct stream *stream, const struct pickle_node *key,
			 uint64_t *at, struct torch_count *count)
{
	struct storage *storage;

	if (key->kind != PICKLE_STRING)
		return bad(stream->why, "key");
	storage = stream_find(stream, key->bytes, key->count);
	if (!storage || storage->off != 0)
		return bad(stream->why, "key");
	*count = (struct torch_count){ *at, storage->len / storage->width };
	if (!u64_add(*at, COUNT_BYTES, at))
		return bad(stream->why, "size");
	storage->off = *at;
	return u64_add(*at, storage->len, at) ? 0 : bad(stream->why, "size");
}

static int storages_place(struct stream *stream,
			  const struct torch_legacy *legacy,
			  const uint8_t *bytes, size_t len, uint64_t file_size,
			  struct torch_count *last)
{
	const struct pickle_node *keys = pickle_root(legacy->keys);
	uint64_t at = legacy->pickles_len;

	if (keys->kind != PICKLE_LIST || keys->count != stream->count)
		return bad(stream->why, "keys");
	for (size_t i = 0; i < keys->count; i++) {
		int r = storage_place(stream, keys->items[i], &at, last);

		if (r < 0)
			return r;
		if (last->at < len && len - last->at >= COUNT_BYTES &&
		    le64(bytes + last->at) != last->elements)
			return bad(stream->why, "count");
	}
	return at == file_size ? 0 : bad(stream->why, "size");
}

int torch_legacy_read(struct weights *weights, unsigned int file,
		      const struct torch_legacy *legacy, const void *bytes,
		      size_t len, struct torch_count *last, struct refusal *why)
{
	auto_of(stream) struct stream stream = { .base = { place },
						 .why = why };
	int r;

	*last = (struct torch_count){ 0 };
	map_init(&stream.by_key);
	r = storages_collect(&stream, legacy->object);
	if (r == 0)
		r = storages_place(&stream, legacy, bytes, len,
				   weights->files[file].size, last);
	if (r < 0)
		return r;
	return torch_state_read(weights, file, pickle_root(legacy->object),
				&stream.base, why);
}
