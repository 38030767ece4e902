/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/hdf5_type.h - dataspace and datatype messages.  Pure.
 *
 * HDF5 File Format Specification 3.0, IV.A.2.b and IV.A.2.d.
 */
#ifndef STAGING_WEIGHTS_HDF5_TYPE_H
#define STAGING_WEIGHTS_HDF5_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/limits.h"
#include "staging/weights/weights.h"

struct hdf5_space {
	unsigned int rank; /* 0: a scalar */
	bool null;	   /* no element at all */
	uint64_t dims[HDF5_RANK_MAX];
};

/* -EBADMSG: malformed, or of an unknown version. */
int hdf5_space_parse(const void *bytes, size_t len,
		     struct hdf5_space *out) MUST_CHECK;

/* False: it passes 2^64. */
bool hdf5_space_count(const struct hdf5_space *space, uint64_t *count);

enum hdf5_kind {
	HDF5_NUMBER,	  /* .dtype, which may be DTYPE_OTHER */
	HDF5_STRING,	  /* of .size bytes */
	HDF5_VLEN_STRING, /* a reference of 16 bytes into a global heap */
	HDF5_OTHER
};

struct hdf5_type {
	enum hdf5_kind kind;
	enum dtype dtype;
	bool big_endian;
	bool terminated; /* a string ends at its first NUL, else with .pad */
	char pad;
	uint32_t size; /* bytes of an element */
};

/* -EBADMSG: malformed. */
int hdf5_type_parse(const void *bytes, size_t len,
		    struct hdf5_type *out) MUST_CHECK;

#endif
