/* SPDX-License-Identifier: MIT */
/*
 * providers/download.h - files that a library's own client downloaded
 * before ($KERAS_HOME/models, $TORCH_HOME/hub/checkpoints).
 *
 * Such a file is believed once its size and digest are right.  It is hashed
 * once; the memo keeps the result for as long as it does not change.
 */
#ifndef PROVIDERS_DOWNLOAD_H
#define PROVIDERS_DOWNLOAD_H

#include <stdint.h>

#include "base/annot.h"
#include "base/hash.h"
#include "providers/local_file.h"
#include "providers/provider.h"

/*
 * The file at the absolute @path, proven; its *@stamp.  -ENOENT: there is
 * none, it is another, no digest can prove it, or there is no time to;
 * -EINPROGRESS: with DEADLINE_NOW, it would have to be hashed; -ENOMEM.
 */
int download_find(const struct provider_env *env, const char *path,
		  uint64_t size, const struct digest *digest,
		  uint64_t deadline_ns, struct local_stamp *stamp) MUST_CHECK;

#endif
