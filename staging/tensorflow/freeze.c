/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/freeze.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "staging/tensorflow/assigns.h"
#include "staging/tensorflow/freeze_ports.h"
#include "staging/tensorflow/freeze_state.h"
#include "staging/tensorflow/freeze_write.h"
#include "staging/tensorflow/library.h"

static void values_free(struct frozen_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(values[i].name);
		free(values[i].key);
	}
	free(values);
}

void frozen_free(struct frozen *frozen)
{
	if (!frozen)
		return;
	plan_free(frozen->plan);
	values_free(frozen->inputs, frozen->input_count);
	values_free(frozen->outputs, frozen->output_count);
	free(frozen);
}

static void freeze_release(struct tf_freeze *freeze)
{
	for (struct tf_body *body = freeze->first_function; body;
	     body = body->next)
		map_release(&body->names);
	map_release(&freeze->main.names);
	map_release(&freeze->instances);
	map_release(&freeze->variables);
	map_release(&freeze->cuts);
	map_release(&freeze->functions);
	map_release(&freeze->function_names);
	scopes_release(&freeze->scopes);
	blockers_release(&freeze->blockers);
	free(freeze->stack);
	tf_pool_release(&freeze->pool);
}
DEFINE_AUTO(freeze, struct tf_freeze, freeze_release)

static void freeze_init(struct tf_freeze *freeze,
			const struct saved_model *model,
			const struct freeze_shards *shards, struct refusal *why)
{
	*freeze = (struct tf_freeze){
		.model = model,
		.shards = shards,
		.why = why,
	};
	tf_pool_init(&freeze->pool, model->len);
	scopes_init(&freeze->scopes, model, &freeze->pool, why);
	freeze->scopes.cuts = &freeze->cuts;
	freeze->last_variable = &freeze->first_variable;
	freeze->last_function = &freeze->first_function;
	blockers_init(&freeze->blockers);
}

static int signature_pick(struct tf_freeze *freeze, const char *name)
{
	if (!name)
		name = saved_model_default_signature(freeze->model);
	if (!name)
		return refuse(freeze->why, "no-signature", NULL,
			      "the model has no signature: it can be called "
			      "only by the program that made it");
	freeze->signature = model_signature(freeze->model, name);
	if (!freeze->signature)
		return refuse(freeze->why, "no-such-signature", name,
			      "the model has no signature of this name");
	if (freeze->signature->output_count == 0)
		return refuse(freeze->why, "no-such-signature", name,
			      "the signature has no outputs");
	return 0;
}

static int graph_make(struct tf_freeze *freeze, struct tf_text *output_names)
{
	int r = scope_root(&freeze->scopes, &freeze->model->main, NULL,
			   &freeze->main, &freeze->main.root);

	if (r == 0)
		r = ports_open(freeze, output_names);
	if (r == 0)
		r = ports_resolve(freeze, output_names);
	if (r == 0)
		r = library_build(freeze);
	if (r == 0)
		r = assigns_check(freeze);
	if (r == 0)
		r = blockers_judge(&freeze->blockers, freeze->why);
	if (r == 0)
		ports_close(freeze);
	return r;
}

/* What stands in the way of one thing may follow from another's absence. */
static int graph_judge(struct tf_freeze *freeze, int r)
{
	if (r == -EFBIG)
		refuse(freeze->why, "too-large", NULL,
		       "the frozen graph would be larger than 2 GiB, which is "
		       "the most that one can be, or is past another limit");
	return r;
}

static int freeze_run(struct tf_freeze *freeze, const char *signature,
		      struct frozen *frozen)
{
	struct tf_text *output_names;
	int r = signature_pick(freeze, signature);

	if (r < 0)
		return r;
	output_names = tf_pool_array(&freeze->pool,
				     freeze->signature->output_count,
				     sizeof(*output_names));
	if (!output_names)
		return tf_pool_error(&freeze->pool);
	r = graph_make(freeze, output_names);
	if (r == 0)
		r = ports_describe(freeze, output_names, frozen);
	if (r == 0)
		r = freeze_write(freeze, frozen);
	frozen->has_control_flow = freeze->has_control_flow;
	frozen->function_count = freeze->function_count;
	return r;
}

int saved_model_freeze(const struct saved_model *model,
		       const struct freeze_shards *shards,
		       const char *signature, struct frozen **out,
		       struct refusal *why)
{
	auto_frozen struct frozen *frozen = mem_zalloc(sizeof(*frozen));
	auto_of(freeze) struct tf_freeze freeze;
	int r;

	freeze_init(&freeze, model, shards, why);
	if (!frozen)
		return -ENOMEM;
	r = graph_judge(&freeze, freeze_run(&freeze, signature, frozen));
	if (r < 0)
		return r;
	*out = take_ptr(frozen);
	return 0;
}
