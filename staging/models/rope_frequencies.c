/* SPDX-License-Identifier: MIT */
#include "staging/models/rope_frequencies.h"

#include <math.h>

/* theta^(2 i / width) */
static float wave(const struct rope_scaling *scaling, size_t i)
{
	float power = (float)(2 * i) / (float)scaling->width;

	return (float)pow((double)(float)scaling->theta, (double)power);
}

static size_t count_of(const struct rope_scaling *scaling)
{
	return (size_t)(scaling->width / 2);
}

void rope_default(const struct rope_scaling *scaling, float *out)
{
	for (size_t i = 0; i < count_of(scaling); i++)
		out[i] = 1 / wave(scaling, i);
}

void rope_linear(const struct rope_scaling *scaling, float *out)
{
	for (size_t i = 0; i < count_of(scaling); i++)
		out[i] = 1 / wave(scaling, i) / (float)scaling->factor;
}

static float llama3(const struct rope_scaling *scaling, float frequency)
{
	float length = (float)(2 * M_PI) / frequency;
	float scaled = frequency / (float)scaling->factor;
	float kept;

	if (length < (float)(scaling->original / scaling->high))
		return frequency;
	if (length > (float)(scaling->original / scaling->low))
		return scaled;
	kept = (float)scaling->original / length - (float)scaling->low;
	kept /= (float)(scaling->high - scaling->low);
	return (1 - kept) * frequency / (float)scaling->factor +
	       kept * frequency;
}

void rope_llama3(const struct rope_scaling *scaling, float *out)
{
	for (size_t i = 0; i < count_of(scaling); i++)
		out[i] = llama3(scaling, 1 / wave(scaling, i));
}

/* Which number makes so many waves in a text of the original length. */
static double number_of(const struct rope_scaling *scaling, double waves)
{
	return (double)scaling->width *
	       log(scaling->original / (waves * 2 * M_PI)) /
	       (2 * log(scaling->theta));
}

void rope_yarn(const struct rope_scaling *scaling, float *out)
{
	double low = number_of(scaling, scaling->fast);
	double high = number_of(scaling, scaling->slow);

	if (scaling->truncate) {
		low = floor(low);
		high = ceil(high);
	}
	low = fmax(low, 0);
	high = fmin(high, (double)scaling->width - 1);
	if (low == high)
		high += 0.001;
	for (size_t i = 0; i < count_of(scaling); i++) {
		float length = wave(scaling, i);
		float scaled = ((float)i - (float)low) / (float)(high - low);
		float kept;

		kept = 1 - fminf(fmaxf(scaled, 0), 1);
		out[i] = 1 / ((float)scaling->factor * length) * (1 - kept) +
			 1 / length * kept;
	}
}

void rope_slower(const struct rope_scaling *scaling, const double *factors,
		 float *out)
{
	for (size_t i = 0; i < count_of(scaling); i++)
		out[i] = 1 / ((float)factors[i] * wave(scaling, i));
}

double rope_yarn_scale(double factor, double mscale)
{
	return factor > 1 ? 0.1 * mscale * log(factor) + 1 : 1;
}

double rope_long_scale(const struct rope_scaling *scaling)
{
	if (scaling->factor <= 1)
		return 1;
	return sqrt(1 + log(scaling->factor) / log(scaling->original));
}
