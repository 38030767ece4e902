/* SPDX-License-Identifier: MIT */
#include "base/blob.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/mem.h"

void blob_init(struct blob *blob, const struct blob_ops *ops, uint64_t size,
	       const struct content_key *key, const struct digest *digest)
{
	blob->ops = ops;
	atomic_init(&blob->refs, 1);
	blob->size = size;
	blob->key = *key;
	blob->digest = *digest;
}

struct blob *blob_ref(struct blob *blob)
{
	atomic_fetch_add(&blob->refs, 1);
	return blob;
}

void blob_unref(struct blob *blob)
{
	if (blob && atomic_fetch_sub(&blob->refs, 1) == 1)
		blob->ops->free(blob);
}

static bool holds(const struct blob *blob, uint64_t off, size_t len)
{
	return off <= blob->size && len <= blob->size - off;
}

int blob_read(struct blob *blob, uint64_t off, size_t len, void *to)
{
	return holds(blob, off, len) ? blob->ops->read(blob, off, len, to)
				     : -EINVAL;
}

int blob_fetch(struct blob *blob, uint64_t off, size_t len, void *to,
	       uint64_t deadline_ns)
{
	return holds(blob, off, len)
		       ? blob->ops->fetch(blob, off, len, to, deadline_ns)
		       : -EINVAL;
}

struct file_blob {
	struct blob blob;
	int fd;		       /* owned */
	struct timespec mtime; /* fixed */
};

static struct file_blob *file_of(struct blob *blob)
{
	return container_of(blob, struct file_blob, blob);
}

/* -ESTALE: someone wrote to the file, so it is no longer the blob. */
static int file_check(const struct file_blob *file)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size != file->blob.size ||
	    st.st_mtim.tv_sec != file->mtime.tv_sec ||
	    st.st_mtim.tv_nsec != file->mtime.tv_nsec)
		return -ESTALE;
	return 0;
}

static int file_blob_read(struct blob *blob, uint64_t off, size_t len, void *to)
{
	struct file_blob *file = file_of(blob);
	int r = file_pread(file->fd, off, len, to);

	return r == 0 || r == -EIO ? file_check(file) ?: r : r;
}

static int file_blob_fetch(struct blob *blob, uint64_t off, size_t len,
			   void *to, uint64_t deadline_ns)
{
	(void)deadline_ns;
	return file_blob_read(blob, off, len, to);
}

static void file_blob_free(struct blob *blob)
{
	struct file_blob *file = file_of(blob);

	close(file->fd);
	free(file);
}

static const struct blob_ops file_blob_ops = {
	.read = file_blob_read,
	.fetch = file_blob_fetch,
	.free = file_blob_free,
};

/* The file as it is now, on this machine. */
static int file_key(const struct stat *st, const struct digest *digest,
		    struct content_key *out)
{
	char pin[160];

	snprintf(pin, sizeof(pin), "file:%ju:%ju:%jd.%09ld:%jd",
		 (uintmax_t)st->st_dev, (uintmax_t)st->st_ino,
		 (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		 (intmax_t)st->st_size);
	return content_key_make(digest, pin, out);
}

int blob_open_file(const char *path, struct blob **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : blob_of_fd(fd, NULL, NULL, out);
}

int blob_of_fd(int fd, const struct content_key *key,
	       const struct digest *digest, struct blob **out)
{
	static const struct digest none = { .kind = DIGEST_NONE };
	auto_close int owned = fd;
	struct content_key made;
	struct file_blob *file;
	struct stat st;
	int r;

	digest = digest ? digest : &none;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	r = key ? 0 : file_key(&st, digest, &made);
	if (r < 0)
		return r;
	file = mem_zalloc(sizeof(*file));
	if (!file)
		return -ENOMEM;
	blob_init(&file->blob, &file_blob_ops, (uint64_t)st.st_size,
		  key ? key : &made, digest);
	file->fd = take_fd(owned);
	file->mtime = st.st_mtim;
	*out = &file->blob;
	return 0;
}

struct bytes_blob {
	struct blob blob;
	char *bytes; /* owned */
};

static struct bytes_blob *bytes_of(struct blob *blob)
{
	return container_of(blob, struct bytes_blob, blob);
}

static int bytes_blob_read(struct blob *blob, uint64_t off, size_t len,
			   void *to)
{
	if (len > 0)
		memcpy(to, bytes_of(blob)->bytes + off, len);
	return 0;
}

static int bytes_blob_fetch(struct blob *blob, uint64_t off, size_t len,
			    void *to, uint64_t deadline_ns)
{
	(void)deadline_ns;
	return bytes_blob_read(blob, off, len, to);
}

static void bytes_blob_free(struct blob *blob)
{
	struct bytes_blob *bytes = bytes_of(blob);

	free(bytes->bytes);
	free(bytes);
}

static const struct blob_ops bytes_blob_ops = {
	.read = bytes_blob_read,
	.fetch = bytes_blob_fetch,
	.free = bytes_blob_free,
};

int blob_of_bytes(void *bytes, size_t len, struct blob **out)
{
	auto_free char *owned = bytes;
	struct digest digest = { .kind = DIGEST_SHA256 };
	struct content_key key;
	struct bytes_blob *blob;
	int r = sha256(bytes, len, digest.bytes);

	if (r == 0)
		r = content_key_make(&digest, NULL, &key);
	if (r < 0)
		return r;
	blob = mem_zalloc(sizeof(*blob));
	if (!blob)
		return -ENOMEM;
	blob_init(&blob->blob, &bytes_blob_ops, len, &key, &digest);
	blob->bytes = take_ptr(owned);
	*out = &blob->blob;
	return 0;
}
