/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/msgpack_item.h - the heads of MessagePack's items.  Pure.
 *
 * MessagePack specification (github.com/msgpack/msgpack, spec.md): a first
 * byte says what the item is and, with up to four big-endian bytes after it,
 * how long.  What follows a map's or array's head are its items.
 */
#ifndef STAGING_WEIGHTS_MSGPACK_ITEM_H
#define STAGING_WEIGHTS_MSGPACK_ITEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"

enum msgpack_kind {
	MSGPACK_MAP,
	MSGPACK_ARRAY,
	MSGPACK_TEXT,
	MSGPACK_BYTES,
	MSGPACK_EXT,
	MSGPACK_UINT,
	MSGPACK_OTHER /* nil, a truth value, a negative or broken number */
};

struct msgpack_item {
	enum msgpack_kind kind;
	size_t head; /* bytes before what it holds */

	/*
	 * Pairs of a map, items of an array, bytes of a text, of bytes and of
	 * an extension; the number itself; else 0.
	 */
	uint64_t count;
	uint8_t ext; /* the type of an extension */
};

/*
 * The item that @bytes begin with.  -ENODATA: its head has more than @len
 * bytes; -EBADMSG: no item begins so.
 */
int msgpack_item(const uint8_t *bytes, size_t len,
		 struct msgpack_item *out) MUST_CHECK;

#endif
