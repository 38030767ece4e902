/* SPDX-License-Identifier: MIT */
/*
 * staging/weights/torch_legacy.h - the tensors of what torch.save() wrote
 * before 1.6.  Pure.
 *
 * torch/serialization.py (_legacy_save, _legacy_load): five pickles, one
 * after the other: the magic number, the protocol 1001, a dict about the
 * machine, the object, the list of the storages' keys.  Then the storages
 * in the order of that list: the number of elements in 8 bytes, and so many
 * elements (THPStorage_readFileRaw).  What a storage's elements are is in
 * the persistent ids of the object, so that the place of each follows from
 * the pickles alone; that it does is checked by the size of the file and by
 * the counts that came along.
 */
#ifndef STAGING_WEIGHTS_TORCH_LEGACY_H
#define STAGING_WEIGHTS_TORCH_LEGACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "staging/refusal.h"
#include "staging/weights/pickle.h"
#include "staging/weights/weights.h"

/* Bytes that such a file is known by. */
#define TORCH_LEGACY_MAGIC_BYTES 15

bool torch_legacy_is(const void *bytes, size_t len);

/* The pickles that matter. */
struct torch_legacy {
	struct pickle *object; /* owned */
	struct pickle *keys;   /* owned */
	size_t pickles_len;    /* storages follow */
};
void torch_legacy_release(struct torch_legacy *legacy);
DEFINE_AUTO(torch_legacy, struct torch_legacy, torch_legacy_release)
#define auto_torch_legacy auto_of(torch_legacy)

/*
 * Reads the pickles of the file that begins with @bytes, which must outlive
 * what goes into the zeroed @out.  -ENODATA: they end after @len.
 * -EBADMSG: refused, @why says so.  Released after, also on failure.
 */
int torch_legacy_parse(const void *bytes, size_t len, struct torch_legacy *out,
		       struct refusal *why) MUST_CHECK;

/* The count before a storage: what it must be. */
struct torch_count {
	uint64_t at; /* in the file */
	uint64_t elements;
};

/*
 * Adds the tensors, as those of file number @file; @bytes and @len as
 * above: counts within are checked.  *@last is that of the last storage, for
 * the caller to look at; .at is 0 where there is none.
 */
int torch_legacy_read(struct weights *weights, unsigned int file,
		      const struct torch_legacy *legacy, const void *bytes,
		      size_t len, struct torch_count *last,
		      struct refusal *why) MUST_CHECK;

#endif
