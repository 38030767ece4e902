/* SPDX-License-Identifier: MIT */
/*
 * staging/skeletons/skeleton.h - a weightless ONNX graph of a fixed
 * architecture.  Pure.
 *
 * A serialized ModelProto (onnx/onnx.proto3) of operator set 13, IR 7, as
 * README.md says.  An initializer without bytes is a *hole*: its data
 * are external, at a location that is the name of a tensor of the
 * checkpoint, or "#N" for number N (from 0) in the order of its file.  What
 * is not a hole is spliced into the staged file as it stands.
 *
 * Checked here: every name is defined once and before it is used, ports have
 * a type and a shape, and nothing is in the model that is not understood.
 *
 * A struct skeleton is immutable once parsed and safe from any thread.
 */
#ifndef STAGING_SKELETONS_SKELETON_H
#define STAGING_SKELETONS_SKELETON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/str.h"
#include "staging/graph/arena.h"
#include "staging/graph/graph.h"
#include "staging/refusal.h"

struct skeleton_hole {
	const char *name;     /* of the initializer */
	const char *location; /* of a tensor in the checkpoint */
	enum onnx_type type;
	unsigned int rank;
	uint64_t dims[TENSOR_RANK_MAX];
};

/* An axis of a tensor of the checkpoint: "<location>:<axis>". */
struct skeleton_axis {
	const char *location;
	unsigned int axis;
	size_t group; /* of free ones: all of one group have one size */
};

struct skeleton_dim {
	const char *param; /* NULL: .size, or that of .of */
	uint64_t size;
	struct skeleton_axis of; /* .location NULL: of none */
};

struct skeleton_port {
	const char *name;
	enum onnx_type type;
	unsigned int rank;
	struct skeleton_dim dims[PORT_RANK_MAX];
};

struct skeleton_ports {
	struct skeleton_port *list; /* owned */
	size_t count;
};

struct skeleton {
	struct arena arena; /* all texts */
	struct map names;   /* of every value */
	struct str nodes;   /* records of the GraphProto */
	struct str constants;
	size_t node_count;
	struct skeleton_hole *holes; /* owned */
	size_t hole_count;
	struct skeleton_ports inputs;
	struct skeleton_ports outputs;

	/* Of the metadata: */
	bool is_known;	     /* omnihub.format is the one that is read */
	const char *source;  /* "torchvision 0.29.2 resnet50", or NULL */
	const char **unused; /* names, or beginnings with a '*'; owned */
	size_t unused_count;
	struct skeleton_axis *free; /* whose size may be another; owned */
	size_t free_count;
};

/*
 * Copies what it needs of @bytes.  -EBADMSG: refused, @why says so;
 * -ENOMEM.
 */
int skeleton_parse(const void *bytes, size_t len, struct skeleton **out,
		   struct refusal *why) MUST_CHECK;
void skeleton_free(struct skeleton *skeleton);
DEFINE_AUTO_PTR(skeleton, struct skeleton, skeleton_free)
#define auto_skeleton auto_of(skeleton)

#endif
