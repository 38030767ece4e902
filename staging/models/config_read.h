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

#include "staging/models/family.h"

/* 1 to @max. */
uint64_t config_count(struct emit *emit, const char *key, uint64_t otherwise,
		      uint64_t max);

/* 0 to @max. */
uint64_t config_index(struct emit *emit, const char *key, uint64_t otherwise,
		      uint64_t max);
double config_number(struct emit *emit, const char *key, double otherwise);
const char *config_text(struct emit *emit, const char *key,
			const char *otherwise);
bool config_flag(struct emit *emit, const char *key, bool otherwise);

/*
 * Refuses what changes the mathematics and is not computed here; @computed
 * as family.computes.
 */
void config_check(struct emit *emit, const char *const *computed);

/* Refuses @key if it is neither missing nor @value; for keys of one family. */
void config_only_number(struct emit *emit, const char *key, double value);
void config_only_flag(struct emit *emit, const char *key, bool value);
void config_only_text(struct emit *emit, const char *key, const char *value);

/* Refuses the graph for @key. */
void config_refuse(struct emit *emit, const char *key);

#endif
