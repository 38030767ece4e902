/* SPDX-License-Identifier: MIT */
#include "staging/models/rope.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "staging/graph/blocks.h"
#include "staging/models/config_read.h"
#include "staging/models/rope_frequencies.h"

/* One configuration being read. */
struct reading {
	struct emit *emit;
	struct emit within; /* the same of rope_scaling or rope_parameters */
	const struct causal *causal;
	const struct rope *rope;
	uint64_t positions;
	struct rope_scaling scaling;
};

/* What the model was trained for, and how: rope_scaling or rope_parameters. */
static const struct json *dictionary(struct emit *emit)
{
	static const char *const keys[] = { "rope_scaling", "rope_parameters" };
	const struct json *found;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		found = json_get(emit->config, keys[i]);
		if (json_kind(found) == JSON_OBJECT && json_count(found) > 0)
			return found;
		if (json_kind(found) > JSON_NULL &&
		    json_kind(found) != JSON_OBJECT)
			config_refuse(emit, keys[i]);
	}
	return NULL;
}

/* A key that nobody knows, or a dictionary for each type of layer. */
static void check_keys(struct emit *emit, const struct json *dictionary)
{
	static const char *const known[] = {
		"attention_factor", "beta_fast",
		"beta_slow",	    "factor",
		"high_freq_factor", "long_factor",
		"low_freq_factor",  "mscale",
		"mscale_all_dim",   "original_max_position_embeddings",
		"rope_theta",	    "rope_type",
		"short_factor",	    "partial_rotary_factor",
		"truncate",	    "type",
	};
	const struct json *at = json_first(dictionary);

	for (; at; at = json_next(at)) {
		size_t i = 0;

		while (i < ARRAY_LEN(known) &&
		       strcmp(known[i], json_key(at)) != 0)
			i++;
		if (i == ARRAY_LEN(known) && json_kind(at) != JSON_NULL)
			config_refuse(emit, json_key(at));
	}
}

/* A number that has to be there, and be above 0. */
static double positive(struct reading *reading, const char *key)
{
	double number = config_number(&reading->within, key, 0);

	if (number > 0)
		return number;
	config_refuse(reading->emit, key);
	return 1;
}

static void read_part(struct reading *reading)
{
	static const char key[] = "partial_rotary_factor";
	const struct rope *rope = reading->rope;
	double part = rope->part > 0 ? rope->part : 1;
	uint64_t width;

	part = config_number(reading->emit, key, part);
	part = config_number(&reading->within, key, part);
	if (!(part > 0 && part <= 1) || (rope->part <= 0 && part != 1))
		config_refuse(reading->emit, key);
	else
		reading->scaling.width = (uint64_t)((double)rope->width * part);
	width = reading->scaling.width;
	if (width == 0 || width % 2 != 0)
		graph_refuse(reading->emit->graph, "unsupported-config", key,
			     "an odd count of numbers of a head is turned");
}

static void read_numbers(struct reading *reading)
{
	static const char trained[] = "original_max_position_embeddings";
	struct rope_scaling *scaling = &reading->scaling;
	struct emit *emit = reading->emit, *within = &reading->within;
	uint64_t original;

	scaling->theta = config_number(emit, "rope_theta",
				       reading->rope->theta);
	scaling->theta = config_number(within, "rope_theta", scaling->theta);
	if (!(scaling->theta > 1))
		config_refuse(emit, "rope_theta");
	reading->positions = config_count(emit, "max_position_embeddings",
					  reading->rope->positions, UINT32_MAX);
	original = reading->rope->original;
	if (original == 0)
		original = config_count(within, trained, reading->positions,
					UINT32_MAX);
	original = config_count(emit, trained, original, UINT32_MAX);
	scaling->original = (double)original;
	read_part(reading);
}

static float *numbers(struct reading *reading)
{
	struct graph *graph = reading->emit->graph;
	uint64_t count = reading->scaling.width / 2;
	float *out = NULL;

	if (graph->error == 0)
		out = arena_alloc(&graph->arena, count * sizeof(*out));
	if (!out)
		graph_fail(graph, -ENOMEM);
	return out;
}

static const struct rotary *fixed(struct reading *reading, struct value *places,
				  void (*fill)(const struct rope_scaling *,
					       float *),
				  double factor)
{
	float *frequencies = numbers(reading);

	if (!frequencies)
		return NULL;
	fill(&reading->scaling, frequencies);
	return block_rotary(&reading->emit->sheet, places, frequencies,
			    reading->scaling.width / 2, factor);
}

static const struct rotary *begin_default(struct reading *reading)
{
	return fixed(reading, reading->causal->places, rope_default, 1);
}

static const struct rotary *begin_linear(struct reading *reading)
{
	reading->scaling.factor = positive(reading, "factor");
	return fixed(reading, reading->causal->places, rope_linear, 1);
}

static const struct rotary *begin_llama3(struct reading *reading)
{
	struct rope_scaling *scaling = &reading->scaling;

	scaling->factor = positive(reading, "factor");
	scaling->low = positive(reading, "low_freq_factor");
	scaling->high = positive(reading, "high_freq_factor");
	if (scaling->low >= scaling->high)
		config_refuse(reading->emit, "low_freq_factor");
	return fixed(reading, reading->causal->places, rope_llama3, 1);
}

/* The same frequencies up to the length that the model was trained for. */
static const struct rotary *begin_dynamic(struct reading *reading)
{
	struct emit *emit = reading->emit;

	positive(reading, "factor");
	if (reading->scaling.width <= 2)
		config_refuse(emit, "head_dim");
	return fixed(reading,
		     causal_places_within(emit, reading->causal,
					  reading->positions),
		     rope_default, 1);
}

/* How often the model's length was stretched. */
static double stretch(struct reading *reading)
{
	double ratio = (double)reading->positions / reading->scaling.original;

	ratio = config_number(&reading->within, "factor", ratio);
	if (!(ratio > 0))
		config_refuse(reading->emit, "factor");
	return ratio;
}

static double yarn_scale(struct reading *reading)
{
	struct emit *within = &reading->within;
	double factor = reading->scaling.factor;
	double scale = config_number(within, "mscale", 0);
	double scale_all = config_number(within, "mscale_all_dim", 0);
	double got = rope_yarn_scale(factor, 1);

	if (scale != 0 && scale_all != 0)
		got = rope_yarn_scale(factor, scale) /
		      rope_yarn_scale(factor, scale_all);
	return config_number(within, "attention_factor", got);
}

static const struct rotary *begin_yarn(struct reading *reading)
{
	struct rope_scaling *scaling = &reading->scaling;
	struct emit *within = &reading->within;

	scaling->factor = stretch(reading);
	scaling->fast = config_number(within, "beta_fast", 32);
	scaling->slow = config_number(within, "beta_slow", 1);
	scaling->truncate = config_flag(within, "truncate", true);
	if (!(scaling->fast > 0 && scaling->slow > 0))
		config_refuse(reading->emit, "beta_fast");
	return fixed(reading, reading->causal->places, rope_yarn,
		     yarn_scale(reading));
}

/* The frequencies that the list @key says; NULL: refused. */
static struct value *listed(struct reading *reading, const char *key)
{
	struct graph *graph = reading->emit->graph;
	const struct json *list = json_get(reading->within.config, key);
	uint64_t count = reading->scaling.width / 2, i = 0;
	float *out = numbers(reading);
	double *factors;

	if (!out)
		return &graph->nowhere;
	factors = arena_alloc(&graph->arena, count * sizeof(*factors));
	if (!factors)
		return graph_fail(graph, -ENOMEM);
	if (json_kind(list) == JSON_ARRAY && json_count(list) == count)
		for (list = json_first(list); list; list = json_next(list))
			if (json_double(list, &factors[i]) && factors[i] > 0)
				i++;
	if (i != count) {
		config_refuse(reading->emit, key);
		return &graph->nowhere;
	}
	rope_slower(&reading->scaling, factors, out);
	return graph_float_table(graph, key, out, SHAPE(count));
}

/* 1 if a text of the batch is longer than @length, else 0. */
static struct value *is_longer(struct sheet *sheet, struct value *places,
			       double length)
{
	struct value *last;
	struct attr axes = attr_ints("axes", 0, 1);

	axes.int_count = places->rank;
	last = graph_node(sheet->graph, "ReduceMax", INPUTS(places),
			  ATTRS(axes, attr_int("keepdims", 1)));
	last = block_sub(sheet, last, block_number(sheet, length - 1));
	return block_clip(sheet, last, 0, 1);
}

static const struct rotary *begin_long(struct reading *reading)
{
	struct rope_scaling *scaling = &reading->scaling;
	struct sheet *sheet = &reading->emit->sheet;
	struct value *places = reading->causal->places;
	struct value *near = listed(reading, "short_factor");
	struct value *far = listed(reading, "long_factor");
	struct value *chosen;
	double scale;

	scaling->factor = stretch(reading);
	scale = config_number(&reading->within, "attention_factor",
			      rope_long_scale(scaling));
	if (reading->emit->graph->error < 0)
		return NULL;
	chosen = is_longer(sheet, places, scaling->original);
	far = block_mul(sheet, chosen, far);
	chosen = block_sub(sheet, block_number(sheet, 1), chosen);
	near = block_mul(sheet, chosen, near);
	return block_rotary_by(sheet, places, block_add(sheet, near, far),
			       scaling->width / 2, scale);
}

static const struct kind {
	const char *name;
	const struct rotary *(*begin)(struct reading *reading);
	bool is_of_long; /* of struct rope */
} kinds[] = {
	{ "default", begin_default, true },  { "linear", begin_linear, false },
	{ "llama3", begin_llama3, false },   { "yarn", begin_yarn, false },
	{ "dynamic", begin_dynamic, false }, { "longrope", begin_long, true },
};

static const struct kind *kind_of(struct reading *reading)
{
	struct emit *within = &reading->within;
	bool is_long = reading->rope->is_long;
	const char *name = config_text(within, "type", "default");

	name = config_text(within, "rope_type", name);
	if (is_long && strcmp(name, "su") == 0)
		name = "longrope";
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0 &&
		    (kinds[i].is_of_long || !is_long))
			return &kinds[i];
	graph_refuse(within->graph, "unsupported-config", name,
		     "rotary positions of the type \"%s\" are not supported",
		     name);
	return NULL;
}

const struct rotary *rope_begin(struct emit *emit, const struct causal *causal,
				const struct rope *rope)
{
	struct reading reading = {
		.emit = emit,
		.within = *emit,
		.causal = causal,
		.rope = rope,
	};
	const struct kind *kind;

	reading.within.config = dictionary(emit);
	check_keys(emit, reading.within.config);
	read_numbers(&reading);
	kind = kind_of(&reading);
	if (!kind || emit->graph->error < 0)
		return NULL;
	return kind->begin(&reading);
}
