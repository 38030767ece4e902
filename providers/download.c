/* SPDX-License-Identifier: MIT */
#include "providers/download.h"

#include <errno.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/memo.h"

#define PIECE_BYTES ((size_t)1 << 20)

static char *memo_key(const char *path, const struct local_stamp *stamp,
		      const struct digest *digest)
{
	char text[DIGEST_TEXT];

	digest_text(digest, text);
	return mem_printf("download/1/%s:%ju:%ju:%ju:%jd:%s", path,
			  (uintmax_t)stamp->dev, (uintmax_t)stamp->ino,
			  (uintmax_t)stamp->size, (intmax_t)stamp->mtime_ns,
			  text);
}

/* -ETIMEDOUT: it would take longer. */
static int hash_rest(int fd, uint64_t size, uint64_t deadline_ns,
		     struct hasher *hasher)
{
	auto_free uint8_t *bytes = mem_alloc(PIECE_BYTES);
	int r = bytes ? 0 : -ENOMEM;

	for (uint64_t off = 0; r == 0 && off < size; off += PIECE_BYTES) {
		size_t len = (size_t)u64_min(PIECE_BYTES, size - off);

		if (clock_now_ns() >= deadline_ns)
			return -ETIMEDOUT;
		r = file_pread(fd, off, len, bytes);
		if (r == 0)
			r = hasher_add(hasher, bytes, len);
	}
	return r;
}

/* 0: the open file is that of @digest; -EBADMSG: it is not. */
static int prove(int fd, uint64_t size, const struct digest *digest,
		 uint64_t deadline_ns)
{
	struct hasher *hasher = hasher_new(digest->kind, size);
	struct digest found;
	int r;

	if (!hasher)
		return -ENOMEM;
	r = hash_rest(fd, size, deadline_ns, hasher);
	if (r < 0) {
		hasher_free(hasher);
		return r;
	}
	r = hasher_finish(hasher, &found);
	if (r < 0)
		return r;
	return digest_proves(&found, digest) ? 0 : -EBADMSG;
}

/* 0, -EBADMSG as prove() said before; -ENOENT: it was not asked. */
static int remembered(struct memo *memo, const char *key)
{
	auto_str struct str value;
	int r;

	str_init(&value, 16);
	r = memo_get(memo, key, &value, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	return value.len == 1 && value.bytes[0] == '1' ? 0 : -EBADMSG;
}

int download_find(const struct provider_env *env, const char *path,
		  uint64_t size, const struct digest *digest,
		  uint64_t deadline_ns, struct local_stamp *stamp)
{
	auto_free char *key = NULL;
	auto_close int fd = -1;
	int r;

	if (digest->kind == DIGEST_NONE)
		return -ENOENT;
	fd = local_open("/", path, stamp);
	if (fd < 0 || stamp->size != size)
		return fd == -ENOMEM ? fd : -ENOENT;
	key = memo_key(path, stamp, digest);
	if (!key)
		return -ENOMEM;
	r = remembered(env->memo, key);
	if (r == -ENOENT) {
		if (deadline_ns == DEADLINE_NOW)
			return -EINPROGRESS;
		r = prove(fd, size, digest, deadline_ns);
		if (r == 0 || r == -EBADMSG)
			memo_put(env->memo, key, r == 0 ? "1" : "0", 1);
		if (r == -EBADMSG)
			log_info("providers",
				 "%s: not used, its digest is wrong", path);
	}
	return r == 0 || r == -ENOMEM ? r : -ENOENT;
}
