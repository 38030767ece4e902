/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/graph_def.h"

#include "base/bytes.h"
#include "base/limits.h"

static bool index_parse(struct tf_text text, uint32_t *index)
{
	uint64_t value;

	if (parse_u64(text.at, text.len, GRAPH_NODES_MAX, &value) < 0)
		return false;
	*index = (uint32_t)value;
	return true;
}

bool tf_edge_parse(struct tf_text input, bool in_function, struct tf_edge *edge)
{
	struct tf_text second, third;

	*edge = (struct tf_edge){ 0 };
	if (input.len > 0 && input.at[0] == '^') {
		edge->is_control = true;
		edge->name = (struct tf_text){ input.at + 1, input.len - 1 };
		return edge->name.len > 0;
	}
	edge->name = tf_text_cut(&input, ':');
	second = tf_text_cut(&input, ':');
	third = input;
	if (edge->name.len == 0)
		return false;
	if (second.len == 0)
		return third.len == 0;
	if (!in_function)
		return third.len == 0 && index_parse(second, &edge->index);
	if (third.len > 0) {
		edge->port = second;
		return index_parse(third, &edge->index);
	}
	if (!index_parse(second, &edge->index))
		edge->port = second;
	return true;
}
