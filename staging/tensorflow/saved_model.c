/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/saved_model.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/tensorflow/restore_map.h"
#include "staging/tensorflow/saved_model_parts.h"

enum { SAVED_MODEL_META_GRAPH = 2 };
enum { META_INFO = 1, META_GRAPH_DEF = 2 };
enum { INFO_OPS = 2, INFO_TAG = 4 };
enum { OPS_OP = 1 };
enum { GRAPH_LIBRARY = 2, GRAPH_VERSIONS = 4 };
enum { LIBRARY_FUNCTION = 1 };

void saved_model_free(struct saved_model *model)
{
	if (!model)
		return;
	for (size_t i = 0; i < model->function_count; i++)
		tf_graph_release(&model->functions[i]);
	tf_graph_release(&model->main);
	map_release(&model->by_function);
	map_release(&model->by_op);
	map_release(&model->restored);
	tf_pool_release(&model->pool);
	free(model->bytes);
	free(model);
}

/* The one field @number of @message; without it an empty one at its start. */
static int only_field(const struct wire_field *message, uint32_t number,
		      struct wire_field *out, struct refusal *why)
{
	struct wire_field field;
	struct wire wire;
	size_t count = 0;

	*out = (struct wire_field){ .type = WIRE_LEN, .bytes = message->bytes };
	wire_enter(&wire, message);
	while (wire_next(&wire, &field)) {
		if (field.number != number)
			continue;
		if (!wire_want(&wire, &field, WIRE_LEN) || ++count > 1)
			return tf_malformed(why, "a message within another");
		*out = field;
	}
	return wire.bad ? tf_malformed(why, "a message") : 0;
}

/* How well a meta graph serves inference, by its tags; more is better. */
enum meta_rank { META_OTHER, META_BARE, META_SERVES_TOO, META_SERVES };

static int meta_rank(const struct wire_field *meta_graph, enum meta_rank *rank,
		     struct refusal *why)
{
	struct wire_field info, field;
	size_t tags = 0, serve = 0;
	struct wire wire;
	int r = only_field(meta_graph, META_INFO, &info, why);

	if (r < 0)
		return r;
	wire_enter(&wire, &info);
	while (wire_next(&wire, &field)) {
		if (field.number != INFO_TAG)
			continue;
		tags++;
		serve += wire_is(&field, "serve");
	}
	if (wire.bad)
		return tf_malformed(why, "tags");
	if (serve > 0)
		*rank = tags == serve ? META_SERVES : META_SERVES_TOO;
	else
		*rank = tags == 0 ? META_BARE : META_OTHER;
	return 0;
}

static int meta_graph_find(const struct saved_model *model,
			   struct wire_field *out, struct refusal *why)
{
	enum meta_rank rank, best = META_OTHER;
	struct wire_field field;
	struct wire wire;
	size_t count = 0;

	wire_init(&wire, model->bytes, model->len);
	while (wire_next(&wire, &field)) {
		int r;

		if (field.number != SAVED_MODEL_META_GRAPH)
			continue;
		if (!wire_want(&wire, &field, WIRE_LEN))
			break;
		r = meta_rank(&field, &rank, why);
		if (r < 0)
			return r;
		if (count++ == 0 || rank > best) {
			*out = field;
			best = rank;
		}
	}
	if (wire.bad || count == 0)
		return tf_malformed(why, "no meta graph");
	if (best == META_OTHER && count > 1)
		return refuse(why, "no-serve-tag", NULL,
			      "none of the model's %zu graphs is for serving",
			      count);
	return 0;
}

/* Calls @parse for each field @number of @list, and counts them. */
struct list {
	const struct wire_field *message;
	uint32_t number;
	size_t size; /* of an item */
};

static int list_room(struct tf_pool *pool, const struct list *list,
		     void *items_ptr, struct refusal *why)
{
	void **items = items_ptr;
	struct wire_field field;
	struct wire wire;
	size_t count = 0;

	wire_enter(&wire, list->message);
	while (wire_next(&wire, &field))
		count += field.number == list->number;
	if (wire.bad)
		return tf_malformed(why, "a list");
	if (count > FREEZE_FUNCTIONS_MAX)
		return -EFBIG;
	*items = tf_pool_array(pool, count, list->size);
	return *items ? 0 : tf_pool_error(pool);
}

static int op_add(struct saved_model *model, const struct wire_field *field,
		  struct refusal *why)
{
	struct tf_op *op = &model->ops[model->op_count];
	int r = tf_op_parse(&model->pool, field, op, why);

	if (r < 0)
		return r;
	model->op_count++;
	r = map_add_bytes(&model->by_op, op->name.at, op->name.len, op);
	return r == -EEXIST ? tf_malformed(why, "an operation is there twice")
			    : r;
}

static int ops_parse(struct saved_model *model,
		     const struct wire_field *meta_graph, struct refusal *why)
{
	struct wire_field info, ops, field;
	struct list list = { &ops, OPS_OP, sizeof(*model->ops) };
	struct wire wire;
	int r = only_field(meta_graph, META_INFO, &info, why);

	if (r == 0)
		r = only_field(&info, INFO_OPS, &ops, why);
	if (r == 0)
		r = list_room(&model->pool, &list, &model->ops, why);
	if (r < 0)
		return r;
	wire_enter(&wire, &ops);
	while (r == 0 && wire_next(&wire, &field))
		if (field.number == OPS_OP)
			r = op_add(model, &field, why);
	return r;
}

static int function_add(struct saved_model *model,
			const struct wire_field *field, struct refusal *why)
{
	struct tf_graph *graph = &model->functions[model->function_count];
	int r;

	model->function_count++;
	r = tf_function_parse(&model->pool, field, graph, why);
	if (r < 0)
		return r;
	r = map_add_bytes(&model->by_function, graph->name.at, graph->name.len,
			  graph);
	return r == -EEXIST ? tf_malformed(why, "two functions have one name")
			    : r;
}

static int functions_parse(struct saved_model *model,
			   const struct wire_field *graph_def,
			   struct refusal *why)
{
	struct wire_field library, field;
	struct list list = { &library, LIBRARY_FUNCTION,
			     sizeof(*model->functions) };
	struct wire wire;
	int r = only_field(graph_def, GRAPH_LIBRARY, &library, why);

	if (r == 0)
		r = list_room(&model->pool, &list, &model->functions, why);
	if (r < 0)
		return r;
	wire_enter(&wire, &library);
	while (r == 0 && wire_next(&wire, &field))
		if (field.number == LIBRARY_FUNCTION)
			r = function_add(model, &field, why);
	return r;
}

static int graph_parse(struct saved_model *model,
		       const struct wire_field *meta_graph, struct refusal *why)
{
	struct wire_field graph_def, versions;
	int r = only_field(meta_graph, META_GRAPH_DEF, &graph_def, why);

	if (r == 0)
		r = only_field(&graph_def, GRAPH_VERSIONS, &versions, why);
	if (r < 0)
		return r;
	if (versions.len > 0)
		model->versions = (struct tf_text){
			(const char *)versions.bytes, versions.len
		};
	r = tf_graph_parse(&model->pool, &graph_def, &model->main, why);
	return r < 0 ? r : functions_parse(model, &graph_def, why);
}

static int model_parse(struct saved_model *model, struct refusal *why)
{
	struct wire_field meta_graph;
	int r = meta_graph_find(model, &meta_graph, why);

	if (r == 0)
		r = ops_parse(model, &meta_graph, why);
	if (r == 0)
		r = graph_parse(model, &meta_graph, why);
	if (r == 0)
		r = signatures_parse(model, &meta_graph, why);
	return r < 0 ? r : restore_map_build(model, &meta_graph, why);
}

int saved_model_parse(uint8_t *bytes, size_t len, struct saved_model **out,
		      struct refusal *why)
{
	auto_saved_model struct saved_model *model = mem_zalloc(sizeof(*model));
	int r;

	if (!model) {
		free(bytes);
		return -ENOMEM;
	}
	model->bytes = bytes;
	model->len = len;
	tf_pool_init(&model->pool, len);
	if (len > SAVED_MODEL_BYTES_MAX)
		r = -EFBIG;
	else
		r = model_parse(model, why);
	if (r == -EFBIG)
		refuse(why, "too-large", NULL,
		       "the model's graph has more parts than can be read");
	if (r < 0)
		return r;
	*out = take_ptr(model);
	return 0;
}
