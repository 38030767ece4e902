/* SPDX-License-Identifier: MIT */
/* The linker gives these calls the names that it wraps. */
#include "tests/fuzz/fitting_weights.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "staging/bind.h"

#define ANY 2 /* numbers of an axis of which any may be */

static struct weights *fitting;
static size_t spare; /* where to look for the next one */
static bool lacked;

void fitting_begin(struct weights *weights)
{
	fitting = weights;
	spare = 0;
	lacked = false;
}

bool fitting_end(void)
{
	fitting = NULL;
	return !lacked;
}

/* A spare tensor, now called @name; NULL: there is none left. */
static struct tensor *take_spare(const char *name)
{
	struct tensor *tensor;
	char *copy;

	for (; spare < fitting->count; spare++)
		if (strncmp(fitting->tensors[spare].name, SPARE_TENSOR,
			    strlen(SPARE_TENSOR)) == 0)
			break;
	if (spare == fitting->count) {
		lacked = true;
		return NULL;
	}
	tensor = &fitting->tensors[spare];
	copy = mem_strdup(name);
	if (!copy || map_add(&fitting->by_name, name, tensor) < 0) {
		free(copy);
		return NULL;
	}
	free(tensor->name);
	tensor->name = copy;
	tensor->dtype = DTYPE_F32;
	return tensor;
}

/* The tensor gets @shape, or stays as it is if that cannot be. */
static void reshape(struct tensor *tensor, const struct shape *shape)
{
	struct tensor made = *tensor;
	uint64_t elements, bytes;

	made.rank = shape->rank;
	for (unsigned int i = 0; i < made.rank; i++)
		if (shape->dims[i] != 0)
			made.dims[i] = shape->dims[i];
		else if (made.rank != tensor->rank || made.dims[i] == 0)
			made.dims[i] = ANY;
	if (!tensor_measure(&made, &elements, &bytes) ||
	    bytes > FILE_BYTES_MAX - made.off)
		return;
	made.len = bytes;
	*tensor = made;
}

static void fit(const struct bind *bind, const struct shape *shape,
		const char *name)
{
	const struct tensor *found;
	struct tensor *tensor;

	if (fitting != bind->weights || bind->graph->error < 0)
		return;
	found = bind_find(fitting, bind->base, name);
	tensor = found ? &fitting->tensors[found - fitting->tensors]
		       : take_spare(name);
	if (tensor && !bind->used[tensor - fitting->tensors])
		reshape(tensor, shape);
}

/* The wrapped calls, and those that wrap them. */
struct value *__real_bind_matrix(struct bind *bind, uint64_t rows,
				 uint64_t columns, const char *format, ...)
	PRINTF_LIKE(4, 5);
struct value *__wrap_bind_matrix(struct bind *bind, uint64_t rows,
				 uint64_t columns, const char *format, ...)
	PRINTF_LIKE(4, 5);
struct value *__real_bind_vector(struct bind *bind, uint64_t rows,
				 const char *format, ...) PRINTF_LIKE(3, 4);
struct value *__wrap_bind_vector(struct bind *bind, uint64_t rows,
				 const char *format, ...) PRINTF_LIKE(3, 4);
struct value *__real_bind_turned(struct bind *bind, uint64_t rows,
				 uint64_t columns, const char *format, ...)
	PRINTF_LIKE(4, 5);
struct value *__wrap_bind_turned(struct bind *bind, uint64_t rows,
				 uint64_t columns, const char *format, ...)
	PRINTF_LIKE(4, 5);
struct value *__real_bind_shaped(struct bind *bind, struct shape stored,
				 const struct shape *shown, const char *format,
				 ...) PRINTF_LIKE(4, 5);
struct value *__wrap_bind_shaped(struct bind *bind, struct shape stored,
				 const struct shape *shown, const char *format,
				 ...) PRINTF_LIKE(4, 5);

/* The text of @format and what follows it. */
#define NAME_OF(name, format)                                  \
	do {                                                   \
		va_list args;                                  \
                                                               \
		va_start(args, format);                        \
		vsnprintf((name), sizeof(name), format, args); \
		va_end(args);                                  \
	} while (0)

struct value *__wrap_bind_matrix(struct bind *bind, uint64_t rows,
				 uint64_t columns, const char *format, ...)
{
	char name[TENSOR_NAME_MAX + 1];

	NAME_OF(name, format);
	fit(bind, &SHAPE(rows, columns), name);
	return __real_bind_matrix(bind, rows, columns, "%s", name);
}

struct value *__wrap_bind_vector(struct bind *bind, uint64_t rows,
				 const char *format, ...)
{
	char name[TENSOR_NAME_MAX + 1];

	NAME_OF(name, format);
	fit(bind, &SHAPE(rows), name);
	return __real_bind_vector(bind, rows, "%s", name);
}

struct value *__wrap_bind_turned(struct bind *bind, uint64_t rows,
				 uint64_t columns, const char *format, ...)
{
	char name[TENSOR_NAME_MAX + 1];

	NAME_OF(name, format);
	fit(bind, &SHAPE(rows, columns), name);
	return __real_bind_turned(bind, rows, columns, "%s", name);
}

struct value *__wrap_bind_shaped(struct bind *bind, struct shape stored,
				 const struct shape *shown, const char *format,
				 ...)
{
	char name[TENSOR_NAME_MAX + 1];

	NAME_OF(name, format);
	fit(bind, &stored, name);
	return __real_bind_shaped(bind, stored, shown, "%s", name);
}
