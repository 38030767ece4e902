/* SPDX-License-Identifier: MIT */
#include "staging/deferred.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "staging/stage_listing.h"
#include "staging/stager.h"

/*
 * DF1  .made is NULL until a plan was made; then it is that content, for
 *      ever.  Two that make it at a time both make it; the first one stays.
 */
struct deferred {
	struct content content;
	struct stage_repo repo; /* its .arg is one reference */
	char *path;		/* owned */
	_Atomic(struct content *) made;
};

static struct deferred *deferred_of(const struct content *content)
{
	return container_of((struct content *)(uintptr_t)content,
			    struct deferred, content);
}

static int deferred_resolve(struct content *content, uint64_t off, uint64_t len,
			    struct extents *out)
{
	struct content *made = atomic_load(&deferred_of(content)->made);

	return made ? content_resolve(made, off, len, out) : -EAGAIN;
}

static int deferred_copy(struct content *content, uint64_t off, size_t len,
			 void *to)
{
	struct content *made = atomic_load(&deferred_of(content)->made);

	return made ? content_copy(made, off, len, to) : -EAGAIN;
}

static void deferred_free(struct content *content)
{
	struct deferred *deferred = deferred_of(content);

	content_unref(atomic_load(&deferred->made));
	if (deferred->repo.unref)
		deferred->repo.unref(deferred->repo.arg);
	free(deferred->path);
	free(deferred);
}

/* Makes the content anew; its size is not looked at. */
static int make(const struct deferred *deferred, uint64_t deadline_ns,
		struct content **out)
{
	struct stage_repo repo = deferred->repo;
	const struct stager *stager = stager_of(&repo);
	struct plan *plan;
	int r;

	repo.deadline_ns = deadline_ns;
	r = stager && stager->plan ? stager->plan(&repo, deferred->path, &plan)
				   : -EBADMSG;
	return r < 0 ? r : stage_plan_content(&repo, plan, out);
}

static int deferred_prepare(struct content *content, uint64_t deadline_ns)
{
	struct deferred *deferred = deferred_of(content);
	auto_content struct content *made = NULL;
	struct content *none = NULL;
	int r;

	if (atomic_load(&deferred->made))
		return 0;
	if (deadline_ns == DEADLINE_NOW)
		return -EINPROGRESS;
	r = make(deferred, deadline_ns, &made);
	if (r == 0 && made->size != content->size)
		r = -EBADMSG;
	if (r < 0) {
		log_warn("stage", "%s: %s cannot be staged after all",
			 deferred->repo.id, deferred->path);
		return r;
	}
	if (atomic_compare_exchange_strong(&deferred->made, &none, made))
		(void)take_ptr(made);
	return 0;
}

static const struct content_ops deferred_ops = {
	.resolve = deferred_resolve,
	.copy = deferred_copy,
	.free = deferred_free,
	.prepare = deferred_prepare,
};

int deferred_new(const struct stage_repo *repo, const char *path, uint64_t size,
		 struct content **out)
{
	struct deferred *deferred = mem_zalloc(sizeof(*deferred));

	if (!deferred)
		return -ENOMEM;
	deferred->path = mem_strdup(path);
	if (!deferred->path) {
		free(deferred);
		return -ENOMEM;
	}
	deferred->repo = *repo;
	if (repo->ref)
		deferred->repo.arg = repo->ref(repo->arg);
	content_init(&deferred->content, &deferred_ops, size);
	*out = &deferred->content;
	return 0;
}

const char *deferred_path(const struct content *content)
{
	return content->ops == &deferred_ops ? deferred_of(content)->path
					     : NULL;
}

const struct plan *deferred_plan(const struct content *content)
{
	struct content *made = NULL;

	if (content->ops == &deferred_ops)
		made = atomic_load(&deferred_of(content)->made);
	return made ? content_plan(made) : NULL;
}
