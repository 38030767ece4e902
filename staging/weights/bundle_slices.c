/* SPDX-License-Identifier: MIT */
#include "staging/weights/bundle_slices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"
#include "staging/weights/bundle_entry.h"
#include "staging/weights/ordered_code.h"

void bundle_parts_release(struct bundle_parts *parts)
{
	for (size_t i = 0; i < parts->group_count; i++)
		free(parts->groups[i].key);
	free(parts->groups);
	free(parts->entries);
	*parts = (struct bundle_parts){ 0 };
}

/* Zero, the name, the rank, start and length of each dimension. */
static int read_key(const void *key, size_t len, struct str *name,
		    struct bundle_slice *out)
{
	struct cursor c = cursor_of(key, len);
	uint64_t rank;
	int r;

	if (ordered_number(&c) != 0)
		return -EBADMSG;
	r = ordered_string(&c, name);
	if (r < 0)
		return r == -EFBIG ? -EBADMSG : r;
	rank = ordered_number(&c);
	if (c.bad || rank > TENSOR_RANK_MAX)
		return -EBADMSG;
	out->rank = (unsigned int)rank;
	for (unsigned int d = 0; d < out->rank; d++) {
		out->start[d] = ordered_signed(&c);
		out->length[d] = ordered_signed(&c);
	}
	if (c.bad || cursor_left(&c) > 0)
		return -EBADMSG;
	return bundle_slice_settle(out);
}

/* The part's own shape is that of the slice, as far as that says. */
static bool shape_fits(const struct bundle_slice *slice,
		       const struct bundle_tensor *entry)
{
	if (entry->rank != slice->rank || entry->sliced)
		return false;
	for (unsigned int d = 0; d < slice->rank; d++)
		if (slice->length[d] >= 0 &&
		    (uint64_t)slice->length[d] != entry->dims[d])
			return false;
	return true;
}

/* The group of the part that comes next. */
static int take_group(struct bundle_parts *parts, const struct str *name,
		      size_t first, struct bundle_group **out)
{
	struct bundle_group *groups, *last;

	last = parts->group_count > 0 ? &parts->groups[parts->group_count - 1]
				      : NULL;
	if (last && strlen(last->key) == name->len &&
	    strcmp(last->key, str_text(name)) == 0) {
		*out = last;
		return 0;
	}
	groups = mem_resize(parts->groups, parts->group_count + 1,
			    sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	parts->groups = groups;
	last = &groups[parts->group_count];
	*last = (struct bundle_group){ .first = first };
	last->key = mem_strndup(str_text(name), name->len);
	if (!last->key)
		return -ENOMEM;
	parts->group_count++;
	*out = last;
	return 0;
}

/* Arrays of slices have room for 16, 32, 64 ... of them. */
static int make_room(struct bundle_parts *parts, struct tensor_bundle *bundle)
{
	size_t count = bundle->slice_count, room = count ? 2 * count : 16;
	struct bundle_tensor *entries;
	struct bundle_slice *slices;

	if (count > 0 && (count < 16 || (count & (count - 1)) != 0))
		return 0;
	slices = mem_resize(bundle->slices, room, sizeof(*slices));
	if (!slices)
		return -ENOMEM;
	bundle->slices = slices;
	entries = mem_resize(parts->entries, room, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	parts->entries = entries;
	return 0;
}

int bundle_parts_add(struct bundle_parts *parts, struct tensor_bundle *bundle,
		     const void *key, size_t len,
		     const struct bundle_tensor *entry)
{
	struct bundle_slice slice = { .shard = entry->shard,
				      .off = entry->off,
				      .len = entry->len };
	struct bundle_group *group;
	auto_str struct str name = { .len_max = TENSOR_NAME_MAX };
	int r = read_key(key, len, &name, &slice);

	if (r < 0)
		return r;
	if (!shape_fits(&slice, entry))
		return -EBADMSG;
	if (bundle->slice_count == BUNDLE_SLICES_MAX)
		return -EFBIG;
	r = make_room(parts, bundle);
	if (r == 0)
		r = take_group(parts, &name, bundle->slice_count, &group);
	if (r < 0)
		return r;
	if (group->count == BUNDLE_PARTS_MAX)
		return -EFBIG;
	parts->entries[bundle->slice_count] = *entry;
	bundle->slices[bundle->slice_count++] = slice;
	group->count++;
	return 0;
}

/* Where @slice ends in dimension @d of a tensor of @dims. */
static uint64_t end_of(const struct bundle_slice *slice, const uint64_t *dims,
		       unsigned int d)
{
	if (slice->length[d] < 0)
		return dims[d];
	return (uint64_t)slice->start[d] + (uint64_t)slice->length[d];
}

/* A part is of the type of the whole, lies in it and fills its slice. */
static bool part_fits(const struct bundle_slice *slice,
		      const struct bundle_tensor *entry,
		      const struct bundle_tensor *whole)
{
	if (slice->rank != whole->rank || entry->dtype != whole->dtype)
		return false;
	for (unsigned int d = 0; d < slice->rank; d++)
		if (end_of(slice, whole->dims, d) > whole->dims[d] ||
		    end_of(slice, whole->dims, d) !=
			    (uint64_t)slice->start[d] + entry->dims[d])
			return false;
	return true;
}

static bool overlap(const struct bundle_slice *a, const struct bundle_slice *b,
		    const struct bundle_tensor *whole)
{
	for (unsigned int d = 0; d < whole->rank; d++)
		if (end_of(a, whole->dims, d) <= (uint64_t)b->start[d] ||
		    end_of(b, whole->dims, d) <= (uint64_t)a->start[d])
			return false;
	return true;
}

/* No part meets another, and all have as many elements as the whole. */
static bool tiles(const struct bundle_parts *parts,
		  const struct bundle_slice *slices,
		  const struct bundle_tensor *whole)
{
	const struct bundle_tensor *entries =
		&parts->entries[whole->slice_first];
	uint64_t all = 0, part, want;

	if (!bundle_elements(whole->dims, whole->rank, &want))
		return false;
	for (size_t i = 0; i < whole->slice_count; i++) {
		if (!part_fits(&slices[i], &entries[i], whole) ||
		    !bundle_elements(entries[i].dims, entries[i].rank, &part) ||
		    !u64_add(all, part, &all))
			return false;
		for (size_t j = 0; want > 0 && j < i; j++)
			if (overlap(&slices[i], &slices[j], whole))
				return false;
	}
	return all == want;
}

static bool is_same(const struct bundle_slice *a, const struct bundle_slice *b)
{
	size_t bytes = a->rank * sizeof(a->start[0]);

	return a->rank == b->rank && memcmp(a->start, b->start, bytes) == 0 &&
	       memcmp(a->length, b->length, bytes) == 0;
}

/* The entry lists as many slices as there are parts, each of them one. */
static int check_listed(const struct bundle_slice *slices, size_t count,
			struct wire *entry)
{
	struct bundle_slice listed;
	size_t n = 0, at;
	int r;

	while ((r = bundle_listed_slice(entry, &listed)) > 0) {
		/* Mostly they are in the same order. */
		for (at = 0; at < count; at++)
			if (is_same(&listed, &slices[(n + at) % count]))
				break;
		if (at == count || n++ == count)
			return -EBADMSG;
	}
	return r < 0 || n != count ? -EBADMSG : 0;
}

int bundle_parts_attach(struct bundle_parts *parts,
			const struct tensor_bundle *bundle,
			struct bundle_tensor *whole, const void *bytes,
			size_t len)
{
	const struct bundle_group *group;
	const struct bundle_slice *slices;
	struct wire entry;

	if (bundle_parts_done(parts))
		return -EBADMSG;
	group = &parts->groups[parts->group_next++];
	if (strcmp(group->key, whole->key) != 0)
		return -EBADMSG;
	whole->slice_first = group->first;
	whole->slice_count = group->count;
	slices = &bundle->slices[group->first];
	wire_init(&entry, bytes, len);
	if (check_listed(slices, group->count, &entry) < 0 ||
	    !tiles(parts, slices, whole))
		return -EBADMSG;
	return 0;
}

bool bundle_parts_done(const struct bundle_parts *parts)
{
	return parts->group_next == parts->group_count;
}
