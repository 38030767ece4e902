/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/staging/synthetic.h - weight indexes made of names alone.
 */
#ifndef TESTS_UNIT_STAGING_SYNTHETIC_H
#define TESTS_UNIT_STAGING_SYNTHETIC_H

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "staging/weights/weights.h"

/* Sizes of every synthetic model. */
enum { HIDDEN = 8, INNER = 12, WORDS = 20, PLACES = 10, LAYERS = 2 };

/* An index being made; .error keeps the first failure. */
struct synthetic {
	struct weights *weights;
	const char *prefix;
	const char *skip; /* a name that is left out; or NULL */
	enum dtype dtype;
	unsigned int file;
	uint64_t off;
	int error;
};

static inline void synthetic_start(struct synthetic *made, const char *prefix)
{
	*made = (struct synthetic){ .prefix = prefix };
	made->error = weights_new("safetensors", &made->weights);
	if (made->error == 0)
		made->error = weights_add_file(made->weights,
					       "model.safetensors", 0, 1 << 30,
					       &made->file);
}

static inline void synthetic_tensor(struct synthetic *made, const char *name,
				    uint64_t rows, uint64_t columns)
{
	char full[TENSOR_NAME_MAX];
	struct tensor tensor = {
		.name = full,
		.dtype = made->dtype,
		.rank = columns ? 2 : 1,
		.dims = { rows, columns },
		.file = made->file,
		.off = made->off,
	};

	if (made->error < 0 || (made->skip && strcmp(name, made->skip) == 0))
		return;
	snprintf(full, sizeof(full), "%s%s", made->prefix, name);
	made->off += rows * (columns ? columns : 1) * dtype_bytes(made->dtype);
	made->error = weights_add(made->weights, &tensor);
}

/* @name.weight [rows, columns] and @name.bias [rows]; 0 columns: a norm. */
static inline void synthetic_layer(struct synthetic *made, const char *name,
				   uint64_t rows, uint64_t columns)
{
	char part[TENSOR_NAME_MAX / 2];

	snprintf(part, sizeof(part), "%s.weight", name);
	synthetic_tensor(made, part, rows, columns);
	snprintf(part, sizeof(part), "%s.bias", name);
	synthetic_tensor(made, part, rows, 0);
}

/* A head's layer: never with the prefix. */
static inline void synthetic_head(struct synthetic *made, const char *name,
				  uint64_t rows, uint64_t columns)
{
	const char *prefix = made->prefix;

	made->prefix = "";
	synthetic_layer(made, name, rows, columns);
	made->prefix = prefix;
}

/* One of @name at @prefix, in each of the layers, e.g. "layer.%u.". */
struct synthetic_part {
	const char *name;
	uint64_t rows, columns;
};

static inline void synthetic_layers(struct synthetic *made, const char *prefix,
				    unsigned int layers,
				    const struct synthetic_part *parts)
{
	char name[TENSOR_NAME_MAX / 4];

	for (unsigned int i = 0; i < layers; i++)
		for (const struct synthetic_part *p = parts; p->name; p++) {
			snprintf(name, sizeof(name), "%s%u.%s", prefix, i,
				 p->name);
			synthetic_layer(made, name, p->rows, p->columns);
		}
}

/* word, position and type embeddings of @width and their norm. */
static inline void synthetic_embeddings(struct synthetic *made, uint64_t width,
					uint64_t types)
{
	synthetic_tensor(made, "embeddings.word_embeddings.weight", WORDS,
			 width);
	synthetic_tensor(made, "embeddings.position_embeddings.weight", PLACES,
			 width);
	if (types > 0)
		synthetic_tensor(made,
				 "embeddings.token_type_embeddings.weight",
				 types, width);
	synthetic_layer(made, "embeddings.LayerNorm", width, 0);
}

static const struct synthetic_part synthetic_bert_parts[] = {
	{ "attention.self.query", HIDDEN, HIDDEN },
	{ "attention.self.key", HIDDEN, HIDDEN },
	{ "attention.self.value", HIDDEN, HIDDEN },
	{ "attention.output.dense", HIDDEN, HIDDEN },
	{ "attention.output.LayerNorm", HIDDEN, 0 },
	{ "intermediate.dense", INNER, HIDDEN },
	{ "output.dense", HIDDEN, INNER },
	{ "output.LayerNorm", HIDDEN, 0 },
	{ NULL, 0, 0 },
};

static inline void synthetic_bert(struct synthetic *made, uint64_t types)
{
	synthetic_embeddings(made, HIDDEN, types);
	synthetic_layers(made, "encoder.layer.", LAYERS, synthetic_bert_parts);
}

#endif
