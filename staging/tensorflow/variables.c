/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/variables.h"

#include <errno.h>
#include <stdio.h>

#include "base/bytes.h"
#include "staging/tensorflow/variable_slice.h"
#include "staging/tensorflow/variable_tensor.h"

enum { SHAPE_DIM = 2, SHAPE_UNKNOWN = 3, DIM_SIZE = 1 };

static int mismatch(struct tf_freeze *freeze, const char *name,
		    const char *what)
{
	return refuse(freeze->why, "checkpoint-mismatch", name,
		      "the checkpoint does not fit the graph: %s", what);
}

/* Where the checkpoint has it. */
static int restored_find(struct tf_freeze *freeze, const struct tf_node *node,
			 struct tf_restored *out)
{
	const struct saved_model *model = freeze->model;
	const struct tf_restored *known =
		map_get_bytes(&model->restored, node->name.at, node->name.len);

	*out = (struct tf_restored){ .key = node->name };
	if (known)
		*out = *known;
	if (out->ambiguous || (!known && model->has_saver))
		return refuse(freeze->why, "variable-not-restored",
			      scope_name(freeze->main.root, node),
			      "a variable gets no value from the checkpoint");
	return 0;
}

/* The graph's own idea of a dimension; -1: any. */
static int64_t dim_size(const struct wire_field *dim)
{
	struct wire_field field;
	struct wire wire;
	int64_t size = 0;

	wire_enter(&wire, dim);
	while (wire_next(&wire, &field))
		if (field.number == DIM_SIZE)
			size = (int64_t)field.value;
	return wire.bad ? -1 : size;
}

static bool shape_fits(const struct tf_variable *variable,
		       const struct tf_attr *attr)
{
	struct wire_field shape, field;
	struct wire wire;
	unsigned int rank = 0;
	bool fits = true;

	if (!attr_field(attr, ATTR_SHAPE, &shape) || shape.type != WIRE_LEN)
		return true;
	wire_enter(&wire, &shape);
	while (wire_next(&wire, &field)) {
		int64_t size;

		if (field.number == SHAPE_UNKNOWN && field.value != 0)
			return true;
		if (field.number != SHAPE_DIM || field.type != WIRE_LEN)
			continue;
		size = dim_size(&field);
		if (rank < variable->rank && size >= 0 &&
		    (uint64_t)size != variable->dims[rank])
			fits = false;
		rank++;
	}
	return fits && rank == variable->rank;
}

static int fits_graph(struct tf_freeze *freeze,
		      const struct tf_variable *variable)
{
	const struct tf_attrs *attrs = &variable->node->attrs;
	const char *name = scope_name(freeze->main.root, variable->node);
	int dtype;

	if (!attr_type(attr_of(attrs, "dtype", NULL), &dtype) ||
	    dtype != variable->dtype)
		return mismatch(freeze, name, "another type");
	if (!shape_fits(variable, attr_of(attrs, "shape", NULL)))
		return mismatch(freeze, name, "another shape");
	return 0;
}

static int fits_shard(struct tf_freeze *freeze,
		      const struct tf_variable *variable)
{
	const struct freeze_shards *shards = freeze->shards;
	const char *name = scope_name(freeze->main.root, variable->node);
	uint64_t end;

	if (variable->shard >= shards->bundle->shard_count ||
	    !shards->paths[variable->shard])
		return refuse(freeze->why, "missing-shard", name,
			      "part %u of the checkpoint's %u is missing",
			      variable->shard, shards->bundle->shard_count);
	if (!u64_add(variable->off, variable->len, &end) ||
	    end > shards->sizes[variable->shard])
		return mismatch(freeze, name, "a part is too short");
	return 0;
}

/* @variable gets type, shape and place of @tensor or of a slice of it. */
static int tensor_take(struct tf_freeze *freeze, struct tf_variable *variable,
		       const struct bundle_tensor *tensor, struct tf_text slice)
{
	const char *name = scope_name(freeze->main.root, variable->node);

	variable->dtype = tensor->dtype;
	if (slice.len > 0)
		return variable_take_slice(freeze, variable, tensor, slice);
	if (tensor->sliced)
		return mismatch(freeze, name, "it is stored in slices");
	variable->rank = tensor->rank;
	memcpy(variable->dims, tensor->dims, sizeof(variable->dims));
	variable->shard = tensor->shard;
	variable->off = tensor->off;
	variable->len = tensor->len;
	return 0;
}

static int variable_fill(struct tf_freeze *freeze, struct tf_variable *variable)
{
	const struct tensor_bundle *bundle = freeze->shards->bundle;
	const char *name = scope_name(freeze->main.root, variable->node);
	const struct bundle_tensor *tensor;
	struct tf_restored restored;
	int r = restored_find(freeze, variable->node, &restored);

	if (r < 0)
		return r;
	tensor = bundle ? map_get_bytes(&bundle->by_key, restored.key.at,
					restored.key.len)
			: NULL;
	if (!tensor)
		return mismatch(freeze, name, "a variable is not in it");
	r = tensor_take(freeze, variable, tensor, restored.slice);
	if (r == 0)
		r = fits_graph(freeze, variable);
	return r < 0 ? r : fits_shard(freeze, variable);
}

int variable_of(struct tf_freeze *freeze, const struct tf_node *node,
		struct tf_variable **out)
{
	struct tf_variable *variable = map_get_bytes(
		&freeze->variables, node->name.at, node->name.len);
	int r;

	*out = variable;
	if (variable)
		return 0;
	variable = tf_pool_array(&freeze->pool, 1, sizeof(*variable));
	if (!variable)
		return tf_pool_error(&freeze->pool);
	variable->node = node;
	r = variable_fill(freeze, variable);
	if (r < 0)
		return r;
	*freeze->last_variable = variable;
	freeze->last_variable = &variable->next;
	*out = variable;
	return map_add_bytes(&freeze->variables, node->name.at, node->name.len,
			     variable);
}

int variable_constant(struct tf_freeze *freeze, struct tf_variable *variable,
		      struct tf_out **out)
{
	struct tf_out *made;
	int r;

	*out = variable->constant;
	if (variable->constant)
		return 0;
	r = out_new(freeze, &freeze->main, variable->node->name, &made);
	if (r < 0)
		return r;
	made->op = tf_text_of("Const");
	r = out_attrs(freeze, made, 2);
	if (r < 0)
		return r;
	r = attr_make_type(&freeze->pool, "dtype", variable->dtype,
			   &made->attrs[0].attr);
	if (r == 0)
		r = variable_tensor(freeze, variable, &made->attrs[1]);
	if (r < 0)
		return r;
	made->attr_count = 2;
	variable->constant = made;
	*out = made;
	return 0;
}

const struct tf_node *variable_shared(const struct tf_freeze *freeze,
				      const struct tf_node *node)
{
	const struct tf_node *found;
	struct tf_text name;

	if (!attr_text(attr_of(&node->attrs, "shared_name", NULL), &name) ||
	    name.len == 0)
		return NULL;
	found = tf_graph_node(&freeze->model->main, name);
	return found && found->kind == OP_HANDLE ? found : NULL;
}
