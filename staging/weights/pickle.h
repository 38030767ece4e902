/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/pickle.h - a pickle as data.  Pure; nothing is called.
 *
 * A symbolic machine for the opcodes that torch.save() writes at protocol 2
 * (torch/_weights_only_unpickler.py, Python's Lib/pickletools.py).  Globals
 * are tags out of the caller's list; any other global, opcode or persistent
 * id refuses the whole pickle.  A call becomes a node that holds the tag
 * and the arguments; sharing stays sharing, so nothing grows by reference.
 */
#ifndef STAGING_WEIGHTS_PICKLE_H
#define STAGING_WEIGHTS_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/refusal.h"

/* What calling a global makes. */
enum pickle_made {
	PICKLE_MAKES_CALL,
	PICKLE_MAKES_DICT,
	PICKLE_MAKES_OBJECT /* a call that a state may be set on */
};

/* A global that may occur; a table ends with .module NULL. */
struct pickle_global {
	const char *module;
	const char *name;
	int tag;
	int arg; /* for the caller: the dtype of a storage */
	enum pickle_made made;
};

enum pickle_kind {
	PICKLE_NONE,
	PICKLE_BOOL,
	PICKLE_INT,
	PICKLE_OPAQUE, /* a float, or an int of more than 64 bits */
	PICKLE_STRING,
	PICKLE_TUPLE,
	PICKLE_LIST,
	PICKLE_DICT, /* keys and values alternate */
	PICKLE_GLOBAL,
	PICKLE_CALL, /* items: the global, the tuple of arguments[, state] */
	PICKLE_PERSISTENT /* items: the id */
};

struct pickle_node {
	enum pickle_kind kind;
	uint16_t depth; /* of nesting below it */
	uint32_t count; /* of items; bytes of a string */
	union {
		int64_t number;	   /* INT, BOOL */
		const char *bytes; /* STRING: in the pickle's input, no NUL */
		struct pickle_node **items; /* of the pickle */
		const struct pickle_global *global;
	};
};

struct pickle;

/*
 * @bytes, @len of them, must outlive *@out, which the caller frees with
 * pickle_free().  -EBADMSG: refused, @why says so.
 */
int pickle_parse(const void *bytes, size_t len,
		 const struct pickle_global *allowed, struct pickle **out,
		 struct refusal *why) MUST_CHECK;

/*
 * As pickle_parse(), of the pickle that @bytes begin with; it is *@used
 * bytes long.  -ENODATA: it does not end within @len; @why is untouched.
 */
int pickle_parse_first(const void *bytes, size_t len,
		       const struct pickle_global *allowed, struct pickle **out,
		       size_t *used, struct refusal *why) MUST_CHECK;
void pickle_free(struct pickle *pickle);
DEFINE_AUTO_PTR(pickle, struct pickle, pickle_free)
#define auto_pickle auto_of(pickle)

const struct pickle_node *pickle_root(const struct pickle *pickle);

/* Persistent id number @i, in order; NULL: there are fewer. */
const struct pickle_node *pickle_persistent(const struct pickle *pickle,
					    size_t i);

/* Item @i of a tuple or list; NULL: there is none, or @node is neither. */
const struct pickle_node *pickle_item(const struct pickle_node *node, size_t i);

/* The value at a key of a dict, the last one set; NULL. */
const struct pickle_node *pickle_get(const struct pickle_node *dict,
				     const char *key);
bool pickle_is_text(const struct pickle_node *node, const char *text);

/* False: not an integer, or negative. */
bool pickle_u64(const struct pickle_node *node, uint64_t *out);

#endif
