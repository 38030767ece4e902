/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/attr_value.h - attributes' values, read and made.
 *
 * Facts: tensorflow/core/framework/attr_value.proto, tensor.proto.  A value
 * may be a placeholder in a polymorphic function: then the call's attribute
 * of that name is meant.
 */
#ifndef STAGING_TENSORFLOW_ATTR_VALUE_H
#define STAGING_TENSORFLOW_ATTR_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "staging/tensorflow/graph_def.h"

/* Fields of AttrValue. */
enum {
	ATTR_LIST = 1,
	ATTR_S = 2,
	ATTR_I = 3,
	ATTR_TYPE = 6,
	ATTR_SHAPE = 7,
	ATTR_TENSOR = 8,
	ATTR_PLACEHOLDER = 9,
	ATTR_FUNC = 10
};

/* Fields of AttrValue.ListValue. */
enum { LIST_TYPE = 6, LIST_SHAPE = 7, LIST_FUNC = 9 };

/* A function by name with its attributes. */
struct tf_function_ref {
	struct tf_text name;
	struct tf_attrs attrs;
};

struct tf_types {
	int *items;
	size_t count;
};

/* The last field @number of the value; false: it has none. */
bool attr_field(const struct tf_attr *attr, uint32_t number,
		struct wire_field *out);

/*
 * What attribute @name of a node means where the calling node's attributes
 * are @env; NULL: there is none, or nobody says.
 */
const struct tf_attr *attr_of(const struct tf_attrs *attrs, const char *name,
			      const struct tf_attrs *env);

/* @attr, or what of @env it stands for; NULL: nobody says. */
const struct tf_attr *attr_resolve(const struct tf_attr *attr,
				   const struct tf_attrs *env);

/* False: @attr is NULL or not of that kind. */
bool attr_int(const struct tf_attr *attr, int64_t *out);
bool attr_type(const struct tf_attr *attr, int *out);
bool attr_text(const struct tf_attr *attr, struct tf_text *out);

/* Of a list of types how many; false: not one, or over OP_PORTS_MAX. */
bool attr_type_count(const struct tf_attr *attr, uint64_t *count);

/* -EBADMSG: not a list of types, or more than OP_PORTS_MAX; tf_pool_error(). */
int attr_types(struct tf_pool *pool, const struct tf_attr *attr,
	       struct tf_types *out) MUST_CHECK;

/* A NameAttrList.  -EBADMSG, tf_pool_error(). */
int attr_function(struct tf_pool *pool, const struct wire_field *field,
		  struct tf_function_ref *out, struct refusal *why) MUST_CHECK;

/* The strings of a constant of strings.  As attr_types(). */
int attr_strings(struct tf_pool *pool, const struct tf_attr *attr,
		 struct tf_text **out, size_t *count) MUST_CHECK;

/* Makes of values, in @pool; @name must last.  tf_pool_error(). */
int attr_make_int(struct tf_pool *pool, const char *name, int64_t value,
		  struct tf_attr *out) MUST_CHECK;
int attr_make_type(struct tf_pool *pool, const char *name, int type,
		   struct tf_attr *out) MUST_CHECK;
int attr_make_types(struct tf_pool *pool, const char *name,
		    const struct tf_types *types,
		    struct tf_attr *out) MUST_CHECK;

/* A tensor of int32 or int64 (@type); a scalar, else @count in a row. */
int attr_make_ints(struct tf_pool *pool, const char *name, int type,
		   const uint64_t *values, size_t count, bool scalar,
		   struct tf_attr *out) MUST_CHECK;

/* A tensor: one true. */
int attr_make_true(struct tf_pool *pool, const char *name,
		   struct tf_attr *out) MUST_CHECK;

/* The value is the one field @number with these contents. */
int attr_make_bytes(struct tf_pool *pool, struct tf_text name, uint32_t number,
		    const void *bytes, size_t len,
		    struct tf_attr *out) MUST_CHECK;

#endif
