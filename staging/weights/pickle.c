/* SPDX-License-Identifier: MIT */
#include "staging/weights/pickle.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "staging/weights/pickle_heap.h"

enum opcode {
	OP_MARK = 0x28,
	OP_EMPTY_TUPLE = 0x29,
	OP_STOP = 0x2e,
	OP_BINFLOAT = 0x47,
	OP_BININT = 0x4a,
	OP_BININT1 = 0x4b,
	OP_BININT2 = 0x4d,
	OP_NONE = 0x4e,
	OP_BINPERSID = 0x51,
	OP_REDUCE = 0x52,
	OP_SHORT_BINSTRING = 0x55,
	OP_BINUNICODE = 0x58,
	OP_EMPTY_LIST = 0x5d,
	OP_APPEND = 0x61,
	OP_BUILD = 0x62,
	OP_GLOBAL = 0x63,
	OP_APPENDS = 0x65,
	OP_BINGET = 0x68,
	OP_LONG_BINGET = 0x6a,
	OP_BINPUT = 0x71,
	OP_LONG_BINPUT = 0x72,
	OP_SETITEM = 0x73,
	OP_TUPLE = 0x74,
	OP_SETITEMS = 0x75,
	OP_EMPTY_DICT = 0x7d,
	OP_PROTO = 0x80,
	OP_NEWOBJ = 0x81,
	OP_TUPLE1 = 0x85,
	OP_TUPLE2 = 0x86,
	OP_TUPLE3 = 0x87,
	OP_NEWTRUE = 0x88,
	OP_NEWFALSE = 0x89,
	OP_LONG1 = 0x8a,
	OP_EMPTY_SET = 0x8f
};

struct machine {
	struct pickle *heap;
	struct cursor in;
	const struct pickle_global *allowed;
	struct refusal *why;
};

/* Malformed; or cut short, which only the caller can tell from that. */
static int bad(struct machine *m, const char *what)
{
	if (m->in.bad)
		return -ENODATA;
	return refuse(m->why, "pickle", what,
		      "the pickle in the checkpoint is malformed");
}

static int push_number(struct machine *m, enum pickle_kind kind, int64_t number)
{
	struct pickle_node *node;
	int r = heap_push_new(m->heap, kind, &node);

	if (r == 0)
		node->number = number;
	return r;
}

static int push_long(struct machine *m)
{
	uint8_t len = cursor_u8(&m->in);
	const uint8_t *bytes = cursor_take(&m->in, len);
	uint64_t value = 0;

	if (!bytes)
		return bad(m, "LONG1");
	if (len > sizeof(value))
		return push_number(m, PICKLE_OPAQUE, 0);
	for (unsigned int i = 0; i < len; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	if (len > 0 && len < sizeof(value) && (bytes[len - 1] & 0x80))
		value |= UINT64_MAX << 8 * len;
	return push_number(m, PICKLE_INT, (int64_t)value);
}

static int push_string(struct machine *m, uint32_t len)
{
	const uint8_t *bytes = cursor_take(&m->in, len);
	struct pickle_node *node;
	int r;

	if (!bytes || memchr(bytes, 0, len) || !utf8_valid(bytes, len))
		return bad(m, "string");
	r = heap_push_new(m->heap, PICKLE_STRING, &node);
	if (r < 0)
		return r;
	node->bytes = (const char *)bytes;
	node->count = len;
	return 0;
}

/* A line of text without its newline, as GLOBAL has them. */
static const char *take_line(struct machine *m, char line[PICKLE_GLOBAL_MAX])
{
	size_t room = cursor_left(&m->in);
	const uint8_t *end = room > 0 ? memchr(m->in.at, '\n', room) : NULL;
	size_t len;

	if (!end && room < PICKLE_GLOBAL_MAX)
		cursor_take(&m->in, room + 1);
	if (!end || (size_t)(end - m->in.at) >= PICKLE_GLOBAL_MAX)
		return NULL;
	len = (size_t)(end - m->in.at);
	if (memchr(m->in.at, 0, len))
		return NULL;
	memcpy(line, m->in.at, len);
	line[len] = '\0';
	cursor_take(&m->in, len + 1);
	return line;
}

static int push_global(struct machine *m)
{
	char module[PICKLE_GLOBAL_MAX], name[PICKLE_GLOBAL_MAX];
	const struct pickle_global *global = m->allowed;
	struct pickle_node *node;
	int r;

	if (!take_line(m, module) || !take_line(m, name))
		return bad(m, "GLOBAL");
	for (; global->module; global++)
		if (strcmp(global->module, module) == 0 &&
		    strcmp(global->name, name) == 0)
			break;
	if (!global->module)
		return refuse(m->why, "pickle-global", module,
			      "the checkpoint holds more than tensors: "
			      "%s.%s would have to be run to load it",
			      module, name);
	r = heap_push_new(m->heap, PICKLE_GLOBAL, &node);
	if (r == 0)
		node->global = global;
	return r;
}

/* dict([(key, value), ...]), as Python 2 wrote an OrderedDict. */
static int fill_dict(struct machine *m, struct pickle_node *dict,
		     const struct pickle_node *args)
{
	const struct pickle_node *pairs = pickle_item(args, 0);
	int r = 0;

	if (args->count == 0)
		return 0;
	if (args->count != 1 || pairs->kind != PICKLE_LIST)
		return bad(m, "OrderedDict");
	for (size_t i = 0; r == 0 && i < pairs->count; i++) {
		const struct pickle_node *pair = pairs->items[i];

		if (!pickle_item(pair, 1) || pair->count != 2)
			return bad(m, "OrderedDict");
		r = heap_append(m->heap, dict, pair->items, 2);
	}
	return r;
}

/* REDUCE and NEWOBJ: a global and its arguments. */
static int call(struct machine *m)
{
	struct pickle_node *args = heap_pop(m->heap);
	struct pickle_node *global = heap_pop(m->heap);
	struct pickle_node *node;
	int r;

	if (!args || !global || args->kind != PICKLE_TUPLE ||
	    global->kind != PICKLE_GLOBAL)
		return bad(m, "REDUCE");
	if (global->global->made == PICKLE_MAKES_DICT) {
		r = heap_push_new(m->heap, PICKLE_DICT, &node);
		return r < 0 ? r : fill_dict(m, node, args);
	}
	r = heap_push_new(m->heap, PICKLE_CALL, &node);
	if (r == 0)
		r = heap_append(m->heap, node, &global, 1);
	if (r == 0)
		r = heap_append(m->heap, node, &args, 1);
	return r;
}

/*
 * State set on a dict is its attributes (_metadata): not data.  That of what
 * a call made is kept with the call, once.
 */
static int build(struct machine *m)
{
	struct pickle_node *state = heap_pop(m->heap);
	struct pickle_node *object = heap_top(m->heap);

	if (state && object && object->kind == PICKLE_DICT)
		return 0;
	if (!state || !object || object->kind != PICKLE_CALL ||
	    object->count != 2 ||
	    object->items[0]->global->made != PICKLE_MAKES_OBJECT)
		return bad(m, "BUILD");
	return heap_append(m->heap, object, &state, 1);
}

static int persistent(struct machine *m)
{
	struct pickle_node *id = heap_pop(m->heap);
	struct pickle_node *node;
	int r;

	if (!id)
		return bad(m, "BINPERSID");
	r = heap_push_new(m->heap, PICKLE_PERSISTENT, &node);
	if (r == 0)
		r = heap_append(m->heap, node, &id, 1);
	return r < 0 ? r : heap_note(m->heap, node);
}

/* The topmost @count values become a tuple. */
static int tuple(struct machine *m, size_t count)
{
	struct pickle_node **items = heap_take(m->heap, count);
	struct pickle_node *node;
	int r;

	if (!items)
		return bad(m, "TUPLE");
	r = heap_new(m->heap, PICKLE_TUPLE, &node);
	if (r == 0)
		r = heap_append(m->heap, node, items, count);
	return r < 0 ? r : heap_push(m->heap, node);
}

/* The topmost @count values go into the container below them. */
static int add_items(struct machine *m, enum pickle_kind kind, size_t count)
{
	struct pickle_node **items = heap_take(m->heap, count);
	struct pickle_node *into = heap_top(m->heap);

	if (!items || !into || into->kind != kind)
		return bad(m, "APPEND or SETITEM");
	if (kind == PICKLE_DICT && count % 2 != 0)
		return bad(m, "SETITEMS");
	return heap_append(m->heap, into, items, count);
}

static int get(struct machine *m, uint32_t number)
{
	struct pickle_node *node = heap_memo_get(m->heap, number);

	if (!node)
		return bad(m, "BINGET");
	return heap_push(m->heap, node);
}

static int put(struct machine *m, uint32_t number)
{
	int r = heap_memo_put(m->heap, number);

	return r == -EBADMSG ? bad(m, "BINPUT") : r;
}

/* Opcodes that push one value. */
static int run_value(struct machine *m, enum opcode op)
{
	switch (op) {
	case OP_NONE:
		return push_number(m, PICKLE_NONE, 0);
	case OP_NEWTRUE:
		return push_number(m, PICKLE_BOOL, 1);
	case OP_NEWFALSE:
		return push_number(m, PICKLE_BOOL, 0);
	case OP_BININT:
		return push_number(m, PICKLE_INT, (int32_t)cursor_le32(&m->in));
	case OP_BININT1:
		return push_number(m, PICKLE_INT, cursor_u8(&m->in));
	case OP_BININT2:
		return push_number(m, PICKLE_INT, cursor_le16(&m->in));
	case OP_LONG1:
		return push_long(m);
	case OP_BINFLOAT:
		cursor_take(&m->in, 8);
		return push_number(m, PICKLE_OPAQUE, 0);
	case OP_SHORT_BINSTRING:
		return push_string(m, cursor_u8(&m->in));
	case OP_BINUNICODE:
		return push_string(m, cursor_le32(&m->in));
	case OP_EMPTY_TUPLE:
		return tuple(m, 0);
	case OP_EMPTY_LIST:
	case OP_EMPTY_SET:
		return heap_push_new(m->heap, PICKLE_LIST, NULL);
	case OP_EMPTY_DICT:
		return heap_push_new(m->heap, PICKLE_DICT, NULL);
	case OP_GLOBAL:
		return push_global(m);
	default:
		return bad(m, "opcode");
	}
}

static int run_one(struct machine *m, enum opcode op)
{
	switch (op) {
	case OP_MARK:
		return heap_mark(m->heap) < 0 ? bad(m, "MARK") : 0;
	case OP_TUPLE:
		return tuple(m, heap_since_mark(m->heap));
	case OP_TUPLE1:
	case OP_TUPLE2:
	case OP_TUPLE3:
		return tuple(m, op - OP_TUPLE1 + 1);
	case OP_APPEND:
		return add_items(m, PICKLE_LIST, 1);
	case OP_APPENDS:
		return add_items(m, PICKLE_LIST, heap_since_mark(m->heap));
	case OP_SETITEM:
		return add_items(m, PICKLE_DICT, 2);
	case OP_SETITEMS:
		return add_items(m, PICKLE_DICT, heap_since_mark(m->heap));
	case OP_REDUCE:
	case OP_NEWOBJ:
		return call(m);
	case OP_BUILD:
		return build(m);
	case OP_BINPERSID:
		return persistent(m);
	case OP_BINGET:
		return get(m, cursor_u8(&m->in));
	case OP_LONG_BINGET:
		return get(m, cursor_le32(&m->in));
	case OP_BINPUT:
		return put(m, cursor_u8(&m->in));
	case OP_LONG_BINPUT:
		return put(m, cursor_le32(&m->in));
	default:
		return run_value(m, op);
	}
}

static int run(struct machine *m)
{
	int r = 0;

	if (cursor_u8(&m->in) != OP_PROTO || cursor_u8(&m->in) != 2)
		return bad(m, "not of protocol 2");
	while (r == 0) {
		uint8_t op = cursor_u8(&m->in);

		if (m->in.bad)
			return bad(m, "no end");
		if (op == OP_STOP)
			break;
		r = run_one(m, op);
		if (r == 0 && m->in.bad)
			return bad(m, "truncated");
	}
	if (r == -EFBIG)
		return refuse(m->why, "pickle", NULL,
			      "the pickle in the checkpoint is too complex");
	if (r < 0)
		return r;
	return heap_is_single(m->heap) ? 0 : bad(m, "left-overs");
}

int pickle_parse_first(const void *bytes, size_t len,
		       const struct pickle_global *allowed, struct pickle **out,
		       size_t *used, struct refusal *why)
{
	auto_pickle struct pickle *heap = NULL;
	struct machine m = {
		.in = cursor_of(bytes, u64_min(len, PICKLE_BYTES_MAX)),
		.allowed = allowed,
		.why = why,
	};
	int r = heap_create(&heap);

	if (r < 0)
		return r;
	m.heap = heap;
	r = run(&m);
	if (r == -ENODATA && len >= PICKLE_BYTES_MAX)
		return refuse(why, "pickle", NULL,
			      "the pickle in the checkpoint is too long");
	if (r < 0)
		return r;
	*used = (size_t)(m.in.at - (const uint8_t *)bytes);
	*out = take_ptr(heap);
	return 0;
}

int pickle_parse(const void *bytes, size_t len,
		 const struct pickle_global *allowed, struct pickle **out,
		 struct refusal *why)
{
	auto_pickle struct pickle *pickle = NULL;
	size_t used;
	int r = pickle_parse_first(bytes, len, allowed, &pickle, &used, why);

	if (r == -ENODATA || (r == 0 && used != len))
		return refuse(why, "pickle", NULL,
			      "the pickle in the checkpoint is malformed");
	if (r == 0)
		*out = take_ptr(pickle);
	return r;
}
