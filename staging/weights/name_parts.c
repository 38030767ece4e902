/* SPDX-License-Identifier: MIT */
#include "staging/weights/name_parts.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

int name_parts_add(struct name_parts *parts, const char *text, size_t len)
{
	if (len == 0)
		return 0;
	if (parts->count == NAME_PARTS_MAX)
		return -EBADMSG;
	parts->parts[parts->count++] = (struct name_part){ text, len };
	return 0;
}

bool name_part_is(const struct name_parts *parts, size_t i, const char *text)
{
	const struct name_part *part = &parts->parts[i];

	assert(i < parts->count);
	return part->len == strlen(text) &&
	       memcmp(part->text, text, part->len) == 0;
}

void name_parts_drop_first(struct name_parts *parts)
{
	assert(parts->count > 0);
	parts->count--;
	memmove(parts->parts, parts->parts + 1,
		parts->count * sizeof(*parts->parts));
}

void name_parts_rename_last(struct name_parts *parts, const char *text)
{
	assert(parts->count > 0);
	parts->parts[parts->count - 1] = (struct name_part){ text,
							     strlen(text) };
}

int name_parts_join(const struct name_parts *parts, char **out)
{
	auto_str struct str name;
	size_t len;
	int r = parts->count > 0 ? 0 : -EBADMSG;

	str_init(&name, TENSOR_NAME_MAX);
	for (size_t i = 0; r == 0 && i < parts->count; i++) {
		if (i > 0)
			r = str_append_char(&name, '.');
		if (r == 0)
			r = str_append(&name, parts->parts[i].text,
				       parts->parts[i].len);
	}
	if (r < 0)
		return r == -EFBIG ? -EBADMSG : r;
	*out = str_take(&name, &len);
	return 0;
}

int tensor_of_kernel(struct tensor *tensor)
{
	uint64_t stored[TENSOR_RANK_MAX];

	assert(tensor->order == ORDER_ROWS);
	if (tensor->rank < 2 || tensor->rank > 4)
		return -EBADMSG;
	memcpy(stored, tensor->dims, sizeof(stored));
	tensor->order = tensor->rank == 4 ? ORDER_HWIO : ORDER_REVERSED;
	for (unsigned int i = 0; i < tensor->rank; i++)
		tensor->dims[tensor_axis(tensor, i)] = stored[i];
	return 0;
}
