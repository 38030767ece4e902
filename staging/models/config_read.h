/* SPDX-License-Identifier: MIT */
/*
 * staging/models/config_read.h - values of config.json, with defaults.
 *
 * The defaults are those of the family's configuration class in
 * transformers; files hold only what differs from them.  A value of another
 * kind, or past its bound, refuses the graph.  null is as missing.
 */
#ifndef STAGING_MODELS_CONFIG_READ_H
#define STAGING_MODELS_CONFIG_READ_H

#include "base/limits.h"
#include "staging/models/family.h"

/* 1 to @max. */
uint64_t config_count(struct emit *emit, const char *key, uint64_t otherwise,
		      uint64_t max);

/* 0 to @max. */
uint64_t config_index(struct emit *emit, const char *key, uint64_t otherwise,
		      uint64_t max);
double config_number(struct emit *emit, const char *key, double otherwise);

/* What a norm adds to a variance: 0 to 1. */
double config_epsilon(struct emit *emit, const char *key, double otherwise);
const char *config_text(struct emit *emit, const char *key,
			const char *otherwise);
bool config_flag(struct emit *emit, const char *key, bool otherwise);

/* An array of numbers, for each stage of a model one. */
struct config_list {
	size_t count;
	uint64_t at[MODEL_STAGES_MAX];
};

/* Each 1 to @max; what @list holds is the default. */
void config_list(struct emit *emit, const char *key, uint64_t max,
		 struct config_list *list);

/* Height and width: an array of two numbers, or one for both. */
void config_pair(struct emit *emit, const char *key, uint64_t otherwise,
		 uint64_t max, uint64_t pair[2]);

/*
 * Refuses what changes the mathematics and is not computed here; @computed
 * as family.computes.
 */
void config_check(struct emit *emit, const char *const *computed);

/* Refuses @key if it is neither missing nor @value; for keys of one family. */
void config_only_number(struct emit *emit, const char *key, double value);
void config_only_flag(struct emit *emit, const char *key, bool value);
void config_only_text(struct emit *emit, const char *key, const char *value);

/* Refuses @key unless it is missing, null, false, 0, "" or empty. */
void config_only_unset(struct emit *emit, const char *key);

/* Whether @key is there, and null. */
bool config_is_null(const struct emit *emit, const char *key);

/* Refuses the graph for @key. */
void config_refuse(struct emit *emit, const char *key);

#endif
