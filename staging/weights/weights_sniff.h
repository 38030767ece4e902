/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/weights_sniff.h - what a file of weights is, by its first
 * bytes.  Pure.
 *
 * For files whose name says nothing: "resnet18-f37072fd.pth".
 */
#ifndef STAGING_WEIGHTS_WEIGHTS_SNIFF_H
#define STAGING_WEIGHTS_WEIGHTS_SNIFF_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "staging/refusal.h"
#include "staging/weights/weights_open.h"

/* Bytes of the start of a file that tell; a shorter file has fewer. */
#define WEIGHTS_SNIFF_BYTES 512

/* The reader of a format. */
struct weights_format {
	const char *format; /* of struct weights */
	int (*load)(struct weights_load *load);
};

/*
 * The format of the file of @size bytes that begins with @len @bytes.
 * -EBADMSG: none that is read; @why says what it is.
 */
int weights_sniff(const void *bytes, size_t len, uint64_t size,
		  struct weights_format *out, struct refusal *why) MUST_CHECK;

#endif
