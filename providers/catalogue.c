/* SPDX-License-Identifier: MIT */
#include "providers/catalogue.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "base/atomic_file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/share.h"
#include "base/str.h"

struct catalogue {
	char *text;	     /* owned; tabs and ends of lines are NUL */
	const char **fields; /* owned; of the head, then row after row */
	size_t columns;
	size_t rows;
};

void catalogue_free(struct catalogue *catalogue)
{
	if (!catalogue)
		return;
	free(catalogue->text);
	free(catalogue->fields);
	free(catalogue);
}

static size_t count_of(const char *text, size_t len, char what)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == what;
	return count;
}

const char *catalogue_field(const struct catalogue *catalogue, size_t row,
			    size_t column)
{
	assert(row < catalogue->rows && column < catalogue->columns);
	return catalogue->fields[(row + 1) * catalogue->columns + column];
}

/* Cuts the line at *@at into fields and moves past it.  -EBADMSG. */
static int line_cut(struct catalogue *catalogue, size_t line, char **at)
{
	const char **fields = &catalogue->fields[line * catalogue->columns];
	char *end = strchr(*at, '\n');

	if (!end)
		return -EBADMSG;
	*end = '\0';
	for (size_t i = 0; i < catalogue->columns; i++) {
		size_t len = strcspn(*at, "\t");
		bool last = (*at)[len] == '\0';

		if (last != (i + 1 == catalogue->columns))
			return -EBADMSG;
		fields[i] = *at;
		(*at)[len] = '\0';
		*at += len + 1;
	}
	return fields[0][0] ? 0 : -EBADMSG;
}

static bool is_sorted(const struct catalogue *catalogue)
{
	for (size_t i = 1; i < catalogue->rows; i++)
		if (strcmp(catalogue_field(catalogue, i - 1, 0),
			   catalogue_field(catalogue, i, 0)) > 0)
			return false;
	return true;
}

/* Text, without a NUL and with an end to its last line. */
static int measure(struct catalogue *catalogue, size_t len)
{
	const char *text = catalogue->text;
	size_t lines = count_of(text, len, '\n');
	const char *head_end = memchr(text, '\n', len);

	if (!head_end || memchr(text, 0, len) || text[len - 1] != '\n')
		return -EBADMSG;
	catalogue->columns = count_of(text, (size_t)(head_end - text), '\t') +
			     1;
	catalogue->rows = lines - 1;
	return catalogue->columns > CATALOGUE_COLUMNS_MAX ? -EFBIG : 0;
}

static int cut_all(struct catalogue *catalogue)
{
	char *at = catalogue->text;
	int r = 0;

	for (size_t line = 0; r == 0 && line <= catalogue->rows; line++)
		r = line_cut(catalogue, line, &at);
	if (r == 0 && !is_sorted(catalogue))
		r = -EBADMSG;
	return r;
}

int catalogue_parse(const void *bytes, size_t len, struct catalogue **out)
{
	auto_catalogue struct catalogue *catalogue = NULL;
	int r;

	if (len > CATALOGUE_BYTES_MAX)
		return -EFBIG;
	catalogue = mem_zalloc(sizeof(*catalogue));
	if (!catalogue)
		return -ENOMEM;
	catalogue->text = mem_alloc(len + 1);
	if (!catalogue->text)
		return -ENOMEM;
	if (len)
		memcpy(catalogue->text, bytes, len);
	catalogue->text[len] = '\0';
	r = measure(catalogue, len);
	if (r < 0)
		return r;
	catalogue->fields =
		mem_array((catalogue->rows + 1) * catalogue->columns,
			  sizeof(const char *));
	if (!catalogue->fields)
		return -ENOMEM;
	r = cut_all(catalogue);
	if (r == 0)
		*out = take_ptr(catalogue);
	return r;
}

int catalogue_load(const char *hub, struct catalogue **out)
{
	auto_free char *relative = mem_printf("catalogues/%s.tsv", hub);
	auto_free char *path = NULL;
	auto_str struct str text;
	int r;

	str_init(&text, CATALOGUE_BYTES_MAX);
	r = relative ? share_path(relative, &path) : -ENOMEM;
	if (r == 0)
		r = file_read_all(AT_FDCWD, path, &text);
	return r < 0 ? r : catalogue_parse(str_text(&text), text.len, out);
}

struct catalogue_rows catalogue_all(const struct catalogue *catalogue)
{
	return (struct catalogue_rows){ 0, catalogue->rows };
}

int catalogue_columns(const struct catalogue *catalogue,
		      const char *const *names, size_t count, size_t *columns)
{
	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (at < catalogue->columns &&
		       strcmp(catalogue->fields[at], names[i]) != 0)
			at++;
		if (at == catalogue->columns)
			return -EBADMSG;
		columns[i] = at;
	}
	return 0;
}

/* The rows from @first on that have its key. */
static struct catalogue_rows rows_from(const struct catalogue *catalogue,
				       size_t first)
{
	const char *key = catalogue_field(catalogue, first, 0);
	struct catalogue_rows rows = { first, 1 };

	while (first + rows.count < catalogue->rows &&
	       !strcmp(catalogue_field(catalogue, first + rows.count, 0), key))
		rows.count++;
	return rows;
}

struct catalogue_rows catalogue_find(const struct catalogue *catalogue,
				     const char *key)
{
	size_t low = 0, high = catalogue->rows;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(catalogue_field(catalogue, middle, 0), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == catalogue->rows ||
	    strcmp(catalogue_field(catalogue, low, 0), key) != 0)
		return (struct catalogue_rows){ 0 };
	return rows_from(catalogue, low);
}

struct catalogue_rows catalogue_find_any_case(const struct catalogue *catalogue,
					      const char *key)
{
	struct catalogue_rows rows = catalogue_find(catalogue, key);

	for (size_t i = 0; rows.count == 0 && i < catalogue->rows; i++)
		if (!strcasecmp(catalogue_field(catalogue, i, 0), key))
			rows = rows_from(catalogue, i);
	return rows;
}
