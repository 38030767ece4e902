/* SPDX-License-Identifier: MIT */
/*
 * staging/skeletons/skeleton_manifest.h - what a set of skeletons holds:
 * its manifest.json, which README.md describes.  Pure.
 */
#ifndef STAGING_SKELETONS_SKELETON_MANIFEST_H
#define STAGING_SKELETONS_SKELETON_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/hash.h"
#include "base/json.h"
#include "staging/refusal.h"
#include "staging/staging.h"

/*
 * -EBADMSG: it is not one of the format that is read; else as
 * json_parse().  The caller frees *@out.
 */
int skeleton_manifest_parse(const void *bytes, size_t len,
			    struct json_doc **out) MUST_CHECK;

/*
 * What @manifest says of @name in @form: the SHA-256 of the uncompressed
 * skeleton.  -ENOENT: it does not know that model.  -EBADMSG: refused, @why
 * has the manifest's own reason.
 */
int skeleton_manifest_find(const struct json_doc *manifest, const char *name,
			   enum stage_form form, uint8_t sha[SHA256_BYTES],
			   struct refusal *why) MUST_CHECK;

#endif
