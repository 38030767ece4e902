/* SPDX-License-Identifier: MIT */
#include "base/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/mem.h"

void content_init(struct content *content, const struct content_ops *ops,
		  uint64_t size)
{
	content->ops = ops;
	atomic_init(&content->refs, 1);
	content->size = size;
}

struct content *content_ref(struct content *content)
{
	atomic_fetch_add(&content->refs, 1);
	return content;
}

void content_unref(struct content *content)
{
	if (content && atomic_fetch_sub(&content->refs, 1) == 1)
		content->ops->free(content);
}

static bool holds(const struct content *content, uint64_t off, uint64_t len)
{
	return off <= content->size && len <= content->size - off;
}

int content_resolve(struct content *content, uint64_t off, uint64_t len,
		    struct extents *out)
{
	return holds(content, off, len)
		       ? content->ops->resolve(content, off, len, out)
		       : -EINVAL;
}

int content_copy(struct content *content, uint64_t off, size_t len, void *to)
{
	return holds(content, off, len)
		       ? content->ops->copy(content, off, len, to)
		       : -EINVAL;
}

struct blob *content_blob(struct content *content)
{
	return content->ops->blob ? content->ops->blob(content) : NULL;
}

int content_prepare(struct content *content, uint64_t deadline_ns)
{
	return content->ops->prepare
		       ? content->ops->prepare(content, deadline_ns)
		       : 0;
}

struct blob_content {
	struct content content;
	struct blob *whole; /* one reference */
};

static struct blob *whole_of(struct content *content)
{
	return container_of(content, struct blob_content, content)->whole;
}

static int blob_content_resolve(struct content *content, uint64_t off,
				uint64_t len, struct extents *out)
{
	return extents_add(out, whole_of(content), off, len);
}

static int blob_content_copy(struct content *content, uint64_t off, size_t len,
			     void *to)
{
	return blob_read(whole_of(content), off, len, to);
}

static void blob_content_free(struct content *content)
{
	blob_unref(whole_of(content));
	free(container_of(content, struct blob_content, content));
}

int content_of_blob(struct blob *blob, struct content **out)
{
	static const struct content_ops ops = {
		.resolve = blob_content_resolve,
		.copy = blob_content_copy,
		.free = blob_content_free,
		.blob = whole_of,
	};
	struct blob_content *content = mem_zalloc(sizeof(*content));

	if (!content)
		return -ENOMEM;
	content_init(&content->content, &ops, blob->size);
	content->whole = blob_ref(blob);
	*out = &content->content;
	return 0;
}

struct bytes_content {
	struct content content;
	char *bytes; /* owned */
};

static struct bytes_content *bytes_of(struct content *content)
{
	return container_of(content, struct bytes_content, content);
}

/* Nothing to wait for: no extents. */
static int bytes_content_resolve(struct content *content, uint64_t off,
				 uint64_t len, struct extents *out)
{
	(void)content;
	(void)off;
	(void)len;
	(void)out;
	return 0;
}

static int bytes_content_copy(struct content *content, uint64_t off, size_t len,
			      void *to)
{
	if (len > 0)
		memcpy(to, bytes_of(content)->bytes + off, len);
	return 0;
}

static void bytes_content_free(struct content *content)
{
	free(bytes_of(content)->bytes);
	free(bytes_of(content));
}

int content_of_bytes(void *bytes, size_t len, struct content **out)
{
	static const struct content_ops ops = {
		.resolve = bytes_content_resolve,
		.copy = bytes_content_copy,
		.free = bytes_content_free,
	};
	struct bytes_content *content = mem_zalloc(sizeof(*content));

	if (!content) {
		free(bytes);
		return -ENOMEM;
	}
	content_init(&content->content, &ops, len);
	content->bytes = bytes;
	*out = &content->content;
	return 0;
}
