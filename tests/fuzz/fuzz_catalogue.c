/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "providers/catalogue.h"

/* One that is read keeps its form, whatever the bytes were. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_catalogue struct catalogue *catalogue = NULL;
	size_t rows;

	if (catalogue_parse(data, len, &catalogue) < 0)
		return 0;
	rows = catalogue_all(catalogue).count;
	for (size_t i = 0; i < rows; i++) {
		const char *key = catalogue_field(catalogue, i, 0);
		struct catalogue_rows found = catalogue_find(catalogue, key);

		assert(*key && !strpbrk(key, "\t\n"));
		assert(found.first <= i && i < found.first + found.count);
		found = catalogue_find_any_case(catalogue, key);
		assert(found.count > 0 && found.first + found.count <= rows);
	}
	return 0;
}
