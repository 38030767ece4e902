/* SPDX-License-Identifier: MIT */
/*
 * providers/fallback_source.h - one file that several places should have.
 *
 * The first range tries the places in order: one that has no such file
 * (-ENOENT), refuses (-EACCES) or tells untruths (-EIO, -ESTALE) is passed
 * over, as is one that does not answer in its share of the time.  The first
 * that gives a byte is the one for good: bytes of two places are never
 * mixed.
 */
#ifndef PROVIDERS_FALLBACK_SOURCE_H
#define PROVIDERS_FALLBACK_SOURCE_H

#include <stddef.h>

#include "base/annot.h"
#include "base/source.h"

/*
 * Takes the references to @count sources, at least one, also on failure;
 * all have the first one's size, digest, key and label.  -ENOMEM.
 */
int fallback_source_new(struct source *const *sources, size_t count,
			struct source **out) MUST_CHECK;

#endif
