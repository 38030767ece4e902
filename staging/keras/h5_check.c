/* SPDX-License-Identifier: MIT */
#include "staging/keras/h5_check.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

/* Layers that have weights always; others may or not, or have none. */
static const char *const weighted[] = {
	"BatchNormalization",
	"Conv1D",
	"Conv2D",
	"Conv2DTranspose",
	"Conv3D",
	"Dense",
	"DepthwiseConv2D",
	"EinsumDense",
	"Embedding",
	"GRU",
	"LSTM",
	"PReLU",
	"SeparableConv2D",
	"SimpleRNN",
};

static bool is_weighted(const struct json *layer)
{
	const char *class = json_string(json_get(layer, "class_name"));

	for (size_t i = 0; class && i < ARRAY_LEN(weighted); i++)
		if (strcmp(class, weighted[i]) == 0)
			return true;
	return false;
}

/* Name -> its place, from 1 on. */
static int map_names(const struct hdf5_names *layers, char slash,
		     struct map *places)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < layers->count; i++) {
		auto_free char *name = mem_strdup(layers->names[i]);

		if (!name)
			return -ENOMEM;
		for (char *c = name; slash && *c; c++)
			if (*c == '/')
				*c = slash;
		r = map_add(places, name, (void *)(uintptr_t)(i + 1));
	}
	return r;
}

static int check_order(const struct json *layers, const struct map *places,
		       size_t layer_count, struct refusal *why)
{
	uintptr_t last = 0;
	size_t count = 0;

	for (const struct json *layer = json_first(layers); layer;
	     layer = json_next(layer)) {
		const struct json *config = json_get(layer, "config");
		const char *name = json_string(json_get(config, "name"));
		uintptr_t place;

		if (!is_weighted(layer))
			continue;
		if (!name)
			return refuse(why, "model-config", NULL,
				      "a layer of the graph has no name");
		if (++count > layer_count)
			return refuse(why, "layer-count", name,
				      "the graph has more layers with weights "
				      "than the file has layers");
		place = (uintptr_t)map_get(places, name);
		if (place && place < last)
			return refuse(why, "layer-order", name,
				      "the graph's layers are in another order "
				      "than the file's");
		last = place ? place : last;
	}
	return 0;
}

int h5_check_layers(const char *model_config, size_t len,
		    const struct hdf5_names *layers, char slash,
		    struct refusal *why)
{
	auto_json struct json_doc *doc = NULL;
	auto_map struct map places;
	const struct json *list;
	int r;

	map_init(&places);
	r = json_parse(model_config, len, KERAS_CONFIG_BYTES_MAX, &doc);
	if (r == -EBADMSG || r == -EFBIG)
		return refuse(why, "model-config", NULL,
			      "the graph's text is not JSON, or too long");
	if (r < 0)
		return r;
	list = json_get(json_get(json_root(doc), "config"), "layers");
	if (json_count(list) == 0)
		return refuse(why, "model-config", "layers",
			      "the graph has no layers");
	r = map_names(layers, slash, &places);
	if (r == -EEXIST)
		return refuse(why, "layer-names", NULL,
			      "two layers of the file have the same name");
	return r < 0 ? r : check_order(list, &places, layers->count, why);
}
