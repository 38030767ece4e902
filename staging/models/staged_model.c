/* SPDX-License-Identifier: MIT */
#include "staging/models/staged_model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "staging/graph/graphdef_writer.h"

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
	free(model->source);
	plan_free(model->onnx);
	plan_free(model->data);
	values_free(model->inputs, model->input_count);
	values_free(model->outputs, model->output_count);
	for (size_t i = 0; i < model->ignored_count; i++)
		free(model->ignored[i]);
	free(model->ignored);
	free(model);
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

static enum onnx_type same_type(enum onnx_type type)
{
	return type;
}

/*
 * @type_of: what an input's type is in the file.  On failure what was made is
 * *@out's still.
 */
static int values_copy(const struct port *ports, size_t count,
		       enum onnx_type (*type_of)(enum onnx_type type),
		       struct staged_value **out, size_t *out_count)
{
	*out = mem_array(count + 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	for (; ports; ports = ports->next) {
		struct staged_value *value = &(*out)[(*out_count)++];

		value->name = mem_strdup(ports->value->name);
		value->dtype = onnx_type_name(type_of(ports->type));
		value->shape = shape_text(ports);
		if (!value->name || !value->shape)
			return -ENOMEM;
	}
	return 0;
}

static int ports_copy(struct staged_model *model, const struct graph *graph,
		      enum onnx_type (*input_type)(enum onnx_type type))
{
	int r = values_copy(graph->inputs, graph->input_count, input_type,
			    &model->inputs, &model->input_count);

	return r < 0 ? r
		     : values_copy(graph->outputs, graph->output_count,
				   same_type, &model->outputs,
				   &model->output_count);
}

int staged_model_graphdef(struct staged_model *model, const struct graph *graph,
			  const struct weights *weights, enum stage_form form)
{
	int r = ports_copy(model, graph, graphdef_port_type);

	return r < 0 ? r
		     : graphdef_write(graph, weights, form, &model->onnx,
				      &model->node_count, graph->why);
}

int staged_model_fill(struct staged_model *model, const struct graph *graph,
		      const struct onnx_records *records,
		      const struct weights *weights, enum stage_form form,
		      enum model_part part)
{
	char data_name[NAME_BYTES_MAX];
	const struct onnx_layout layout = {
		.inline_max = STAGED_INLINE_MAX,
		.external_allowed = form == STAGE_FORM_PLAIN,
		.data_name = data_name,
		.records = records,
	};
	int r;

	snprintf(data_name, sizeof(data_name), "%s.data", part_name(part));
	model->node_count += graph->node_count;
	r = ports_copy(model, graph, same_type);
	if (r == 0)
		r = onnx_write(graph, weights, &layout, &model->onnx,
			       &model->data);
	if (r == -EFBIG && !layout.external_allowed)
		return refuse(graph->why, "too-large", NULL,
			      "the model is over 2 GiB, and the dl4j form is "
			      "a single file");
	return r;
}
