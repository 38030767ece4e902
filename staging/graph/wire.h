/* SPDX-License-Identifier: MIT */
/*
 * staging/graph/wire.h - protobuf's wire format, written.
 *
 * Facts: protobuf.dev/programming-guides/encoding.  A record is a tag (the
 * field's number and the wire type) and a varint, four bytes, or a length
 * and so many bytes.
 */
#ifndef STAGING_GRAPH_WIRE_H
#define STAGING_GRAPH_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/str.h"

#define WIRE_VARINT_MAX 10 /* bytes of the longest varint */

/* Bytes of @v as a varint. */
size_t wire_varint_len(uint64_t v);

/* Bytes of the record of @len bytes in @field, tag and length included. */
uint64_t wire_record_len(unsigned int field, uint64_t len);

/* -ENOMEM, -EFBIG as str_append(). */
int wire_int(struct str *out, unsigned int field, uint64_t v) MUST_CHECK;
int wire_float(struct str *out, unsigned int field, float f) MUST_CHECK;
int wire_bytes(struct str *out, unsigned int field, const void *bytes,
	       size_t len) MUST_CHECK;
int wire_text(struct str *out, unsigned int field, const char *text) MUST_CHECK;

/* The contents of @message as a record. */
int wire_message(struct str *out, unsigned int field,
		 const struct str *message) MUST_CHECK;

/* Tag and length only: @len bytes are to follow. */
int wire_head(struct str *out, unsigned int field, uint64_t len) MUST_CHECK;

#endif
