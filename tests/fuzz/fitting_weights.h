/* SPDX-License-Identifier: MIT */
/*
 * Weights that fit: what asks for a tensor (bind.h) finds it in the shape
 * asked for.  Threads: one.
 */
#ifndef TESTS_FUZZ_FITTING_WEIGHTS_H
#define TESTS_FUZZ_FITTING_WEIGHTS_H

#include "staging/weights/weights.h"

/* Begins the names of tensors that may become any other. */
#define SPARE_TENSOR "spare "

/* From now on @weights fit; NULL: none do.  Borrowed until fitting_end(). */
void fitting_begin(struct weights *weights);

/* False: there were too few spare ones. */
bool fitting_end(void);

#endif
