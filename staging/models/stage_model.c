/* SPDX-License-Identifier: MIT */
#include "staging/models.h"

#include <errno.h>
#include <inttypes.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/bind.h"
#include "staging/graph/onnx_writer.h"
#include "staging/models/config_read.h"
#include "staging/models/family.h"

static void values_free(struct staged_value *values, size_t count)
{
	for (size_t i = 0; values && i < count; i++) {
		free(values[i].name);
		free(values[i].shape);
	}
	free(values);
}

void staged_model_free(struct staged_model *model)
{
	if (!model)
		return;
	plan_free(model->onnx);
	plan_free(model->data);
	values_free(model->inputs, model->input_count);
	values_free(model->outputs, model->output_count);
	for (size_t i = 0; i < model->ignored_count; i++)
		free(model->ignored[i]);
	free(model->ignored);
	free(model);
}

static bool has_head(const struct family *family, const struct json *config,
		     const struct weights *weights, enum model_task task)
{
	const struct head *head = &family->heads[task];

	if (!head->emit || !bind_find(weights, family->base, head->tensor))
		return false;
	return !head->architecture ||
	       family_is_class(config, head->architecture);
}

unsigned int models_tasks(const struct json *config,
			  const struct weights *weights)
{
	const struct family *family = family_find(config);
	unsigned int tasks = 0;

	for (unsigned int task = 0; family && task < TASK_COUNT; task++)
		if (has_head(family, config, weights, task))
			tasks |= 1U << task;
	return tasks;
}

static char *shape_text(const struct port *port)
{
	auto_str struct str text;
	int r;

	str_init(&text, PLAN_BYTES_MAX);
	r = str_append_char(&text, '[');
	for (unsigned int i = 0; r == 0 && i < port->rank; i++) {
		const struct dim *dim = &port->dims[i];

		if (i > 0)
			r = str_append_char(&text, ',');
		if (r == 0)
			r = dim->param
				    ? str_printf(&text, "\"%s\"", dim->param)
				    : str_printf(&text, "%" PRIu64, dim->size);
	}
	if (r == 0)
		r = str_append_char(&text, ']');
	return r < 0 ? NULL : str_take(&text, NULL);
}

/* On failure what was made is *@out's still. */
static int values_copy(const struct port *ports, size_t count,
		       struct staged_value **out, size_t *out_count)
{
	*out = mem_array(count + 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	for (; ports; ports = ports->next) {
		struct staged_value *value = &(*out)[(*out_count)++];

		value->name = mem_strdup(ports->value->name);
		value->dtype = ports->type == ONNX_INT64 ? "int64" : "float32";
		value->shape = shape_text(ports);
		if (!value->name || !value->shape)
			return -ENOMEM;
	}
	return 0;
}

/* From the finished graph to what is handed out. */
static int model_fill(struct staged_model *model, const struct graph *graph,
		      const struct weights *weights, enum stage_form form)
{
	const struct onnx_layout layout = {
		.inline_max = STAGED_INLINE_MAX,
		.external_allowed = form == STAGE_FORM_PLAIN,
	};
	int r;

	model->node_count = graph->node_count;
	r = values_copy(graph->inputs, graph->input_count, &model->inputs,
			&model->input_count);
	if (r == 0)
		r = values_copy(graph->outputs, graph->output_count,
				&model->outputs, &model->output_count);
	if (r == 0)
		r = onnx_write(graph, weights, &layout, &model->onnx,
			       &model->data);
	if (r == -EFBIG && !layout.external_allowed)
		return refuse(graph->why, "too-large", NULL,
			      "the model is over 2 GiB, and the dl4j form is "
			      "a single file");
	return r;
}

/* Lets the family make the graph. */
static int emit_run(struct emit *emit, const struct family *family,
		    enum model_task task)
{
	struct value *x;

	config_check(emit);
	if (emit->graph->error < 0)
		return emit->graph->error;
	x = family->body(emit);
	if (task == TASK_FEATURES)
		family->features(emit, x);
	else
		family->heads[task].emit(emit, x);
	return emit->graph->error;
}

static int stage(const struct family *family, const struct json *config,
		 const struct weights *weights, enum model_task task,
		 enum stage_form form, struct staged_model *model,
		 struct refusal *why)
{
	auto_graph struct graph *graph = NULL;
	auto_bind struct bind bind = { 0 };
	struct emit emit = { .config = config, .bind = &bind };
	int r = graph_new(why, &graph);

	if (r == 0)
		r = bind_init(&bind, weights, graph, family->base);
	if (r < 0)
		return r;
	emit.graph = graph;
	emit.sheet.graph = graph;
	emit.sheet.form = form_of(form);
	r = emit_run(&emit, family, task);
	if (r == 0)
		r = bind_finish(&bind, family->leftovers, &model->ignored,
				&model->ignored_count);
	return r < 0 ? r : model_fill(model, graph, weights, form);
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

int models_stage(const struct json *config, const struct weights *weights,
		 enum model_task task, enum stage_form form,
		 struct staged_model **out, struct refusal *why)
{
	auto_staged_model struct staged_model *model = NULL;
	const struct family *family = family_find(config);
	int r;

	if (!family)
		return refuse_family(config, why);
	if (task != TASK_FEATURES && !has_head(family, config, weights, task))
		return refuse(why, "no-such-head", task_name(task),
			      "the weights have no head for %s",
			      task_name(task));
	model = mem_zalloc(sizeof(*model));
	if (!model)
		return -ENOMEM;
	model->family = family->name;
	r = stage(family, config, weights, task, form, model, why);
	if (r < 0)
		return r;
	*out = take_ptr(model);
	return 0;
}
