/* SPDX-License-Identifier: MIT */
#include "staging/preprocessing.h"

#include <math.h>
#include <string.h>

/* timm's data/config.py: what a pretrained_cfg means by leaving it out. */
#define TIMM_SIZE 224
#define TIMM_CROP_PCT 0.875
#define TIMM_MEAN "[0.485,0.456,0.406]"
#define TIMM_STD "[0.229,0.224,0.225]"

static void write_begin(struct json_write *json)
{
	json_write_open(json, "preprocessing", '{');
	json_write_text(json, "layout", "NCHW");
	json_write_text(json, "channel_order", "RGB");
}

static void write_side(struct json_write *json, const char *key,
		       const char *side, uint64_t size)
{
	json_write_open(json, key, '{');
	json_write_u64(json, side, size);
	json_write_close(json, '}');
}

static void write_square(struct json_write *json, const char *key,
			 uint64_t height, uint64_t width)
{
	json_write_open(json, key, '{');
	json_write_u64(json, "height", height);
	json_write_u64(json, "width", width);
	json_write_close(json, '}');
}

/* A size is a number, or an object of edges. */
static void write_size(struct json_write *json, const char *key,
		       const struct json *size, bool number_is_edge)
{
	uint64_t side, height, width;

	if (json_u64(size, &side)) {
		if (number_is_edge)
			write_side(json, key, "shortest_edge", side);
		else
			write_square(json, key, side, side);
	} else if (json_u64(json_get(size, "shortest_edge"), &side)) {
		write_side(json, key, "shortest_edge", side);
	} else if (json_u64(json_get(size, "height"), &height) &&
		   json_u64(json_get(size, "width"), &width)) {
		write_square(json, key, height, width);
	}
}

static void write_numbers(struct json_write *json, const char *key,
			  const struct json *list)
{
	double number;

	json_write_open(json, key, '[');
	for (const struct json *item = json_first(list); item;
	     item = json_next(item))
		if (json_double(item, &number))
			json_write_double(json, NULL, number);
	json_write_close(json, ']');
}

/* PIL's numbers: PIL.Image.Resampling. */
static const char *resampling_name(const struct json *value)
{
	static const char *const names[] = { "nearest", "lanczos", "bilinear",
					     "bicubic", "box",	   "hamming" };
	uint64_t number;

	if (!json_u64(value, &number) || number >= ARRAY_LEN(names))
		return NULL;
	return names[number];
}

/* A switch that is on where the file has the values it governs. */
static bool does(const struct json *config, const char *key)
{
	return json_bool(json_get(config, key), true);
}

static bool begins_with(const char *text, const char *beginning)
{
	return text && strncmp(text, beginning, strlen(beginning)) == 0;
}

/*
 * Whether a size that is one number is that of the shorter edge: in
 * transformers, default_to_square=False of CLIP's processor.
 */
static bool is_edge(const struct json *config)
{
	const char *name =
		json_string(json_get(config, "image_processor_type"));

	if (!name)
		name = json_string(json_get(config, "feature_extractor_type"));
	return begins_with(name, "CLIP");
}

void preprocessing_of_processor(struct json_write *json,
				const struct json *config)
{
	const struct json *mean = json_get(config, "image_mean");
	const struct json *std = json_get(config, "image_std");
	const char *resampling = resampling_name(json_get(config, "resample"));
	double factor;

	if (!mean && !json_get(config, "size"))
		return;
	if (json_kind(json_get(config, "feature_size")) == JSON_NUMBER)
		return; /* of sound */
	write_begin(json);
	if (does(config, "do_resize"))
		write_size(json, "resize", json_get(config, "size"),
			   is_edge(config));
	if (does(config, "do_resize") && resampling)
		json_write_text(json, "interpolation", resampling);
	if (json_bool(json_get(config, "do_center_crop"), false))
		write_size(json, "crop", json_get(config, "crop_size"), false);
	if (!json_double(json_get(config, "rescale_factor"), &factor))
		factor = 1.0 / 255;
	if (does(config, "do_rescale"))
		json_write_double(json, "rescale", factor);
	if (does(config, "do_normalize") && json_count(mean) > 0) {
		write_numbers(json, "mean", mean);
		write_numbers(json, "std", std);
	}
	json_write_close(json, '}');
}

static void write_timm_numbers(struct json_write *json, const char *key,
			       const struct json *list, const char *otherwise)
{
	if (json_count(list) > 0)
		write_numbers(json, key, list);
	else
		json_write_raw(json, key, otherwise);
}

/* "input_size": [3, height, width]. */
static void timm_size(const struct json *config, uint64_t *height,
		      uint64_t *width)
{
	const struct json *size = json_first(json_get(config, "input_size"));

	*height = *width = TIMM_SIZE;
	size = size ? json_next(size) : NULL;
	if (json_u64(size, height))
		json_u64(json_next(size), width);
}

void preprocessing_of_timm(struct json_write *json, const struct json *config)
{
	const struct json *cfg = json_get(config, "pretrained_cfg");
	const char *text = json_string(json_get(cfg, "interpolation"));
	const char *mode = json_string(json_get(cfg, "crop_mode"));
	uint64_t height, width;
	double crop;

	timm_size(cfg, &height, &width);
	if (!json_double(json_get(cfg, "crop_pct"), &crop) || !(crop > 0))
		crop = TIMM_CROP_PCT;
	write_begin(json);
	if (mode && strcmp(mode, "squash") == 0)
		write_square(json, "resize",
			     (uint64_t)floor((double)height / crop),
			     (uint64_t)floor((double)width / crop));
	else
		write_side(json, "resize", "shortest_edge",
			   (uint64_t)floor((double)height / crop));
	json_write_text(json, "interpolation", text ? text : "bicubic");
	write_square(json, "crop", height, width);
	json_write_double(json, "rescale", 1.0 / 255);
	write_timm_numbers(json, "mean", json_get(cfg, "mean"), TIMM_MEAN);
	write_timm_numbers(json, "std", json_get(cfg, "std"), TIMM_STD);
	json_write_close(json, '}');
}
