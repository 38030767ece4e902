/* SPDX-License-Identifier: MIT */
/*
 * staging/models/rope_frequencies.h - how fast the numbers of a head turn.
 *
 * Facts: transformers, modeling_rope_utils.py.  In floats where torch
 * computes in floats, so that angles of late positions agree.
 *
 * Pure; any thread.
 */
#ifndef STAGING_MODELS_ROPE_FREQUENCIES_H
#define STAGING_MODELS_ROPE_FREQUENCIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rope_scaling {
	double theta;
	uint64_t width;	 /* how many numbers of a head are turned; even */
	double factor;	 /* of the length that the model was trained for */
	double original; /* that length */

	/* Of llama3: waves of so many a text are kept, or scaled. */
	double low, high;

	/* Of yarn: the same; to whole numbers of waves? */
	double fast, slow;
	bool truncate;
};

/* Each gives width / 2 frequencies. */
void rope_default(const struct rope_scaling *scaling, float *out);
void rope_linear(const struct rope_scaling *scaling, float *out);
void rope_llama3(const struct rope_scaling *scaling, float *out);
void rope_yarn(const struct rope_scaling *scaling, float *out);

/* @factors [width / 2]: how much slower each is. */
void rope_slower(const struct rope_scaling *scaling, const double *factors,
		 float *out);

/* What sines and cosines are multiplied by, if nothing else is said. */
double rope_yarn_scale(double factor, double mscale);
double rope_long_scale(const struct rope_scaling *scaling);

#endif
