/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/library.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "staging/tensorflow/resolve.h"

static int body_build(struct tf_freeze *freeze, struct tf_body *body)
{
	const struct tf_graph *graph = body->root->graph;
	int r = 0;

	for (size_t i = 0; r == 0 && i < graph->output_count; i++) {
		struct tf_value *value = &body->returns[i];

		r = resolve_value(freeze, body->root, graph->outputs[i].ret,
				  value);
		if (r == 0 && value_carries(value) != 0)
			body->return_types[i] = value_carries(value);
	}
	return r;
}

/* A While's body hands on the variables it got. */
static int loop_check(const struct tf_freeze *freeze,
		      const struct tf_body *body)
{
	const struct tf_graph *graph = body->root->graph;
	bool fits = graph->output_count == graph->input_count;

	for (size_t i = 0; fits && i < graph->input_count; i++)
		if (body->carried[i])
			fits = body->return_types[i] == body->types[i] &&
			       value_carries(&body->returns[i]) != 0;
	if (fits || !body->loops)
		return 0;
	return refuse(freeze->why, "variable-handle",
		      scope_name(body->root,
				 &(struct tf_node){ .name = graph->name }),
		      "a loop changes which variables it works on");
}

/* Takes away who is called by nobody left; recursion is what remains. */
static int recursion_check(struct tf_freeze *freeze)
{
	auto_free struct tf_body **ready = NULL;
	size_t count = 0, done = 0;

	ready = mem_array(freeze->function_count + 1, sizeof(struct tf_body *));
	if (!ready)
		return -ENOMEM;
	ready[count++] = &freeze->main;
	while (done < count) {
		const struct tf_body *body = ready[done++];

		for (struct tf_call *call = body->calls; call;
		     call = call->next)
			if (--call->to->callers == 0)
				ready[count++] = call->to;
	}
	for (struct tf_body *body = freeze->first_function; body;
	     body = body->next)
		if (body->callers > 0)
			return refuse(freeze->why, "function-recursion",
				      scope_name(body->root,
						 &(struct tf_node){
							 .name = body->name }),
				      "a function calls itself");
	return 0;
}

int library_build(struct tf_freeze *freeze)
{
	int r = 0;

	for (struct tf_body *body = freeze->first_function; r == 0 && body;
	     body = body->next)
		r = body_build(freeze, body);
	for (struct tf_body *body = freeze->first_function; r == 0 && body;
	     body = body->next)
		r = loop_check(freeze, body);
	return r < 0 ? r : recursion_check(freeze);
}
