/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/hdf5_attr.h - attributes that are strings.
 *
 * HDF5 File Format Specification 3.0, IV.A.2.m (attribute messages, version
 * 1 to 3) and III.E (global heaps, where strings of variable length lie).
 * Keras splits a list of names that is too long for one attribute (64,512
 * bytes) into <name>0, <name>1 ... (keras/src/legacy/saving,
 * legacy_h5_format.py).
 */
#ifndef STAGING_WEIGHTS_HDF5_ATTR_H
#define STAGING_WEIGHTS_HDF5_ATTR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/weights/hdf5_object.h"

/* Zeroed before use.  Each is UTF-8, not empty, at most TENSOR_NAME_MAX. */
struct hdf5_names {
	char **names; /* owned, each too */
	size_t count;
};
void hdf5_names_release(struct hdf5_names *names);
DEFINE_AUTO(hdf5_names, struct hdf5_names, hdf5_names_release)
#define auto_hdf5_names auto_of(hdf5_names)

/*
 * The strings of attribute @name, whole or split; any attribute of no
 * element is an empty list.  -ENOENT: there is no such attribute.
 */
int hdf5_attr_names(struct hdf5_file *file, const struct hdf5_object *object,
		    const char *name, struct hdf5_names *out) MUST_CHECK;

/* The one string of attribute @name; the caller frees it.  -ENOENT. */
int hdf5_attr_text(struct hdf5_file *file, const struct hdf5_object *object,
		   const char *name, char **out) MUST_CHECK;

/* Is there one?  1, 0 or an error. */
int hdf5_attr_there(struct hdf5_file *file, const struct hdf5_object *object,
		    const char *name) MUST_CHECK;

#endif
