/* SPDX-License-Identifier: MIT */
#include "staging/weights/weights.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

static const struct {
	const char *name;
	size_t bytes;
	bool is_float;
} dtypes[] = {
	[DTYPE_F32] = { "F32", 4, true },
	[DTYPE_F16] = { "F16", 2, true },
	[DTYPE_BF16] = { "BF16", 2, true },
	[DTYPE_F64] = { "F64", 8, true },
	[DTYPE_I64] = { "I64", 8, false },
	[DTYPE_I32] = { "I32", 4, false },
	[DTYPE_I16] = { "I16", 2, false },
	[DTYPE_I8] = { "I8", 1, false },
	[DTYPE_U8] = { "U8", 1, false },
	[DTYPE_BOOL] = { "BOOL", 1, false },
	[DTYPE_OTHER] = { "OTHER", 0, false },
};

size_t dtype_bytes(enum dtype dtype)
{
	return dtypes[dtype].bytes;
}

const char *dtype_name(enum dtype dtype)
{
	return dtypes[dtype].name;
}

bool dtype_is_float(enum dtype dtype)
{
	return dtypes[dtype].is_float;
}

enum dtype dtype_parse(const char *name)
{
	for (unsigned int i = 0; i < DTYPE_OTHER; i++)
		if (strcmp(dtypes[i].name, name) == 0)
			return i;
	return DTYPE_OTHER;
}

bool tensor_measure(const struct tensor *tensor, uint64_t *elements,
		    uint64_t *bytes)
{
	uint64_t count = 1;

	for (unsigned int i = 0; i < tensor->rank; i++)
		if (!u64_mul(count, tensor->dims[i], &count))
			return false;
	*elements = count;
	return u64_mul(count, dtype_bytes(tensor->dtype), bytes) &&
	       count <= INT64_MAX && *bytes <= INT64_MAX;
}

uint64_t tensor_elements(const struct tensor *tensor)
{
	uint64_t count = 1;

	for (unsigned int i = 0; i < tensor->rank; i++)
		count *= tensor->dims[i];
	return count;
}

unsigned int tensor_axis(const struct tensor *tensor, unsigned int i)
{
	static const unsigned int hwio[] = { 2, 3, 1, 0 };

	assert(i < tensor->rank);
	switch (tensor->order) {
	case ORDER_ROWS:
		break;
	case ORDER_REVERSED:
		return tensor->rank - 1 - i;
	case ORDER_HWIO:
		assert(tensor->rank == ARRAY_LEN(hwio));
		return hwio[i];
	}
	return i;
}

int weights_new(const char *format, struct weights **out)
{
	struct weights *weights = mem_zalloc(sizeof(*weights));

	if (!weights)
		return -ENOMEM;
	weights->format = format;
	map_init(&weights->by_name);
	*out = weights;
	return 0;
}

void weights_free(struct weights *weights)
{
	if (!weights)
		return;
	map_release(&weights->by_name);
	for (size_t i = 0; i < weights->count; i++)
		free(weights->tensors[i].name);
	for (size_t i = 0; i < weights->file_count; i++)
		free(weights->files[i].path);
	free(weights->tensors);
	free(weights->files);
	free(weights);
}

/* Arrays double: a full one has 16, 32, 64 ... elements. */
static int make_room(void *array_ptr, size_t count, size_t size)
{
	void **array = array_ptr;
	void *bigger;

	if (count > 0 && (count < 16 || (count & (count - 1)) != 0))
		return 0;
	bigger = mem_resize(*array, count ? 2 * count : 16, size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	return 0;
}

int weights_add_file(struct weights *weights, const char *path, size_t index,
		     uint64_t size, unsigned int *number)
{
	struct weight_file *file;
	int r;

	if (weights->file_count >= WEIGHT_FILES_MAX)
		return -EFBIG;
	r = make_room(&weights->files, weights->file_count, sizeof(*file));
	if (r < 0)
		return r;
	file = &weights->files[weights->file_count];
	file->path = mem_strdup(path);
	file->index = index;
	file->size = size;
	file->names = NAMES_TORCH;
	if (!file->path)
		return -ENOMEM;
	*number = (unsigned int)weights->file_count++;
	return 0;
}

static int tensor_check(const struct weights *weights, struct tensor *tensor)
{
	uint64_t elements, bytes, end;

	assert(tensor->file < weights->file_count);
	if (!tensor_measure(tensor, &elements, &bytes))
		return -EBADMSG;
	if (tensor->dtype != DTYPE_OTHER)
		tensor->len = bytes;
	if (tensor->strided)
		return 0;
	if (!u64_add(tensor->off, tensor->len, &end) ||
	    end > weights->files[tensor->file].size)
		return -EBADMSG;
	return 0;
}

int weights_add(struct weights *weights, const struct tensor *tensor)
{
	struct tensor added = *tensor;
	int r;

	assert(!weights->by_name.count);
	if (weights->count >= TENSORS_MAX ||
	    strlen(tensor->name) > TENSOR_NAME_MAX)
		return -EFBIG;
	r = tensor_check(weights, &added);
	if (r < 0)
		return r;
	r = make_room(&weights->tensors, weights->count, sizeof(added));
	if (r < 0)
		return r;
	added.name = mem_strdup(tensor->name);
	if (!added.name)
		return -ENOMEM;
	weights->tensors[weights->count++] = added;
	return 0;
}

int weights_finish(struct weights *weights)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < weights->count; i++)
		r = map_add(&weights->by_name, weights->tensors[i].name,
			    &weights->tensors[i]);
	return r == -EEXIST ? -EBADMSG : r;
}

static int absorb_tensor(struct weights *weights, const struct tensor *tensor,
			 unsigned int first_file, const char *prefix)
{
	auto_free char *name = mem_printf("%s%s", prefix, tensor->name);
	struct tensor copy = *tensor;

	if (!name)
		return -ENOMEM;
	copy.name = name;
	copy.file += first_file;
	return weights_add(weights, &copy);
}

int weights_absorb(struct weights *weights, const struct weights *other,
		   const char *prefix)
{
	unsigned int first = (unsigned int)weights->file_count, number;
	int r = 0;

	map_release(&weights->by_name);
	map_init(&weights->by_name);
	for (size_t i = 0; r == 0 && i < other->file_count; i++)
		r = weights_add_file(weights, other->files[i].path,
				     other->files[i].index,
				     other->files[i].size, &number);
	for (size_t i = 0; r == 0 && i < other->count; i++)
		r = absorb_tensor(weights, &other->tensors[i], first, prefix);
	return r < 0 ? r : weights_finish(weights);
}

const struct tensor *weights_find(const struct weights *weights,
				  const char *name)
{
	return map_get(&weights->by_name, name);
}

bool tensor_is_same(const struct tensor *a, const struct tensor *b)
{
	return a->file == b->file && a->off == b->off && a->len == b->len &&
	       a->len > 0 && a->dtype == b->dtype && a->rank == b->rank &&
	       a->order == b->order && a->strided == b->strided &&
	       memcmp(a->dims, b->dims, a->rank * sizeof(a->dims[0])) == 0;
}
