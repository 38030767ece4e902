/* SPDX-License-Identifier: MIT */
/*
 * A model as an attacker may have it, staged in every way: JSON of
 *
 *	"config"	what is in config.json
 *	"tensors"	[["name", "F32", [2, 3]], ...]
 *	"fits"		true: tensors have whatever shape is asked for, and
 *			those that lack are there
 *
 * To fit, the calls of bind.h that ask for a tensor are wrapped (the linker's
 * --wrap): only so does a number of the configuration that weights would have
 * to agree with get further than to them.
 *
 * Threads: one.
 */
#ifndef TESTS_FUZZ_MODEL_CASE_H
#define TESTS_FUZZ_MODEL_CASE_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"

struct model_case {
	unsigned int staged, refused; /* times */
	unsigned int too_big, no_memory;
	uint64_t slowest_ns; /* of the processor, for one staging */
};

/*
 * Adds to @result what came of it.  Asserts that each staging gives a plan or
 * says why not.  -EBADMSG: it is no such JSON.
 */
int model_case_run(const void *bytes, size_t len,
		   struct model_case *result) MUST_CHECK;

#endif
