/* SPDX-License-Identifier: MIT */
/*
 * providers/catalogue.h - the table of models that a hub without a list has.
 *
 * A catalogue is a text of the program's share folder
 * (catalogues/<hub>.tsv, made by tools/catalogues/make): a line of column
 * names, then a line a row; fields are separated by tabs and never quoted.
 * The first column is the key; rows are sorted by its bytes, and those of
 * one key stand together.
 *
 * Immutable once made; safe from any thread.  Texts are borrowed from it.
 */
#ifndef PROVIDERS_CATALOGUE_H
#define PROVIDERS_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"

struct catalogue;

/* Rows [first, first + count). */
struct catalogue_rows {
	size_t first;
	size_t count;
};

/*
 * Pure; copies the bytes.  -EBADMSG: not of that form (a row has another
 * number of fields, no key, or is out of order); -EFBIG; -ENOMEM.
 */
int catalogue_parse(const void *bytes, size_t len,
		    struct catalogue **out) MUST_CHECK;

/* Reads catalogues/<hub>.tsv of the share folder; -errno of the file too. */
int catalogue_load(const char *hub, struct catalogue **out) MUST_CHECK;
void catalogue_free(struct catalogue *catalogue);

/* All rows. */
struct catalogue_rows catalogue_all(const struct catalogue *catalogue);

/*
 * The place of each of @count columns @names, in @columns.  -EBADMSG: one
 * is not there.
 */
int catalogue_columns(const struct catalogue *catalogue,
		      const char *const *names, size_t count,
		      size_t *columns) MUST_CHECK;

/* "" where the table has nothing. */
const char *catalogue_field(const struct catalogue *catalogue, size_t row,
			    size_t column);

/* .count is 0: no such key. */
struct catalogue_rows catalogue_find(const struct catalogue *catalogue,
				     const char *key);

/*
 * The same whatever the case of @key (ASCII): the rows of @key itself, else
 * those of the first key that differs from it in case only.
 */
struct catalogue_rows catalogue_find_any_case(const struct catalogue *catalogue,
					      const char *key);

DEFINE_AUTO_PTR(catalogue, struct catalogue, catalogue_free)
#define auto_catalogue auto_of(catalogue)

#endif
