/* SPDX-License-Identifier: MIT */
/*
 * staging/tensorflow/freeze_write.h - the frozen graph as a plan.
 *
 * A GraphDef: the variables' constants in order of shard and offset, so that
 * reading the file reads the shards forwards; the nodes; the functions; the
 * versions of the original.  GraphDef and FunctionDef name inputs in their
 * own ways (graph_def.h).
 */
#ifndef STAGING_TENSORFLOW_FREEZE_WRITE_H
#define STAGING_TENSORFLOW_FREEZE_WRITE_H

#include "base/annot.h"
#include "staging/tensorflow/freeze_state.h"

/* Sets .plan and .node_count.  -EFBIG, -ENOMEM; -EBADMSG, and freeze->why. */
int freeze_write(struct tf_freeze *freeze, struct frozen *frozen) MUST_CHECK;

#endif
