/* SPDX-License-Identifier: MIT */
#include "staging/external/external_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/external/conversion.h"
#include "staging/external/external_status.h"
#include "staging/stage_listing.h"
#include "staging/stage_repo.h"
#include "staging/stager.h"

#define VIEW "pytorch"
#define STATUS_NAME "staged.status"

void convertible_release(struct convertible *what)
{
	free(what->task);
	free(what->code);
	free(what->reason);
	free(what->detail);
	free(what->model_type);
	*what = (struct convertible){ 0 };
}

/* ---- which ---- */

/* "" of VIEW itself, "fill-mask" of VIEW/fill-mask; NULL: neither. */
static const char *task_of_dir(const char *dir)
{
	size_t len = strlen(VIEW);

	if (strncmp(dir, VIEW, len) != 0)
		return NULL;
	if (!dir[len])
		return dir + len;
	if (dir[len] != '/' || !dir[len + 1] || strchr(dir + len + 1, '/'))
		return NULL;
	return dir + len + 1;
}

/* Code, a missing configuration, missing weights: nothing makes up for it. */
static bool is_hopeless(const char *code)
{
	static const char *const codes[] = { "remote-code", "config",
					     "adapter" };

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

static int copy_text(const struct json *root, const char *key, char **out)
{
	const char *text = json_string(json_get(root, key));

	*out = text ? mem_strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static int take_refusal(const struct json *root, struct convertible *out)
{
	const char *state = json_string(json_get(root, "state"));
	int r;

	if (!state || strcmp(state, "refused") != 0)
		return -ENOENT;
	r = copy_text(root, "task", &out->task);
	r = r ?: copy_text(root, "code", &out->code);
	r = r ?: copy_text(root, "reason", &out->reason);
	r = r ?: copy_text(root, "detail", &out->detail);
	r = r ?: copy_text(root, "model_type", &out->model_type);
	if (r < 0)
		return r;
	if (!out->task || !out->code)
		return -ENOENT;
	out->never = is_hopeless(out->code);
	return 0;
}

/* What the staged.status in @listing refuses. */
static int read_status(const struct stage_listing *listing,
		       struct convertible *out)
{
	const struct stage_entry *entry = stage_listing_find(listing,
							     STATUS_NAME);
	auto_json struct json_doc *doc = NULL;
	auto_free char *bytes = NULL;
	int r;

	if (!entry || !entry->content || listing->moving)
		return -ENOENT;
	bytes = mem_alloc(entry->content->size + 1);
	if (!bytes)
		return -ENOMEM;
	r = content_copy(entry->content, 0, entry->content->size, bytes);
	if (r == 0)
		r = json_parse(bytes, entry->content->size,
			       STAGE_INFO_BYTES_MAX, &doc);
	return r ?: take_refusal(json_root(doc), out);
}

/*
 * The task that the weights were trained for, by how transformers names its
 * classes; names as the hub has them.  NULL: none that is known.
 */
static const char *task_of_class(const char *class)
{
	static const struct {
		const char *end, *task;
	} tasks[] = {
		{ "ForCausalLM", "text-generation" },
		{ "LMHeadModel", "text-generation" },
		{ "ForMaskedLM", "fill-mask" },
		{ "ForSequenceClassification", "text-classification" },
		{ "ForTokenClassification", "token-classification" },
		{ "ForQuestionAnswering", "question-answering" },
		{ "ForMultipleChoice", "multiple-choice" },
		{ "ForConditionalGeneration", "text2text-generation" },
		{ "ForImageClassification", "image-classification" },
		{ "ForSemanticSegmentation", "image-segmentation" },
		{ "ForObjectDetection", "object-detection" },
		{ "ForAudioClassification", "audio-classification" },
		{ "ForCTC", "automatic-speech-recognition" },
	};
	size_t len = strlen(class);

	for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
		size_t end = strlen(tasks[i].end);

		if (len > end && strcmp(class + len - end, tasks[i].end) == 0)
			return tasks[i].task;
	}
	return NULL;
}

/* *@task NULL: config.json names none.  Static. */
static int own_task(const struct stage_repo *repo, const char **task)
{
	auto_json struct json_doc *doc = NULL;
	const struct json *classes;
	const char *class;
	int r = stage_repo_json(repo, "config.json", &doc);

	*task = NULL;
	if (r == -ENOENT || r == -EBADMSG)
		return 0;
	if (r < 0)
		return r;
	classes = json_get(json_root(doc), "architectures");
	class = json_string(json_first(classes));
	*task = class ? task_of_class(class) : NULL;
	return 0;
}

/* @task below a base model that is refused. */
static int find_own_task(const struct stage_repo *repo, const char *task,
			 struct convertible *out)
{
	auto_stage_listing struct stage_listing base = { 0 };
	const char *own;
	int r = stage_list_native(repo, VIEW, &base);

	r = r ?: read_status(&base, out);
	r = r ?: own_task(repo, &own);
	if (r < 0)
		return r;
	if (!own || strcmp(own, task) != 0 || out->never)
		return -ENOENT;
	free(out->task);
	out->task = mem_strdup(task);
	return out->task ? 0 : -ENOMEM;
}

static int find_listed(const struct stage_repo *repo, const char *dir,
		       int listed, const struct stage_listing *listing,
		       struct convertible *out)
{
	const char *task = task_of_dir(dir);
	int r;

	if (!task)
		return -ENOENT;
	if (listed == 0) {
		r = read_status(listing, out);
		/* Of a variant (dl4j/) that is refused the model is staged. */
		if (r == 0 && *task && strcmp(task, out->task) != 0)
			return -ENOENT;
		return r;
	}
	return listed == -ENOENT && *task ? find_own_task(repo, task, out)
					  : listed;
}

int convertible_find(const struct stage_repo *repo, const char *dir,
		     struct convertible *out)
{
	auto_stage_listing struct stage_listing listing = { 0 };
	int r;

	if (!task_of_dir(dir))
		return -ENOENT;
	r = stage_list_native(repo, dir, &listing);
	return find_listed(repo, dir, r, &listing, out);
}

/* ---- what is shown of it ---- */

/* Neither kept nor going on: what could be done. */
static int add_offer(const struct stage_repo *repo,
		     const struct convertible *what, struct stage_listing *out)
{
	auto_convert_tool struct convert_tool *tool = NULL;
	auto_str struct str text;
	int r = converter_tool(repo->converter, repo->deadline_ns, false,
			       &tool);

	str_init(&text, STAGE_INFO_BYTES_MAX);
	r = r ?: status_of_offer(what, tool, &text);
	return r ?: stage_listing_add_passing(out, STATUS_NAME, &text);
}

static int add_conversion(const struct convertible *what,
			  struct conversion *conversion,
			  struct stage_listing *out)
{
	auto_str struct str text;
	int r;

	str_init(&text, STAGE_INFO_BYTES_MAX);
	r = status_of_conversion(what, conversion, &text);
	return r ?: stage_listing_add_passing(out, STATUS_NAME, &text);
}

static int add_state(const struct stage_repo *repo,
		     const struct convertible *what, struct stage_listing *out)
{
	auto_conversion struct conversion *conversion = NULL;
	struct conversion_key key;
	int r = conversion_key_of(repo, what->task, &key);

	if (r < 0)
		return r;
	conversion = converter_conversion(repo->converter, &key);
	if (conversion)
		return add_conversion(what, conversion, out);
	r = convert_result_list(repo->converter, repo, what->task, out);
	return r == -ENOENT ? add_offer(repo, what, out) : r;
}

/* Below the base model: the folder of the task it was trained for. */
static int add_own_task(const struct stage_repo *repo,
			struct stage_listing *out)
{
	const char *own;
	int r = own_task(repo, &own);

	if (r < 0 || !own || stage_listing_find(out, own))
		return r;
	return stage_listing_add_dir(out, own);
}

int external_list(const struct stage_repo *repo, const char *dir, int listed,
		  struct stage_listing *listing)
{
	auto_convertible struct convertible what = { 0 };
	int r = find_listed(repo, dir, listed, listing, &what);

	if (r == -ENOENT || (r == 0 && what.never))
		return listed;
	if (r < 0)
		return r;
	stage_listing_remove(listing, STATUS_NAME);
	r = add_state(repo, &what, listing);
	if (r == 0 && !*task_of_dir(dir))
		r = add_own_task(repo, listing);
	listing->passing = true;
	return r;
}
