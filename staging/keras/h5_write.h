/* SPDX-License-Identifier: MIT */
/*
 * staging/keras/h5_write.h - groups and attributes of HDF5, as bytes.  Pure.
 *
 * The forms are those of h5py's default (libver "earliest"): object headers
 * of version 1, symbol tables, one global heap for strings.  The sections of
 * the specification are named in the headers of staging/weights/hdf5_*.h.
 * Parts are appended to one run of bytes; each gives the address where it
 * was put, so what is pointed at is written first.
 *
 * No call fails: the first error (-ENOMEM, -EFBIG) is kept in .error, and
 * what comes after it does nothing.
 */
#ifndef STAGING_KERAS_H5_WRITE_H
#define STAGING_KERAS_H5_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct h5_bytes {
	struct str str; /* owned */
	int error;
};

struct h5_out {
	struct h5_bytes to;
	uint64_t base;		     /* address of the first byte; 8-aligned */
	unsigned int leaf_k, node_k; /* of the superblock; > 0 */
};
void h5_out_init(struct h5_out *out, uint64_t base, unsigned int leaf_k,
		 unsigned int node_k);
void h5_out_release(struct h5_out *out);
DEFINE_AUTO(h5_out, struct h5_out, h5_out_release)
#define auto_h5_out auto_of(h5_out)

/* A name in a group. */
struct h5_entry {
	const char *name; /* borrowed */
	uint64_t header;  /* of the object */
	uint64_t name_at; /* in the group's heap; set by h5_put_group() */
};

/* What an object header says of a group. */
struct h5_group {
	uint64_t tree, heap;
};

/* The entries, @count > 0, are sorted by name; no two are alike. */
struct h5_group h5_put_group(struct h5_out *out, struct h5_entry *entries,
			     size_t count);

/* A string of variable length, below 4 GiB. */
struct h5_text {
	const char *bytes; /* borrowed */
	size_t len;
};

/* A global heap; text i is object i + 1 of it. */
uint64_t h5_put_texts(struct h5_out *out, const struct h5_text *texts,
		      size_t count);

/* The messages of an object header. */
struct h5_header {
	struct h5_bytes messages;
	unsigned int count;
};
void h5_header_init(struct h5_header *header);
void h5_header_release(struct h5_header *header);
DEFINE_AUTO(h5_header, struct h5_header, h5_header_release)
#define auto_h5_header auto_of(h5_header)

void h5_add_group(struct h5_header *header, const struct h5_group *group);

/* Attribute @name: object @number of the global heap at @heap. */
void h5_add_text(struct h5_header *header, const char *name, uint64_t heap,
		 uint32_t number, size_t len);

/*
 * Attribute @name: strings of one width; split into <name>0, <name>1 ... as
 * Keras does where one attribute cannot hold them.
 */
void h5_add_names(struct h5_header *header, const char *name,
		  const char *const *names, size_t count);

/* The header, with an error of its messages. */
uint64_t h5_put_header(struct h5_out *out, const struct h5_header *header);

#endif
