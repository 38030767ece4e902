/* SPDX-License-Identifier: MIT */
#include "staging/models.h"

#include <errno.h>

#include "base/mem.h"
#include "staging/bind.h"
#include "staging/models/config_read.h"
#include "staging/models/encoder.h"
#include "staging/models/family.h"
#include "staging/models/sentence_head.h"
#include "staging/models/staged_model.h"

static bool has_head(const struct family *family, const struct json *config,
		     const struct weights *weights, enum model_task task)
{
	const struct head *head = &family->heads[task];

	if (!head->emit)
		return false;
	if (head->is_there)
		return head->is_there(config, weights);
	if (!bind_find(weights, family->base, head->tensor))
		return false;
	return !head->architecture ||
	       family_is_class(config, head->architecture);
}

unsigned int models_tasks(const struct json *config,
			  const struct weights *weights,
			  const struct sentence *sentence)
{
	const struct family *family = family_find(config);
	unsigned int tasks = 0;

	for (unsigned int task = 0; family && task < TASK_COUNT; task++)
		if (has_head(family, config, weights, task))
			tasks |= 1U << task;
	if (family && sentence)
		tasks |= 1U << TASK_SENTENCE_SIMILARITY;
	return tasks;
}

bool models_has_parts(const struct json *config, enum model_task task)
{
	const struct family *family = family_find(config);

	return family && family->heads[task].has_parts;
}

bool models_know_code(const struct json *config)
{
	return family_knows_code(config);
}

/* Lets the family make the graph. */
static int emit_run(struct emit *emit, const struct family *family,
		    const struct sentence *sentence)
{
	struct value *x;

	sheet_sequence(&emit->sheet, NULL, "sequence_length");
	config_check(emit, family->computes);
	if (emit->graph->error < 0)
		return emit->graph->error;
	x = family->body(emit);
	if (emit->graph->error < 0)
		return emit->graph->error;
	if (emit->part == PART_ENCODER)
		emit_hidden(emit, x);
	else if (emit->task == TASK_FEATURES)
		family->features(emit, x);
	else if (emit->task == TASK_SENTENCE_SIMILARITY)
		sentence_emit(emit, x, sentence);
	else
		family->heads[emit->task].emit(emit, x);
	return emit->graph->error;
}

/* Their weights are no part of the model. */
static void ignore_dense(struct bind *bind, const struct sentence *sentence)
{
	for (size_t i = 0; sentence && i < sentence->step_count; i++)
		if (sentence->steps[i].kind == SENTENCE_DENSE)
			bind_ignore(bind, sentence->steps[i].prefix);
}

static int stage(const struct family *family,
		 const struct model_request *request,
		 struct staged_model *model, struct refusal *why)
{
	auto_graph struct graph *graph = NULL;
	auto_bind struct bind bind = { 0 };
	struct emit emit = {
		.config = request->config,
		.bind = &bind,
		.task = request->task,
		.part = request->part,
	};
	int r = graph_new(why, &graph);

	if (r == 0)
		r = bind_init(&bind, request->weights, graph, family->base);
	if (r < 0)
		return r;
	graph->native = request->profile == STAGE_PROFILE_NATIVE;
	bind.buffers = family->buffers;
	ignore_dense(&bind, request->sentence);
	emit.graph = graph;
	emit.sheet.graph = graph;
	emit.sheet.form = form_of(request->form);
	r = emit_run(&emit, family, request->sentence);
	model->max_length = emit.max_length;
	if (r == 0)
		r = bind_finish(&bind, family->leftovers, &model->ignored,
				&model->ignored_count);
	if (r < 0)
		return r;
	if (request->format == MODEL_GRAPHDEF)
		return staged_model_graphdef(model, graph, request->weights,
					     request->form);
	return staged_model_fill(model, graph, NULL, request->weights,
				 request->form, request->part);
}

static int refuse_family(const struct json *config, struct refusal *why)
{
	const char *type = json_string(json_get(config, "model_type"));

	if (!type)
		return refuse(why, "unsupported-architecture", NULL,
			      "the configuration names no architecture that "
			      "is supported");
	return refuse(why, "unsupported-architecture", type,
		      "models of the type \"%s\" are not supported", type);
}

/* -EBADMSG if the modules of the sentence were not understood. */
static int refused_sentence(const struct sentence *sentence,
			    struct refusal *why)
{
	const struct refusal *from = &sentence->why;

	if (!from->code)
		return 0;
	return refuse(why, from->code, from->detail, "%s", from->reason);
}

int models_stage(const struct model_request *request, struct staged_model **out,
		 struct refusal *why)
{
	auto_staged_model struct staged_model *model = NULL;
	const struct family *family = family_find(request->config);
	enum model_task task = request->task;
	int r = 0;

	if (!family)
		return refuse_family(request->config, why);
	if (task == TASK_SENTENCE_SIMILARITY && request->sentence)
		r = refused_sentence(request->sentence, why);
	else if (task != TASK_FEATURES &&
		 !has_head(family, request->config, request->weights, task))
		r = refuse(why, "no-such-head", task_name(task),
			   "the weights have no head for %s", task_name(task));
	if (r < 0)
		return r;
	model = mem_zalloc(sizeof(*model));
	if (!model)
		return -ENOMEM;
	model->family = family->name;
	r = stage(family, request, model, why);
	if (r < 0)
		return r;
	*out = take_ptr(model);
	return 0;
}
