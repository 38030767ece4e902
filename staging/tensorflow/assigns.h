/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/assigns.h - variables that are read and assigned.
 *
 * A constant has the value of the checkpoint; a variable that the signature
 * assigns need not.  All that runs with the signature's outputs counts: in
 * the main graph what they need by data or control, in a function that is
 * called every node, since functions run all their side effects.
 */
#ifndef STAGING_TENSORFLOW_ASSIGNS_H
#define STAGING_TENSORFLOW_ASSIGNS_H

#include "base/annot.h"
#include "staging/tensorflow/freeze_state.h"

/* Notes each variable that has a constant and is assigned as a blocker. */
int assigns_check(struct tf_freeze *freeze) MUST_CHECK;

#endif
