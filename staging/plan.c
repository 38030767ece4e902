/* SPDX-License-Identifier: MIT */
#include "staging/plan.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/segment.h"

int plan_new(struct plan **out)
{
	struct plan *plan = mem_zalloc(sizeof(*plan));

	if (!plan)
		return -ENOMEM;
	*out = plan;
	return 0;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->source_count; i++)
		free(plan->sources[i].path);
	free(plan->sources);
	free(plan->segments);
	free(plan->bytes);
	free(plan);
}

/* Arrays have room for the power of two at or above their count. */
static size_t room_for(size_t count)
{
	size_t room = 16;

	while (room < count)
		room *= 2;
	return room;
}

static int grow(void *array_ptr, size_t count, size_t added, size_t size)
{
	void **array = array_ptr;
	void *bigger;

	if (*array && room_for(count) >= count + added)
		return 0;
	bigger = mem_resize(*array, room_for(count + added), size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	return 0;
}

int plan_add_source(struct plan *plan, const char *path, uint64_t size,
		    uint32_t *number)
{
	struct plan_source *source;
	int r;

	for (size_t i = 0; i < plan->source_count; i++) {
		if (strcmp(plan->sources[i].path, path) != 0)
			continue;
		*number = (uint32_t)i;
		return plan->sources[i].size == size ? 0 : -EINVAL;
	}
	if (plan->source_count >= WEIGHT_FILES_MAX)
		return -EFBIG;
	r = grow(&plan->sources, plan->source_count, 1, sizeof(*source));
	if (r < 0)
		return r;
	source = &plan->sources[plan->source_count];
	source->path = mem_strdup(path);
	source->size = size;
	if (!source->path)
		return -ENOMEM;
	*number = (uint32_t)plan->source_count++;
	return 0;
}

/* Whether @next only goes on where @last ends. */
static bool continues(const struct segment *last, const struct segment *next)
{
	if (last->kind != next->kind)
		return false;
	if (last->kind == SEGMENT_ZERO || last->kind == SEGMENT_BYTES)
		return true;
	return last->source == next->source &&
	       last->src + segment_src_len(last) == next->src;
}

/* @next.out is set here. */
static int add_segment(struct plan *plan, struct segment next)
{
	struct segment *last = NULL;
	uint64_t size;
	int r;

	if (plan->segment_count > 0)
		last = &plan->segments[plan->segment_count - 1];
	if (!u64_add(plan->size, next.len, &size) || size > STAGED_BYTES_MAX)
		return -EFBIG;
	if (last && continues(last, &next)) {
		last->len += next.len;
		plan->size = size;
		return 0;
	}
	if (plan->segment_count >= PLAN_SEGMENTS_MAX)
		return -EFBIG;
	r = grow(&plan->segments, plan->segment_count, 1, sizeof(next));
	if (r < 0)
		return r;
	next.out = plan->size;
	plan->segments[plan->segment_count++] = next;
	plan->size = size;
	return 0;
}

int plan_add_bytes(struct plan *plan, const void *bytes, size_t len)
{
	struct segment next = {
		.kind = SEGMENT_BYTES,
		.src = plan->byte_count,
		.len = len,
	};
	int r;

	if (len == 0)
		return 0;
	if (len > PLAN_BYTES_MAX - plan->byte_count)
		return -EFBIG;
	r = grow(&plan->bytes, plan->byte_count, len, 1);
	if (r < 0)
		return r;
	r = add_segment(plan, next);
	if (r < 0)
		return r;
	memcpy(plan->bytes + plan->byte_count, bytes, len);
	plan->byte_count += len;
	return 0;
}

int plan_add_zeros(struct plan *plan, uint64_t len)
{
	if (len == 0)
		return 0;
	return add_segment(plan, (struct segment){ .kind = SEGMENT_ZERO,
						   .len = len });
}

int plan_add_range(struct plan *plan, enum segment_kind kind, uint32_t source,
		   uint64_t src, uint64_t len)
{
	uint64_t scale = segment_scale(kind);
	struct segment next = {
		.kind = kind,
		.source = source,
		.src = src,
	};

	assert(segment_reads_source(kind));
	if (len == 0)
		return 0;
	if (!u64_mul(len, scale, &next.len))
		return -EFBIG;
	return add_segment(plan, next);
}

static int segment_check(const struct plan *plan, const struct segment *segment)
{
	uint64_t end, have = plan->byte_count;

	if (segment->len == 0)
		return -EBADMSG;
	if (segment->kind == SEGMENT_ZERO)
		return 0;
	if (segment_reads_source(segment->kind)) {
		if (segment->source >= plan->source_count)
			return -EBADMSG;
		have = plan->sources[segment->source].size;
	} else if (segment->kind != SEGMENT_BYTES) {
		return -EBADMSG;
	}
	if (segment_scale(segment->kind) == 2 && segment->len % 4 != 0)
		return -EBADMSG;
	if (!u64_add(segment->src, segment_src_len(segment), &end) ||
	    end > have)
		return -EBADMSG;
	return 0;
}

static int plan_check(const struct plan *plan)
{
	uint64_t at = 0;

	for (size_t i = 0; i < plan->segment_count; i++) {
		const struct segment *segment = &plan->segments[i];

		if (segment->out != at || segment_check(plan, segment) < 0)
			return -EBADMSG;
		at += segment->len;
	}
	return at == plan->size ? 0 : -EBADMSG;
}

int plan_finish(struct plan *plan)
{
	auto_str struct str text;
	uint8_t sum[SHA256_BYTES];
	int r = plan_check(plan);

	str_init(&text, PLAN_ENCODED_MAX);
	if (r < 0)
		return r;
	r = plan_encode(plan, &text);
	if (r < 0)
		return r;
	r = sha256(text.bytes, text.len, sum);
	if (r < 0)
		return r;
	hex_encode(sum, sizeof(sum), plan->digest);
	return 0;
}

const struct segment *plan_find(const struct plan *plan, uint64_t off)
{
	size_t low = 0, high = plan->segment_count;

	if (off >= plan->size)
		return NULL;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (plan->segments[middle].out <= off)
			low = middle;
		else
			high = middle;
	}
	return &plan->segments[low];
}
