/* SPDX-License-Identifier: MIT */
/*
 * base/gunzip.h - gzip (RFC 1952) of data that the program brings along.
 *
 * Threads: any.
 */
#ifndef BASE_GUNZIP_H
#define BASE_GUNZIP_H

#include <stddef.h>

#include "base/annot.h"
#include "base/str.h"

/*
 * Appends what the @len bytes hold: one gzip member and nothing after it.
 * -EBADMSG: they are no such thing; -EFBIG: past @out's bound; -ENOMEM.
 */
int gunzip(const void *bytes, size_t len, struct str *out) MUST_CHECK;

#endif
