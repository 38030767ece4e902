/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/torch_zip.h - the tensors of what torch.save() wrote
 * (since 1.6).  Pure.
 *
 * A zip of stored members: <root>/data.pkl, <root>/data/<key> for each
 * storage, <root>/byteorder ("little"; absent in old ones), others that do
 * not matter (torch/serialization.py, caffe2/serialize/inline_container.cc).
 * The pickle makes a dict of tensors out of torch._utils._rebuild_*() of
 * persistent ids ("storage", class, key, location, elements).
 */
#ifndef STAGING_WEIGHTS_TORCH_ZIP_H
#define STAGING_WEIGHTS_TORCH_ZIP_H

#include <stddef.h>

#include "base/annot.h"
#include "staging/refusal.h"
#include "staging/weights/weights.h"
#include "staging/weights/zip_directory.h"

/* The members that are not storages; borrowed from the directory. */
struct torch_zip {
	struct zip_directory *directory; /* borrowed */
	struct zip_entry *pickle;
	struct zip_entry *byteorder; /* or NULL */
	size_t root_len;	     /* of pickle->name before "data.pkl" */
};

/* -EBADMSG: not torch.save()'s, or TorchScript; @why says so. */
int torch_zip_find(struct zip_directory *directory, struct torch_zip *out,
		   struct refusal *why) MUST_CHECK;

/* The storage @key ([0-9A-Za-z_]+); NULL: there is none. */
struct zip_entry *torch_zip_storage(const struct torch_zip *zip,
				    const char *key, size_t key_len);

/*
 * Adds the tensors of file number @file, whose pickle is @bytes, to
 * @weights.  The payload of every storage is proven by now.
 */
int torch_zip_read(struct weights *weights, unsigned int file,
		   const struct torch_zip *zip, const void *bytes, size_t len,
		   struct refusal *why) MUST_CHECK;

#endif
