/* SPDX-License-Identifier: MIT */
#include "providers/kaggle_hub.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "providers/repo_facts.h"

/* ---- names ---- */

char *kaggle_handle_text(const struct kaggle_name *name)
{
	return mem_printf("%s/%s/%s/%s%s%s", name->owner, name->model,
			  name->framework, name->variation,
			  name->version ? "/" : "",
			  name->version ? name->version : "");
}

char *kaggle_variation_text(struct kaggle_hub *hub,
			    const struct kaggle_name *name)
{
	const char *plain;
	int r = kaggle_plain_framework(hub, name, false, DEADLINE_NOW, &plain);

	if (r == 0 && !strcmp(plain, name->framework))
		return mem_strdup(name->variation);
	return mem_printf("%s@%s", name->variation, name->framework);
}

/* ---- variations ---- */

static int ask_instances(struct kaggle_hub *hub, const char *name,
			 uint64_t deadline_ns, struct str *answer)
{
	auto_kaggle_instances struct kaggle_instances found = { 0 };
	auto_free char *path = mem_printf("models/%s/get", name);
	auto_str struct str body;
	int r;

	str_init(&body, HUB_JSON_BYTES_MAX);
	if (!path)
		return -ENOMEM;
	r = kaggle_get(hub, path, deadline_ns, &body);
	if (r == 0)
		r = kaggle_instances_parse(str_text(&body), body.len, &found);
	if (r == 0 && found.count == 0)
		r = -ENOENT;
	return r < 0 ? r : kaggle_instances_encode(&found, answer);
}

int kaggle_instances_get(struct kaggle_hub *hub, const char *name,
			 uint64_t deadline_ns, struct kaggle_instances *out)
{
	const struct kaggle_question question = {
		.kind = "model",
		.name = name,
		.ttl_s = hub->provider.ttl_s,
		.ask = ask_instances,
	};
	auto_str struct str answer;
	int r;

	*out = (struct kaggle_instances){ 0 };
	str_init(&answer, HUB_JSON_BYTES_MAX);
	r = kaggle_know(hub, &question, deadline_ns, &answer);
	if (r == 0)
		r = kaggle_instances_parse(str_text(&answer), answer.len, out);
	return r == -EBADMSG || r == -EFBIG ? -EIO : r;
}

/* ---- which framework a plain name means ---- */

static const char *framework_of_table(const struct kaggle_hub *hub,
				      const struct kaggle_name *name)
{
	for (size_t i = 0; i < hub->table_count; i++) {
		const struct kaggle_name *row = &hub->table[i];

		if (!strcmp(row->owner, name->owner) &&
		    !strcmp(row->model, name->model) &&
		    !strcmp(row->variation, name->variation))
			return row->framework;
	}
	return NULL;
}

static int framework_asked(struct kaggle_hub *hub,
			   const struct kaggle_name *name, uint64_t deadline_ns,
			   const char **out)
{
	static const char *const order[] = { "tensorFlow2", "tensorFlow1" };
	auto_kaggle_instances struct kaggle_instances found = { 0 };
	auto_free char *model = mem_printf("%s/%s", name->owner, name->model);
	int r;

	if (!model)
		return -ENOMEM;
	r = kaggle_instances_get(hub, model, deadline_ns, &found);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(order); i++) {
		*out = order[i];
		if (kaggle_instance_find(&found, *out, name->variation))
			return 0;
	}
	return r < 0 ? r : -ENOENT;
}

int kaggle_plain_framework(struct kaggle_hub *hub,
			   const struct kaggle_name *name, bool ask,
			   uint64_t deadline_ns, const char **out)
{
	auto_free char *key = mem_printf("%s/%s/%s", name->owner, name->model,
					 name->variation);
	auto_str struct str known;
	int r;

	str_init(&known, NAME_BYTES_MAX);
	if (!key)
		return -ENOMEM;
	*out = framework_of_table(hub, name);
	if (*out)
		return 0;
	r = kaggle_recall(hub, "plain", key, &known);
	*out = r == 0 ? kaggle_framework(known.bytes, known.len) : NULL;
	if (*out || r == -ENOMEM)
		return r;
	if (!ask)
		return -ENOENT;
	r = framework_asked(hub, name, deadline_ns, out);
	if (r == 0)
		kaggle_remember(hub, "plain", key, *out, strlen(*out));
	return r;
}

/* ---- facts ---- */

/* What was asked before, of the variation alone or of its model. */
static int recall(struct kaggle_hub *hub, const char *key,
		  const struct kaggle_name *name,
		  struct kaggle_instances *found,
		  const struct kaggle_instance **out)
{
	auto_str struct str answer;
	int r;

	str_init(&answer, HUB_JSON_BYTES_MAX);
	r = kaggle_recall(hub, "model", key, &answer);
	if (r == 0)
		r = kaggle_instances_parse(str_text(&answer), answer.len,
					   found);
	*out = kaggle_instance_find(found, name->framework, name->variation);
	return r == -ENOMEM ? r : 0;
}

/* The page and the licence are the repository's own fields. */
static void put_facts(const struct kaggle_name *name, const char *handle,
		      const struct kaggle_instance *instance,
		      struct repo_facts *facts)
{
	repo_facts_text(facts, "hub", "tensorflow");
	repo_facts_text(facts, "handle", handle);
	repo_facts_text(facts, "publisher", name->owner);
	repo_facts_text(facts, "model", name->model);
	repo_facts_text(facts, "framework", name->framework);
	repo_facts_text(facts, "variation", name->variation);
	repo_facts_number(facts, "version", name->version);
	if (instance && instance->has_fine_tunable)
		repo_facts_flag(facts, "fine_tunable", instance->fine_tunable);
}

int kaggle_facts(struct kaggle_hub *hub, const struct kaggle_name *name,
		 struct repo *repo)
{
	auto_kaggle_instances struct kaggle_instances one = { 0 }, all = { 0 };
	auto_free char *model = mem_printf("%s/%s", name->owner, name->model);
	auto_free char *handle = kaggle_handle_text(name);
	auto_free char *key = NULL;
	auto_repo_facts struct repo_facts facts;
	const struct kaggle_instance *instance;
	int r;

	repo_facts_init(&facts);
	if (!model || !handle)
		return -ENOMEM;
	key = mem_strndup(handle, (size_t)(strrchr(handle, '/') - handle));
	r = key ? recall(hub, key, name, &one, &instance) : -ENOMEM;
	if (r == 0 && !instance)
		r = recall(hub, model, name, &all, &instance);
	if (r < 0)
		return r;
	if (instance && instance->licence) {
		repo->licence = mem_strdup(instance->licence);
		if (!repo->licence)
			return -ENOMEM;
	}
	put_facts(name, handle, instance, &facts);
	return repo_facts_take(&facts, &repo->facts);
}
