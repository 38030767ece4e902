/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/freeze_write.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "staging/graph/wire.h"
#include "staging/tensorflow/node_write.h"

enum { GRAPH_NODE = 1, GRAPH_LIBRARY = 2, GRAPH_VERSIONS = 4 };
enum { LIBRARY_FUNCTION = 1 };

/* A constant with its number in order of use, which breaks ties. */
struct placed {
	const struct tf_variable *variable;
	size_t number;
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int placed_order(const void *a_ptr, const void *b_ptr)
{
	const struct placed *a = a_ptr, *b = b_ptr;
	int r = compare(a->variable->shard, b->variable->shard);

	if (r == 0)
		r = compare(a->variable->off, b->variable->off);
	return r == 0 ? compare(a->number, b->number) : r;
}

static int constants_sort(const struct tf_freeze *freeze,
			  struct placed **sorted, size_t *count)
{
	const struct tf_variable *variable;
	size_t room = 0;

	for (variable = freeze->first_variable; variable;
	     variable = variable->next)
		room += variable->constant != NULL;
	*sorted = mem_array(room, sizeof(**sorted));
	if (!*sorted)
		return -ENOMEM;
	*count = 0;
	for (variable = freeze->first_variable; variable;
	     variable = variable->next) {
		if (!variable->constant)
			continue;
		(*sorted)[*count] = (struct placed){ variable, *count };
		(*count)++;
	}
	qsort(*sorted, *count, sizeof(**sorted), placed_order);
	return 0;
}

static int constants_write(struct sink *sink, struct frozen *frozen)
{
	auto_free struct placed *sorted = NULL;
	size_t count;
	int r = constants_sort(sink->freeze, &sorted, &count);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = node_write(sink, GRAPH_NODE, sorted[i].variable->constant,
			       false);
	if (r == 0)
		frozen->node_count += count;
	return r;
}

static int nodes_write(struct sink *sink, struct frozen *frozen)
{
	int r = 0;

	for (const struct tf_out *out = sink->freeze->main.first; r == 0 && out;
	     out = out->next) {
		r = node_write(sink, GRAPH_NODE, out, false);
		if (r == 0 && sink->text.len > FREEZE_FLUSH_BYTES)
			r = sink_flush(sink);
		frozen->node_count++;
	}
	return r;
}

static int library_write(struct sink *sink)
{
	auto_str struct str library;
	const struct tf_body *body = sink->freeze->first_function;
	int r = 0;

	str_init(&library, PLAN_BYTES_MAX);
	if (!body)
		return 0;
	for (; r == 0 && body; body = body->next) {
		auto_of(sink) struct sink function;

		sink_init(&function, sink->freeze, NULL);
		r = function_write(&function, body);
		if (r == 0)
			r = wire_message(&library, LIBRARY_FUNCTION,
					 &function.text);
	}
	return r < 0 ? r : wire_message(&sink->text, GRAPH_LIBRARY, &library);
}

int freeze_write(struct tf_freeze *freeze, struct frozen *frozen)
{
	const struct tf_text *versions = &freeze->model->versions;
	auto_of(sink) struct sink sink;
	int r;

	sink_init(&sink, freeze, NULL);
	r = plan_new(&frozen->plan);
	sink.plan = frozen->plan;
	if (r == 0)
		r = constants_write(&sink, frozen);
	if (r == 0)
		r = nodes_write(&sink, frozen);
	if (r == 0)
		r = library_write(&sink);
	if (r == 0 && versions->at)
		r = wire_bytes(&sink.text, GRAPH_VERSIONS, versions->at,
			       versions->len);
	if (r == 0)
		r = sink_flush(&sink);
	if (r == 0 && frozen->plan->size > STAGED_INLINE_MAX)
		r = -EFBIG;
	return r < 0 ? r : plan_finish(frozen->plan);
}
