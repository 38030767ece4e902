/* SPDX-License-Identifier: MIT */
#include "staging/keras/h5_write.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"

#define NOWHERE UINT64_MAX
#define HEAP_NO_FREE 1 /* head of a free list that is empty */
#define ENTRY_BYTES 40
#define GCOL_HEAD_BYTES 16
#define GCOL_BYTES_MIN 4096

/* Keras' own bound for an attribute (HDF5_OBJECT_HEADER_LIMIT). */
#define NAMES_BYTES_MAX 64512
#define ATTR_NAME_MAX 64

enum { MESSAGE_ATTRIBUTE = 0x0c, MESSAGE_SYMBOL_TABLE = 0x11 };

static void put(struct h5_bytes *to, const void *bytes, size_t len)
{
	if (!to->error)
		to->error = str_append(&to->str, bytes, len);
}

static void put_zeros(struct h5_bytes *to, size_t len)
{
	static const uint8_t zeros[4096];

	while (!to->error && len > 0) {
		size_t step = u64_min(len, sizeof(zeros));

		put(to, zeros, step);
		len -= step;
	}
}

static void put_u16(struct h5_bytes *to, size_t v)
{
	const uint8_t bytes[2] = { (uint8_t)v, (uint8_t)(v >> 8) };

	assert(v <= UINT16_MAX);
	put(to, bytes, sizeof(bytes));
}

static void put_u32(struct h5_bytes *to, uint32_t v)
{
	uint8_t bytes[4];

	put_le32(bytes, v);
	put(to, bytes, sizeof(bytes));
}

static void put_u64(struct h5_bytes *to, uint64_t v)
{
	uint8_t bytes[8];

	put_le64(bytes, v);
	put(to, bytes, sizeof(bytes));
}

/* The bytes, up to a multiple of 8. */
static void put_padded(struct h5_bytes *to, const void *bytes, size_t len)
{
	put(to, bytes, len);
	put_zeros(to, u64_ceil(len, 8) - len);
}

static uint64_t here(const struct h5_out *out)
{
	return out->base + out->to.str.len;
}

void h5_out_init(struct h5_out *out, uint64_t base, unsigned int leaf_k,
		 unsigned int node_k)
{
	assert(base % 8 == 0 && leaf_k > 0 && node_k > 0);
	*out = (struct h5_out){
		.base = base,
		.leaf_k = leaf_k,
		.node_k = node_k,
	};
	str_init(&out->to.str, PLAN_BYTES_MAX);
}

void h5_out_release(struct h5_out *out)
{
	str_release(&out->to.str);
}

/* The names, behind an empty one, then the heap's head. */
static uint64_t put_heap(struct h5_out *out, struct h5_entry *entries,
			 size_t count)
{
	struct h5_bytes *to = &out->to;
	uint64_t data = here(out), heap;

	put_zeros(to, 8);
	for (size_t i = 0; i < count; i++) {
		entries[i].name_at = here(out) - data;
		put_padded(to, entries[i].name, strlen(entries[i].name) + 1);
	}
	heap = here(out);
	put(to, "HEAP\0\0\0", 8); /* version 0 */
	put_u64(to, heap - data);
	put_u64(to, HEAP_NO_FREE);
	put_u64(to, data);
	return heap;
}

/* A node of a tree, or of symbols: where, and the greatest name below. */
struct node {
	uint64_t at;
	uint64_t last;
};

/* Nothing of an object is kept in its entry: readers look at its header. */
static struct node put_symbols(struct h5_out *out,
			       const struct h5_entry *entries, size_t count)
{
	struct h5_bytes *to = &out->to;
	struct node node = { here(out), entries[count - 1].name_at };

	put(to, "SNOD\1", 6); /* version 1 */
	put_u16(to, count);
	for (size_t i = 0; i < count; i++) {
		put_u64(to, entries[i].name_at);
		put_u64(to, entries[i].header);
		put_zeros(to, ENTRY_BYTES - 16);
	}
	put_zeros(to, (2 * out->leaf_k - count) * ENTRY_BYTES);
	return node;
}

/* Every node of a tree has room for the most children. */
static uint64_t tree_bytes(const struct h5_out *out)
{
	return 24 + 8 + 2ull * out->node_k * 16;
}

struct siblings {
	uint64_t left, right;
};

/* @first: the greatest name before these children. */
static void put_tree(struct h5_out *out, unsigned int level,
		     struct siblings siblings, uint64_t first,
		     const struct node *children, size_t count)
{
	const uint8_t head[] = { 'T', 'R', 'E', 'E', 0, (uint8_t)level };
	struct h5_bytes *to = &out->to;

	put(to, head, sizeof(head));
	put_u16(to, count);
	put_u64(to, siblings.left);
	put_u64(to, siblings.right);
	put_u64(to, first);
	for (size_t i = 0; i < count; i++) {
		put_u64(to, children[i].at);
		put_u64(to, children[i].last);
	}
	put_zeros(to, (2ull * out->node_k - count) * 16);
}

/* One level over @nodes; they become those of that level. */
static size_t put_level(struct h5_out *out, unsigned int level,
			struct node *nodes, size_t count)
{
	size_t fit = 2ull * out->node_k, made = 0;
	uint64_t step = tree_bytes(out), first = 0;

	for (size_t i = 0; i < count; i += fit) {
		size_t n = u64_min(fit, count - i);
		struct node node = { here(out), nodes[i + n - 1].last };
		struct siblings siblings = {
			i == 0 ? NOWHERE : node.at - step,
			i + n == count ? NOWHERE : node.at + step,
		};

		put_tree(out, level, siblings, first, &nodes[i], n);
		first = node.last;
		nodes[made++] = node;
	}
	return made;
}

struct h5_group h5_put_group(struct h5_out *out, struct h5_entry *entries,
			     size_t count)
{
	size_t fit = 2ull * out->leaf_k, made = 0;
	auto_free struct node *nodes = mem_array(count / fit + 1,
						 sizeof(*nodes));
	struct h5_group group = { 0 };

	assert(count > 0);
	if (!nodes) {
		out->to.error = -ENOMEM;
		return group;
	}
	group.heap = put_heap(out, entries, count);
	for (size_t i = 0; i < count; i += fit)
		nodes[made++] = put_symbols(out, &entries[i],
					    u64_min(fit, count - i));
	made = put_level(out, 0, nodes, made);
	for (unsigned int level = 1; made > 1; level++)
		made = put_level(out, level, nodes, made);
	group.tree = nodes[0].at;
	return group;
}

static void put_object(struct h5_bytes *to, size_t number, unsigned int refs,
		       uint64_t len)
{
	put_u16(to, number);
	put_u16(to, refs);
	put_u32(to, 0);
	put_u64(to, len);
}

/* What is left of a heap is object 0, where its head fits. */
static void put_rest(struct h5_bytes *to, uint64_t len)
{
	if (len >= 16) {
		put_object(to, 0, 0, len);
		len -= 16;
	}
	put_zeros(to, len);
}

uint64_t h5_put_texts(struct h5_out *out, const struct h5_text *texts,
		      size_t count)
{
	uint64_t at = here(out), used = GCOL_HEAD_BYTES, len;
	struct h5_bytes *to = &out->to;

	for (size_t i = 0; i < count; i++)
		used += 16 + u64_ceil(texts[i].len, 8);
	len = u64_max(used, GCOL_BYTES_MIN);
	put(to, "GCOL\1\0\0", 8); /* version 1 */
	put_u64(to, len);
	for (size_t i = 0; i < count; i++) {
		put_object(to, i + 1, 1, texts[i].len);
		put_padded(to, texts[i].bytes, texts[i].len);
	}
	put_rest(to, len - used);
	return at;
}

void h5_header_init(struct h5_header *header)
{
	*header = (struct h5_header){ .count = 0 };
	str_init(&header->messages.str, PLAN_BYTES_MAX);
}

void h5_header_release(struct h5_header *header)
{
	str_release(&header->messages.str);
}

static void add_message(struct h5_header *header, unsigned int type, size_t len)
{
	struct h5_bytes *to = &header->messages;

	if (len > UINT16_MAX || header->count == UINT16_MAX) {
		to->error = to->error ? to->error : -EFBIG;
		return;
	}
	header->count++;
	put_u16(to, type);
	put_u16(to, len);
	put_u32(to, 0); /* no flags */
}

void h5_add_group(struct h5_header *header, const struct h5_group *group)
{
	add_message(header, MESSAGE_SYMBOL_TABLE, 16);
	put_u64(&header->messages, group->tree);
	put_u64(&header->messages, group->heap);
}

/* The parts of an attribute before its value of @value bytes. */
static void add_attribute(struct h5_header *header, const char *name,
			  const struct h5_text *type,
			  const struct h5_text *space, size_t value)
{
	struct h5_bytes *to = &header->messages;
	size_t name_len = strlen(name) + 1;

	add_message(header, MESSAGE_ATTRIBUTE,
		    8 + u64_ceil(name_len, 8) + u64_ceil(type->len, 8) +
			    u64_ceil(space->len, 8) + u64_ceil(value, 8));
	put_u16(to, 1); /* version */
	put_u16(to, name_len);
	put_u16(to, type->len);
	put_u16(to, space->len);
	put_padded(to, name, name_len);
	put_padded(to, type->bytes, type->len);
	put_padded(to, space->bytes, space->len);
}

void h5_add_text(struct h5_header *header, const char *name, uint64_t heap,
		 uint32_t number, size_t len)
{
	/* A vlen string, ASCII, of unsigned bytes: what Keras itself writes. */
	static const struct h5_text type = {
		"\x19\1\0\0\x10\0\0\0\x10\0\0\0\1\0\0\0\0\0\x08", 20
	};
	static const struct h5_text scalar = { "\1\0\0\0\0\0\0", 8 };

	add_attribute(header, name, &type, &scalar, 16);
	put_u32(&header->messages, (uint32_t)len);
	put_u64(&header->messages, heap);
	put_u32(&header->messages, number);
}

/* Strings of @width bytes, padded with NUL. */
static void add_part(struct h5_header *header, const char *name, size_t width,
		     const char *const *names, size_t count)
{
	uint8_t type[8] = { 0x13, 1 }, space[16] = { 1, 1 };
	const struct h5_text type_text = { (char *)type, sizeof(type) };
	const struct h5_text space_text = { (char *)space, sizeof(space) };
	struct h5_bytes *to = &header->messages;
	size_t bytes = width * count;

	put_le32(type + 4, (uint32_t)width);
	put_le64(space + 8, count);
	add_attribute(header, name, &type_text, &space_text, bytes);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(names[i]);

		put(to, names[i], len);
		put_zeros(to, width - len);
	}
	put_zeros(to, u64_ceil(bytes, 8) - bytes);
}

void h5_add_names(struct h5_header *header, const char *name,
		  const char *const *names, size_t count)
{
	char part[ATTR_NAME_MAX];
	size_t width = 1, fit;

	for (size_t i = 0; i < count; i++)
		width = u64_max(width, strlen(names[i]));
	assert(width <= TENSOR_NAME_MAX);
	fit = NAMES_BYTES_MAX / width;
	if (count <= fit) {
		add_part(header, name, width, names, count);
		return;
	}
	for (size_t i = 0; i < count; i += fit) {
		snprintf(part, sizeof(part), "%s%zu", name, i / fit);
		add_part(header, part, width, &names[i],
			 u64_min(fit, count - i));
	}
}

uint64_t h5_put_header(struct h5_out *out, const struct h5_header *header)
{
	struct h5_bytes *to = &out->to;
	uint64_t at = here(out);

	put_u16(to, 1); /* version */
	put_u16(to, header->count);
	put_u32(to, 1); /* one reference */
	put_u32(to, (uint32_t)header->messages.str.len);
	put_u32(to, 0);
	put(to, str_text(&header->messages.str), header->messages.str.len);
	if (!to->error)
		to->error = header->messages.error;
	return at;
}
