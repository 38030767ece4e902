/* SPDX-License-Identifier: MIT */
/*
 * tests/fuzz/fuzz.h - what a fuzz target defines.
 *
 * libFuzzer calls it with what it invents, replay.c with a corpus.  It is
 * included first: what a target asserts is checked in release builds too.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#undef NDEBUG

#include <stddef.h>
#include <stdint.h>

/* Returns 0; asserts what must hold. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
