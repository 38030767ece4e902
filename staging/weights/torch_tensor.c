/* SPDX-License-Identifier: MIT */
#include "staging/weights/torch_tensor.h"

#include <errno.h>

#include "base/bytes.h"

/* A Parameter in a type wrapper in a tensor subclass: two, doubled. */
#define WRAPPINGS_MAX 4

enum torch_tag {
	TORCH_ORDERED_DICT,
	TORCH_TENSOR_V1,
	TORCH_TENSOR_V2,
	TORCH_TENSOR_V3,
	TORCH_PARAMETER,       /* the data is the first argument */
	TORCH_PARAMETER_CLASS, /* an argument; or new, with a state */
	TORCH_TENSOR_CLASS,    /* new, with a state; .arg: dtype */
	TORCH_FROM_TYPE,
	TORCH_TYPE, /* only ever an argument */
	TORCH_SIZE,
	TORCH_DEVICE,
	TORCH_STORAGE, /* .arg: dtype */
	TORCH_UNTYPED_STORAGE,
	TORCH_DTYPE /* .arg: dtype */
};

#define STORAGE(name, dtype)                                           \
	{                                                              \
		"torch", name, TORCH_STORAGE, dtype, PICKLE_MAKES_CALL \
	}
#define TENSOR(name, dtype)                                                   \
	{                                                                     \
		"torch", name, TORCH_TENSOR_CLASS, dtype, PICKLE_MAKES_OBJECT \
	}
#define DTYPE(name, dtype)                                           \
	{                                                            \
		"torch", name, TORCH_DTYPE, dtype, PICKLE_MAKES_CALL \
	}

const struct pickle_global torch_globals[] = {
	{ "collections", "OrderedDict", TORCH_ORDERED_DICT, 0,
	  PICKLE_MAKES_DICT },
	{ "torch._utils", "_rebuild_tensor", TORCH_TENSOR_V1, 0, 0 },
	{ "torch._utils", "_rebuild_tensor_v2", TORCH_TENSOR_V2, 0, 0 },
	{ "torch._utils", "_rebuild_tensor_v3", TORCH_TENSOR_V3, 0, 0 },
	{ "torch._utils", "_rebuild_parameter", TORCH_PARAMETER, 0, 0 },
	{ "torch._utils", "_rebuild_parameter_with_state", TORCH_PARAMETER, 0,
	  false },
	{ "torch._tensor", "_rebuild_from_type_v2", TORCH_FROM_TYPE, 0, 0 },
	{ "torch.nn.parameter", "Parameter", TORCH_PARAMETER_CLASS, 0,
	  PICKLE_MAKES_OBJECT },
	{ "torch", "Tensor", TORCH_TYPE, 0, 0 },
	{ "torch", "Size", TORCH_SIZE, 0, 0 },
	{ "torch", "device", TORCH_DEVICE, 0, 0 },
	STORAGE("FloatStorage", DTYPE_F32),
	STORAGE("HalfStorage", DTYPE_F16),
	STORAGE("BFloat16Storage", DTYPE_BF16),
	STORAGE("DoubleStorage", DTYPE_F64),
	STORAGE("LongStorage", DTYPE_I64),
	STORAGE("IntStorage", DTYPE_I32),
	STORAGE("ShortStorage", DTYPE_I16),
	STORAGE("CharStorage", DTYPE_I8),
	STORAGE("ByteStorage", DTYPE_U8),
	STORAGE("BoolStorage", DTYPE_BOOL),
	TENSOR("FloatTensor", DTYPE_F32),
	TENSOR("HalfTensor", DTYPE_F16),
	TENSOR("DoubleTensor", DTYPE_F64),
	TENSOR("LongTensor", DTYPE_I64),
	TENSOR("IntTensor", DTYPE_I32),
	TENSOR("ShortTensor", DTYPE_I16),
	TENSOR("CharTensor", DTYPE_I8),
	TENSOR("ByteTensor", DTYPE_U8),
	{ "torch.storage", "UntypedStorage", TORCH_UNTYPED_STORAGE, 0, 0 },
	{ "torch", "UntypedStorage", TORCH_UNTYPED_STORAGE, 0, 0 },
	DTYPE("float32", DTYPE_F32),
	DTYPE("float16", DTYPE_F16),
	DTYPE("bfloat16", DTYPE_BF16),
	DTYPE("float64", DTYPE_F64),
	DTYPE("int64", DTYPE_I64),
	DTYPE("int32", DTYPE_I32),
	DTYPE("int16", DTYPE_I16),
	DTYPE("int8", DTYPE_I8),
	DTYPE("uint8", DTYPE_U8),
	DTYPE("bool", DTYPE_BOOL),
	{ NULL, NULL, 0, 0, 0 },
};

struct rebuild {
	enum torch_tag tag; /* V1, V2, V3, or the class of a tensor */
	const struct pickle_node *args;
	int dtype; /* of the class */
};

static bool global_tag(const struct pickle_node *node, enum torch_tag *tag)
{
	if (!node || node->kind != PICKLE_GLOBAL)
		return false;
	*tag = node->global->tag;
	return true;
}

/* What was set on what @call made, a tuple of @count; NULL: no such. */
static const struct pickle_node *state_of(const struct pickle_node *call,
					  size_t count)
{
	const struct pickle_node *state;

	if (call->count != 3 || call->items[1]->count != 0)
		return NULL;
	state = call->items[2];
	return state->kind == PICKLE_TUPLE && state->count == count ? state
								    : NULL;
}

/* _rebuild_from_type_v2(): the function and the arguments it is to get. */
static const struct pickle_node *from_type(const struct pickle_node *args,
					   enum torch_tag *tag)
{
	if (!global_tag(pickle_item(args, 0), tag))
		return NULL;
	args = pickle_item(args, 2);
	return args && args->kind == PICKLE_TUPLE ? args : NULL;
}

/*
 * One wrapping off: *@node becomes what is in it.  True: @out is the call
 * that makes the tensor itself.  *@node NULL: it is no tensor.
 */
static bool unwrap_one(const struct pickle_node **node, struct rebuild *out)
{
	const struct pickle_node *call = *node, *args, *state = NULL;
	enum torch_tag tag;

	*node = NULL;
	if (call->kind != PICKLE_CALL || !global_tag(call->items[0], &tag))
		return false;
	args = call->items[1];
	if (tag == TORCH_PARAMETER_CLASS)
		state = state_of(call, 5);
	else if (tag == TORCH_TENSOR_CLASS)
		state = state_of(call, 4);
	else if (call->count != 2)
		return false;
	else if (tag == TORCH_FROM_TYPE)
		args = from_type(args, &tag);
	if (!args)
		return false;
	if (tag == TORCH_PARAMETER)
		*node = pickle_item(args, 0);
	if (tag == TORCH_PARAMETER_CLASS && state)
		*node = pickle_item(state, 0);
	*out = (struct rebuild){ tag, state ? state : args,
				 call->items[0]->global->arg };
	return tag == TORCH_TENSOR_V1 || tag == TORCH_TENSOR_V2 ||
	       tag == TORCH_TENSOR_V3 || (tag == TORCH_TENSOR_CLASS && state);
}

/* The call that makes the tensor itself, out of its wrappings. */
static bool unwrap(const struct pickle_node *node, struct rebuild *out)
{
	for (int i = 0; node && i < WRAPPINGS_MAX; i++)
		if (unwrap_one(&node, out))
			return true;
	return false;
}

bool torch_is_tensor(const struct pickle_node *node)
{
	struct rebuild rebuild;

	return unwrap(node, &rebuild);
}

/* The part of the storage that is seen: (key, offset, elements). */
static int read_part(const struct pickle_node *node, uint64_t elements,
		     struct torch_view *view)
{
	const struct pickle_node *start = pickle_item(node, 1);
	const struct pickle_node *count = pickle_item(node, 2);
	uint64_t off, len;

	if (node->kind != PICKLE_TUPLE || node->count != 3 ||
	    !pickle_u64(start, &off) || !pickle_u64(count, &len) ||
	    off > elements || len > elements - off)
		return -EBADMSG;
	view->off = off * view->width;
	view->len = len * view->width;
	return 0;
}

/* The persistent id's tuple; NULL. */
static const struct pickle_node *storage_id(const struct pickle_node *node)
{
	const struct pickle_node *id;

	if (!node || node->kind != PICKLE_PERSISTENT)
		return NULL;
	id = node->items[0];
	if (id->kind != PICKLE_TUPLE || id->count < 5 || id->count > 6 ||
	    !pickle_is_text(id->items[0], "storage"))
		return NULL;
	return id;
}

static int read_storage(const struct pickle_node *node, struct torch_view *view,
			enum dtype *dtype, enum torch_tag *tag)
{
	const struct pickle_node *id = storage_id(node), *key;
	uint64_t count;

	if (!id || !global_tag(id->items[1], tag))
		return -EBADMSG;
	key = id->items[2];
	if (key->kind != PICKLE_STRING || !pickle_u64(id->items[4], &count))
		return -EBADMSG;
	if (*tag != TORCH_STORAGE && *tag != TORCH_UNTYPED_STORAGE)
		return -EBADMSG;
	*dtype = *tag == TORCH_STORAGE ? id->items[1]->global->arg : DTYPE_U8;
	*view = (struct torch_view){
		.key = key->bytes,
		.key_len = key->count,
		.width = (unsigned int)dtype_bytes(*dtype),
		.old = id->count == 6,
	};
	if (!u64_mul(count, view->width, &view->storage_bytes))
		return -EBADMSG;
	view->len = view->storage_bytes;
	if (!view->old || id->items[5]->kind == PICKLE_NONE)
		return 0;
	return read_part(id->items[5], count, view);
}

int torch_storage_read(const struct pickle_node *node, struct torch_view *view)
{
	enum torch_tag tag;
	enum dtype dtype;

	return read_storage(node, view, &dtype, &tag);
}

/* A tuple, or torch.Size() of one. */
static const struct pickle_node *read_tuple(const struct pickle_node *node)
{
	enum torch_tag tag;

	if (node && node->kind == PICKLE_CALL &&
	    global_tag(node->items[0], &tag) && tag == TORCH_SIZE)
		node = pickle_item(node->items[1], 0);
	return node && node->kind == PICKLE_TUPLE ? node : NULL;
}

static int read_numbers(const struct pickle_node *node, uint64_t *numbers,
			unsigned int *count)
{
	node = read_tuple(node);
	if (!node || node->count > TENSOR_RANK_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < node->count; i++)
		if (!pickle_u64(node->items[i], &numbers[i]))
			return -EBADMSG;
	*count = node->count;
	return 0;
}

static bool is_row_major(const struct tensor *tensor, const uint64_t *strides)
{
	uint64_t expected = 1;

	for (unsigned int i = tensor->rank; i-- > 0;) {
		if (tensor->dims[i] == 1)
			continue;
		if (strides[i] != expected)
			return false;
		expected *= tensor->dims[i];
	}
	return true;
}

static bool is_column_major(const struct tensor *tensor,
			    const uint64_t *strides)
{
	return tensor->rank == 2 && strides[0] == 1 &&
	       strides[1] == tensor->dims[0];
}

/* Elements from the storage's start to the end of the last one touched. */
static bool reach(const struct tensor *tensor, const uint64_t *strides,
		  uint64_t offset, uint64_t *end)
{
	uint64_t step;

	*end = offset;
	for (unsigned int i = 0; i < tensor->rank; i++)
		if (!u64_mul(tensor->dims[i] - 1, strides[i], &step) ||
		    !u64_add(*end, step, end))
			return false;
	return u64_add(*end, 1, end);
}

static int read_order(const uint64_t *strides, uint64_t offset,
		      const struct torch_view *view, struct tensor *tensor)
{
	size_t width = dtype_bytes(tensor->dtype);
	uint64_t elements, bytes, end = offset;

	if (!tensor_measure(tensor, &elements, &bytes))
		return -EBADMSG;
	if (elements > 0 && !reach(tensor, strides, offset, &end))
		return -EBADMSG;
	if (end > view->len / width)
		return -EBADMSG;
	tensor->off = view->off + offset * width;
	if (elements == 0 || is_row_major(tensor, strides))
		return 0;
	if (is_column_major(tensor, strides))
		tensor->order = ORDER_REVERSED;
	else
		tensor->strided = true;
	return 0;
}

static int read_dtype(const struct rebuild *rebuild, enum torch_tag storage,
		      enum dtype *dtype)
{
	const struct pickle_node *node;
	enum torch_tag tag;

	if (rebuild->tag == TORCH_TENSOR_CLASS && (int)*dtype != rebuild->dtype)
		return -EBADMSG;
	if (rebuild->tag != TORCH_TENSOR_V3)
		return storage == TORCH_STORAGE ? 0 : -EBADMSG;
	node = pickle_item(rebuild->args, 6);
	if (!global_tag(node, &tag) || tag != TORCH_DTYPE)
		return -EBADMSG;
	*dtype = node->global->arg;
	return 0;
}

/* Storage, offset, size, stride; then requires_grad and hooks. */
static size_t arguments_min(enum torch_tag tag)
{
	return tag == TORCH_TENSOR_V2 || tag == TORCH_TENSOR_V3 ? 6 : 4;
}

static int read_rebuild(const struct rebuild *rebuild, struct torch_view *view,
			struct tensor *tensor)
{
	const struct pickle_node *args = rebuild->args;
	uint64_t strides[TENSOR_RANK_MAX], offset;
	enum torch_tag storage;
	unsigned int rank;
	int r;

	if (args->count < arguments_min(rebuild->tag))
		return -EBADMSG;
	r = read_storage(args->items[0], view, &tensor->dtype, &storage);
	if (r == 0)
		r = read_dtype(rebuild, storage, &tensor->dtype);
	if (r == 0)
		r = read_numbers(args->items[2], tensor->dims, &tensor->rank);
	if (r == 0)
		r = read_numbers(args->items[3], strides, &rank);
	if (r < 0)
		return r;
	if (rank != tensor->rank || !pickle_u64(args->items[1], &offset))
		return -EBADMSG;
	return read_order(strides, offset, view, tensor);
}

int torch_view_read(const struct pickle_node *node, struct torch_view *view,
		    struct tensor *tensor, struct refusal *why)
{
	struct rebuild rebuild;

	if (!unwrap(node, &rebuild) || read_rebuild(&rebuild, view, tensor) < 0)
		return refuse(why, "torch-tensor", tensor->name,
			      "a tensor of the checkpoint is described in a "
			      "way that is not known");
	return 0;
}
