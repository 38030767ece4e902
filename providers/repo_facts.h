/* SPDX-License-Identifier: MIT */
/*
 * providers/repo_facts.h - what a catalogue knows of a repository, as JSON.
 *
 * Pure.  Members of one object, in the order of the calls:
 *
 *	struct repo_facts facts;
 *
 *	repo_facts_init(&facts);
 *	repo_facts_text(&facts, "hub", "keras");
 *	r = repo_facts_take(&facts, &repo->facts);
 *
 * What a catalogue leaves empty ("", or NULL) is left out.  The first error
 * stays, and is what repo_facts_take() tells.
 */
#ifndef PROVIDERS_REPO_FACTS_H
#define PROVIDERS_REPO_FACTS_H

#include <stdbool.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/str.h"

struct repo_facts {
	struct str json;
	int error; /* the first, or 0 */
};

void repo_facts_init(struct repo_facts *facts);
void repo_facts_release(struct repo_facts *facts);
DEFINE_AUTO(repo_facts, struct repo_facts, repo_facts_release)
#define auto_repo_facts auto_of(repo_facts)

void repo_facts_text(struct repo_facts *facts, const char *name,
		     const char *value);

/* @value as a number, where it is a decimal one; else as a text. */
void repo_facts_number(struct repo_facts *facts, const char *name,
		       const char *value);

void repo_facts_flag(struct repo_facts *facts, const char *name, bool value);

/* The parts of @value between @separators: an array of texts, or numbers. */
void repo_facts_list(struct repo_facts *facts, const char *name,
		     const char *value, const char *separators);

/*
 * "name|type|shape;..." as an array of {"name", "type", "shape"}; a shape is
 * a text such as "1x3x224x224", "" where it is not known.
 */
void repo_facts_ports(struct repo_facts *facts, const char *name,
		      const char *value);

/* @json, which is a whole value of JSON, as it is. */
void repo_facts_json(struct repo_facts *facts, const char *name,
		     const char *json);

/* The object; caller frees *@out.  -ENOMEM, -EFBIG. */
int repo_facts_take(struct repo_facts *facts, char **out) MUST_CHECK;

#endif
