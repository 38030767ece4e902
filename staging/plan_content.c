/* SPDX-License-Identifier: MIT */
#include "staging/plan.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "staging/segment.h"

/* Source bytes widened at a time; on the stack. */
#define WIDEN_BYTES 16384

struct plan_content {
	struct content content;
	struct plan *plan;   /* owned */
	struct blob **blobs; /* a reference each, one for each source */
};

static struct plan_content *plan_content_of(struct content *content)
{
	return container_of(content, struct plan_content, content);
}

/* The part of @segment in [off, end): from its start, and how long. */
static uint64_t part_of(const struct segment *segment, uint64_t off,
			uint64_t end, uint64_t *len)
{
	uint64_t skip = off - segment->out;

	*len = u64_min(end - off, segment->len - skip);
	return skip;
}

static int plan_resolve(struct content *content, uint64_t off, uint64_t len,
			struct extents *out)
{
	struct plan_content *self = plan_content_of(content);
	const struct segment *segment = plan_find(self->plan, off);
	uint64_t end = off + len, skip, part, src, src_len;
	int r = 0;

	for (; off < end && r == 0; off += part, segment++) {
		skip = part_of(segment, off, end, &part);
		if (!segment_reads_source(segment->kind))
			continue;
		segment_src_range(segment, skip, part, &src, &src_len);
		r = extents_add(out, self->blobs[segment->source], src,
				src_len);
	}
	return r;
}

static int copy_widened(struct blob *blob, const struct segment *segment,
			uint64_t skip, uint64_t len, uint8_t *to)
{
	uint8_t from[WIDEN_BYTES];
	uint64_t src, src_len, part;
	int r;

	for (; len > 0; skip += part, len -= part, to += part) {
		part = u64_min(len, 2 * WIDEN_BYTES - skip % 4);
		segment_src_range(segment, skip, part, &src, &src_len);
		r = blob_read(blob, src, src_len, from);
		if (r < 0)
			return r;
		segment_widen(segment->kind, from, skip % 4, part, to);
	}
	return 0;
}

static int copy_part(struct plan_content *self, const struct segment *segment,
		     uint64_t skip, uint64_t len, uint8_t *to)
{
	switch (segment->kind) {
	case SEGMENT_BYTES:
		memcpy(to, self->plan->bytes + segment->src + skip, len);
		return 0;
	case SEGMENT_ZERO:
		memset(to, 0, len);
		return 0;
	case SEGMENT_COPY:
		return blob_read(self->blobs[segment->source],
				 segment->src + skip, len, to);
	default:
		return copy_widened(self->blobs[segment->source], segment, skip,
				    len, to);
	}
}

static int plan_copy(struct content *content, uint64_t off, size_t len,
		     void *to)
{
	struct plan_content *self = plan_content_of(content);
	const struct segment *segment = plan_find(self->plan, off);
	uint64_t end = off + len, skip, part;
	uint8_t *at = to;
	int r = 0;

	for (; off < end && r == 0; off += part, at += part, segment++) {
		skip = part_of(segment, off, end, &part);
		r = copy_part(self, segment, skip, part, at);
	}
	return r;
}

static void plan_content_free(struct content *content)
{
	struct plan_content *self = plan_content_of(content);

	for (size_t i = 0; i < self->plan->source_count; i++)
		blob_unref(self->blobs[i]);
	free(self->blobs);
	plan_free(self->plan);
	free(self);
}

static const struct content_ops plan_content_ops = {
	.resolve = plan_resolve,
	.copy = plan_copy,
	.free = plan_content_free,
};

int plan_content(struct plan *handed, struct blob *const *blobs,
		 struct content **out)
{
	auto_plan struct plan *plan = handed;
	auto_free struct plan_content *self = mem_zalloc(sizeof(*self));
	struct content *content;

	if (!self)
		return -ENOMEM;
	for (size_t i = 0; i < plan->source_count; i++)
		if (blobs[i]->size != plan->sources[i].size)
			return -ESTALE;
	self->blobs = mem_array(plan->source_count + 1, sizeof(*blobs));
	if (!self->blobs)
		return -ENOMEM;
	for (size_t i = 0; i < plan->source_count; i++)
		self->blobs[i] = blob_ref(blobs[i]);
	content = &self->content;
	content_init(content, &plan_content_ops, plan->size);
	self->plan = take_ptr(plan);
	self = NULL;
	*out = content;
	return 0;
}

const struct plan *content_plan(const struct content *content)
{
	if (content->ops != &plan_content_ops)
		return NULL;
	return container_of(content, struct plan_content, content)->plan;
}
