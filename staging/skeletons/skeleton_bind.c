/* SPDX-License-Identifier: MIT */
#include "staging/skeletons/skeleton_bind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "staging/models/staged_model.h"
#include "staging/skeletons/skeleton_match.h"

struct binder {
	const struct skeleton *skeleton;
	const struct weights *weights;
	struct graph *graph;
	struct refusal *why;
	bool *used; /* by place in weights->tensors; owned */
};

static void binder_release(struct binder *binder)
{
	graph_free(binder->graph);
	free(binder->used);
}
DEFINE_AUTO(binder, struct binder, binder_release)

/* "[64,3,7,7]" */
struct shape_text {
	char text[TENSOR_RANK_MAX * 21 + 3];
};

static struct shape_text shape_of(const uint64_t *dims, unsigned int rank)
{
	struct shape_text shape = { "[" };
	size_t len = 1;

	for (unsigned int i = 0; i < rank; i++)
		len += (size_t)snprintf(shape.text + len,
					sizeof(shape.text) - len,
					i ? ",%" PRIu64 : "%" PRIu64, dims[i]);
	snprintf(shape.text + len, sizeof(shape.text) - len, "]");
	return shape;
}

static bool fits(const struct skeleton *skeleton,
		 const struct skeleton_hole *hole, const struct tensor *tensor)
{
	if (tensor->rank != hole->rank)
		return false;
	for (unsigned int i = 0; i < hole->rank; i++)
		if (tensor->dims[i] != hole->dims[i] &&
		    !skeleton_is_free(skeleton, hole->location, i))
			return false;
	return true;
}

/* The names that graph_weight_as() may make must not be the skeleton's. */
static int check_names(struct binder *binder, const struct skeleton_hole *hole)
{
	static const char *const ends[] = { "_stored", "_cast" };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		auto_free char *name = mem_printf("%s%s", hole->name, ends[i]);

		if (!name)
			return -ENOMEM;
		if (map_get(&binder->skeleton->names, name))
			return refuse(binder->why, "skeleton", name,
				      "the skeleton of the model has a value "
				      "of the name %s",
				      name);
	}
	return 0;
}

static int bind_hole(struct binder *binder, const struct skeleton_hole *hole)
{
	const struct tensor *tensor = skeleton_find(binder->weights,
						    hole->location);
	struct shape_text has, wants;
	int r;

	if (!tensor)
		return refuse(binder->why, "missing-tensor", hole->location,
			      "the weights lack the tensor %s", hole->location);
	binder->used[tensor - binder->weights->tensors] = true;
	if (!fits(binder->skeleton, hole, tensor)) {
		has = shape_of(tensor->dims, tensor->rank);
		wants = shape_of(hole->dims, hole->rank);
		return refuse(binder->why, "shape-mismatch", tensor->name,
			      "the tensor %s has the shape %s; the "
			      "architecture calls for %s",
			      tensor->name, has.text, wants.text);
	}
	r = check_names(binder, hole);
	if (r < 0)
		return r;
	graph_weight_as(binder->graph, tensor, hole->type, hole->name);
	return binder->graph->error;
}

/* Sizes that may be any must be the same within their group. */
static int check_group(struct binder *binder, const struct skeleton_axis *axis,
		       const struct skeleton_axis *other)
{
	const struct tensor *a, *b;

	if (axis->group != other->group)
		return 0;
	a = skeleton_find(binder->weights, axis->location);
	b = skeleton_find(binder->weights, other->location);
	if (!a || !b ||
	    (axis->axis < a->rank && other->axis < b->rank &&
	     a->dims[axis->axis] == b->dims[other->axis]))
		return 0;
	return refuse(binder->why, "shape-mismatch", b->name,
		      "the tensors %s and %s are of different sizes where "
		      "they must agree",
		      a->name, b->name);
}

static int check_free(struct binder *binder)
{
	const struct skeleton *skeleton = binder->skeleton;
	int r = 0;

	for (size_t i = 1; r == 0 && i < skeleton->free_count; i++)
		r = check_group(binder, &skeleton->free[i - 1],
				&skeleton->free[i]);
	return r;
}

static int refuse_unknown(struct binder *binder, const struct tensor *tensor)
{
	return refuse(binder->why, "unknown-tensor", tensor->name,
		      "the weights hold the tensor %s, which a model of this "
		      "architecture does not have",
		      tensor->name);
}

/* What has no use is known to have none. */
static int check_unused(struct binder *binder, struct staged_model *model)
{
	const struct weights *weights = binder->weights;
	bool all = skeleton_is_positional(binder->skeleton);

	model->ignored = mem_array(weights->count + 1, sizeof(*model->ignored));
	if (!model->ignored)
		return -ENOMEM;
	for (size_t i = 0; i < weights->count; i++) {
		const struct tensor *tensor = &weights->tensors[i];
		char *name;

		if (binder->used[i])
			continue;
		if ((all || dtype_is_float(tensor->dtype)) &&
		    !skeleton_is_unused(binder->skeleton, weights, tensor))
			return refuse_unknown(binder, tensor);
		name = mem_strdup(tensor->name);
		if (!name)
			return -ENOMEM;
		model->ignored[model->ignored_count++] = name;
	}
	return 0;
}

static int bind_dim(struct binder *binder, const struct skeleton_dim *from,
		    struct dim *to)
{
	const struct tensor *tensor;

	*to = (struct dim){ from->param, from->size };
	if (!from->of.location)
		return 0;
	tensor = skeleton_find(binder->weights, from->of.location);
	if (!tensor || from->of.axis >= tensor->rank)
		return refuse(binder->why, "missing-tensor", from->of.location,
			      "the weights lack the tensor %s, which the size "
			      "of an output is that of",
			      from->of.location);
	to->size = tensor->dims[from->of.axis];
	return 0;
}

static int bind_ports(struct binder *binder, const struct skeleton_ports *ports,
		      void (*add)(struct graph *, const char *, enum onnx_type,
				  const struct dim *, unsigned int))
{
	for (size_t i = 0; i < ports->count; i++) {
		const struct skeleton_port *port = &ports->list[i];
		struct dim dims[PORT_RANK_MAX];
		int r = 0;

		for (unsigned int k = 0; r == 0 && k < port->rank; k++)
			r = bind_dim(binder, &port->dims[k], &dims[k]);
		if (r < 0)
			return r;
		add(binder->graph, port->name, port->type, dims, port->rank);
	}
	return binder->graph->error;
}

static int bind_all(struct binder *binder, struct staged_model *model)
{
	const struct skeleton *skeleton = binder->skeleton;
	int r = 0;

	for (size_t i = 0; r == 0 && i < skeleton->hole_count; i++)
		r = bind_hole(binder, &skeleton->holes[i]);
	if (r == 0)
		r = check_free(binder);
	if (r == 0)
		r = check_unused(binder, model);
	if (r == 0)
		r = bind_ports(binder, &skeleton->inputs, graph_foreign_input);
	if (r == 0)
		r = bind_ports(binder, &skeleton->outputs,
			       graph_foreign_output);
	return r;
}

static int binder_run(struct binder *binder, enum stage_form form,
		      struct staged_model *model)
{
	const struct skeleton *skeleton = binder->skeleton;
	const struct onnx_records records = { &skeleton->nodes,
					      &skeleton->constants };
	int r = graph_new(binder->why, &binder->graph);

	if (r < 0)
		return r;
	binder->used = mem_array(binder->weights->count + 1,
				 sizeof(*binder->used));
	if (!binder->used)
		return -ENOMEM;
	r = bind_all(binder, model);
	if (r < 0)
		return r;
	model->node_count = skeleton->node_count;
	return staged_model_fill(model, binder->graph, &records,
				 binder->weights, form, PART_WHOLE);
}

int skeleton_bind(const struct skeleton *skeleton,
		  const struct weights *weights, enum stage_form form,
		  struct staged_model **out, struct refusal *why)
{
	auto_staged_model struct staged_model *model = NULL;
	auto_of(binder) struct binder binder = {
		.skeleton = skeleton,
		.weights = weights,
		.why = why,
	};
	int r;

	model = mem_zalloc(sizeof(*model));
	if (!model)
		return -ENOMEM;
	model->family = "skeleton";
	if (skeleton->source) {
		model->source = mem_strdup(skeleton->source);
		if (!model->source)
			return -ENOMEM;
	}
	r = binder_run(&binder, form, model);
	if (r == 0)
		*out = take_ptr(model);
	return r;
}
