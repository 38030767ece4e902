/* SPDX-License-Identifier: MIT */
#include "staging/weights/pickle_heap.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"

/* Nodes do not move: they are handed out by pointer. */
#define CHUNK_NODES 512

struct chunk {
	struct chunk *next;
	struct pickle_node nodes[CHUNK_NODES];
};

struct node_array {
	struct pickle_node **list; /* owned */
	size_t count;
	size_t cap;
};

struct pickle {
	struct chunk *chunks; /* the newest first */
	size_t node_count;
	size_t item_count; /* of all containers */
	struct node_array stack;
	struct node_array memo;
	struct node_array persistent;
	size_t marks[PICKLE_MARKS_MAX]; /* heights of the stack */
	size_t mark_count;
};

int heap_create(struct pickle **out)
{
	struct pickle *heap = mem_zalloc(sizeof(*heap));

	if (!heap)
		return -ENOMEM;
	*out = heap;
	return 0;
}

static bool has_items(const struct pickle_node *node)
{
	switch (node->kind) {
	case PICKLE_TUPLE:
	case PICKLE_LIST:
	case PICKLE_DICT:
	case PICKLE_CALL:
	case PICKLE_PERSISTENT:
		return true;
	default:
		return false;
	}
}

void pickle_free(struct pickle *pickle)
{
	if (!pickle)
		return;
	while (pickle->chunks) {
		struct chunk *chunk = pickle->chunks;

		for (size_t i = 0; i < CHUNK_NODES; i++)
			if (has_items(&chunk->nodes[i]))
				free(chunk->nodes[i].items);
		pickle->chunks = chunk->next;
		free(chunk);
	}
	free(pickle->stack.list);
	free(pickle->memo.list);
	free(pickle->persistent.list);
	free(pickle);
}

static int array_add(struct node_array *array, struct pickle_node *node)
{
	if (array->count == array->cap) {
		size_t cap = array->cap ? 2 * array->cap : 64;
		struct pickle_node **list = mem_resize(array->list, cap,
						       sizeof(*list));

		if (!list)
			return -ENOMEM;
		array->list = list;
		array->cap = cap;
	}
	array->list[array->count++] = node;
	return 0;
}

int heap_new(struct pickle *heap, enum pickle_kind kind,
	     struct pickle_node **out)
{
	size_t place = heap->node_count % CHUNK_NODES;
	struct pickle_node *node;

	if (heap->node_count >= PICKLE_NODES_MAX)
		return -EFBIG;
	if (place == 0) {
		struct chunk *chunk = mem_zalloc(sizeof(*chunk));

		if (!chunk)
			return -ENOMEM;
		chunk->next = heap->chunks;
		heap->chunks = chunk;
	}
	node = &heap->chunks->nodes[place];
	node->kind = kind;
	heap->node_count++;
	if (out)
		*out = node;
	return 0;
}

int heap_push(struct pickle *heap, struct pickle_node *node)
{
	if (heap->stack.count >= PICKLE_NODES_MAX)
		return -EFBIG;
	return array_add(&heap->stack, node);
}

int heap_push_new(struct pickle *heap, enum pickle_kind kind,
		  struct pickle_node **out)
{
	struct pickle_node *node;
	int r = heap_new(heap, kind, &node);

	if (r == 0)
		r = heap_push(heap, node);
	if (r == 0 && out)
		*out = node;
	return r;
}

/* Values that may be popped: those above the last mark. */
static size_t height(const struct pickle *heap)
{
	size_t floor = 0;

	if (heap->mark_count > 0)
		floor = heap->marks[heap->mark_count - 1];
	return heap->stack.count - floor;
}

struct pickle_node *heap_top(const struct pickle *heap)
{
	if (height(heap) == 0)
		return NULL;
	return heap->stack.list[heap->stack.count - 1];
}

struct pickle_node *heap_pop(struct pickle *heap)
{
	struct pickle_node **top = heap_take(heap, 1);

	return top ? *top : NULL;
}

int heap_mark(struct pickle *heap)
{
	if (heap->mark_count >= PICKLE_MARKS_MAX)
		return -EFBIG;
	heap->marks[heap->mark_count++] = heap->stack.count;
	return 0;
}

size_t heap_since_mark(struct pickle *heap)
{
	size_t count = height(heap);

	if (heap->mark_count == 0)
		return SIZE_MAX;
	heap->mark_count--;
	return count;
}

struct pickle_node **heap_take(struct pickle *heap, size_t count)
{
	static struct pickle_node *none[1];

	if (count > height(heap))
		return NULL;
	heap->stack.count -= count;
	return count ? &heap->stack.list[heap->stack.count] : none;
}

static int deepen(struct pickle_node *into, struct pickle_node *const *items,
		  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i]->depth >= PICKLE_DEPTH_MAX)
			return -EFBIG;
		if (items[i]->depth >= into->depth)
			into->depth = items[i]->depth + 1;
	}
	return 0;
}

/* Room is the power of two at or above the count, so it need not be kept. */
static size_t room_for(size_t count)
{
	size_t room = 2;

	while (room < count)
		room *= 2;
	return room;
}

int heap_append(struct pickle *heap, struct pickle_node *into,
		struct pickle_node *const *items, size_t count)
{
	struct pickle_node **bigger;

	if (count == 0)
		return 0;
	if (count > PICKLE_NODES_MAX - heap->item_count)
		return -EFBIG;
	if (deepen(into, items, count) < 0)
		return -EFBIG;
	if (!into->items || into->count + count > room_for(into->count)) {
		bigger = mem_resize(into->items, room_for(into->count + count),
				    sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		into->items = bigger;
	}
	memcpy(into->items + into->count, items, count * sizeof(*items));
	into->count += (uint32_t)count;
	heap->item_count += count;
	return 0;
}

int heap_memo_put(struct pickle *heap, uint32_t number)
{
	struct pickle_node *top = heap_top(heap);

	if (!top ||
	    (number > heap->memo.count && (number > 1 || heap->memo.count > 0)))
		return -EBADMSG;
	if (number >= PICKLE_NODES_MAX)
		return -EFBIG;
	while (number >= heap->memo.count)
		if (array_add(&heap->memo, NULL) < 0)
			return -ENOMEM;
	heap->memo.list[number] = top;
	return 0;
}

struct pickle_node *heap_memo_get(const struct pickle *heap, uint32_t number)
{
	return number < heap->memo.count ? heap->memo.list[number] : NULL;
}

int heap_note(struct pickle *heap, struct pickle_node *node)
{
	return array_add(&heap->persistent, node);
}

bool heap_is_single(const struct pickle *heap)
{
	return heap->stack.count == 1 && heap->mark_count == 0;
}

const struct pickle_node *pickle_root(const struct pickle *pickle)
{
	return pickle->stack.list[0];
}

const struct pickle_node *pickle_persistent(const struct pickle *pickle,
					    size_t i)
{
	if (i >= pickle->persistent.count)
		return NULL;
	return pickle->persistent.list[i];
}

const struct pickle_node *pickle_item(const struct pickle_node *node, size_t i)
{
	if (node->kind != PICKLE_TUPLE && node->kind != PICKLE_LIST)
		return NULL;
	return i < node->count ? node->items[i] : NULL;
}

bool pickle_is_text(const struct pickle_node *node, const char *text)
{
	return node->kind == PICKLE_STRING && node->count == strlen(text) &&
	       memcmp(node->bytes, text, node->count) == 0;
}

const struct pickle_node *pickle_get(const struct pickle_node *dict,
				     const char *key)
{
	if (dict->kind != PICKLE_DICT)
		return NULL;
	for (size_t i = dict->count; i >= 2; i -= 2)
		if (pickle_is_text(dict->items[i - 2], key))
			return dict->items[i - 1];
	return NULL;
}

bool pickle_u64(const struct pickle_node *node, uint64_t *out)
{
	if (node->kind != PICKLE_INT || node->number < 0)
		return false;
	*out = (uint64_t)node->number;
	return true;
}
