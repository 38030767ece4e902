/* SPDX-License-Identifier: MIT */
/*
 * staging/external/onnx_look.h - is it an ONNX model, and what does it take?
 * Pure.
 *
 * Facts: onnx.proto of ONNX; the numbers of fields are in onnx_look.c.  The
 * file is walked to its end: the graph, the graphs in it, functions, and
 * every tensor, as each may keep its data in another file.
 */
#ifndef STAGING_EXTERNAL_ONNX_LOOK_H
#define STAGING_EXTERNAL_ONNX_LOOK_H

#include <stddef.h>

#include "base/annot.h"
#include "base/str.h"

/*
 * Appends one JSON object to @out:
 *
 *	{"ir": 7, "opset": 13, "nodes": 74,
 *	 "inputs": [{"name": "x", "dtype": "float32", "shape": ["batch", 3]}],
 *	 "outputs": [...], "data": [{"name": "model.onnx_data", "size": 9}]}
 *
 * "data" has the files of external data and how long each must at least be;
 * all their names are plain.  -EBADMSG: not a whole model, or a name that is
 * not plain; -EFBIG: past a bound; -ENOMEM.
 */
int onnx_look(const void *bytes, size_t len, struct str *out) MUST_CHECK;

#endif
