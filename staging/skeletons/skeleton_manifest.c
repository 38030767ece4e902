/* SPDX-License-Identifier: MIT */
#include "staging/skeletons/skeleton_manifest.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"

#define FORMAT 1

int skeleton_manifest_parse(const void *bytes, size_t len,
			    struct json_doc **out)
{
	auto_json struct json_doc *doc = NULL;
	const struct json *root;
	uint64_t format;
	int r = json_parse(bytes, len, SKELETON_MANIFEST_MAX, &doc);

	if (r < 0)
		return r;
	root = json_root(doc);
	if (!json_u64(json_get(root, "format"), &format) || format != FORMAT ||
	    json_kind(json_get(root, "models")) != JSON_OBJECT)
		return -EBADMSG;
	*out = take_ptr(doc);
	return 0;
}

static int refuse_as(const struct json *entry, const char *name,
		     enum stage_form form, struct refusal *why)
{
	const char *reason = json_string(json_get(entry, "refused"));

	if (!reason)
		reason = "its manifest does not say why";
	if (form == STAGE_FORM_DL4J)
		return refuse(why, "unsupported-construct", name,
			      "%s has no dl4j form: %s", name, reason);
	return refuse(why, "unsupported-architecture", name,
		      "%s is not staged: %s", name, reason);
}

int skeleton_manifest_find(const struct json_doc *manifest, const char *name,
			   enum stage_form form, uint8_t sha[SHA256_BYTES],
			   struct refusal *why)
{
	const struct json *models = json_get(json_root(manifest), "models");
	const struct json *model = json_get(models, name), *entry;
	const char *hex;

	if (json_kind(model) != JSON_OBJECT)
		return -ENOENT;
	if (json_get(model, "refused"))
		return refuse_as(model, name, STAGE_FORM_PLAIN, why);
	entry = json_get(model, form == STAGE_FORM_DL4J ? "dl4j" : "plain");
	hex = json_string(entry);
	if (!hex)
		return refuse_as(entry, name, form, why);
	if (strlen(hex) != 2 * (size_t)SHA256_BYTES ||
	    hex_decode(hex, SHA256_BYTES, sha) < 0)
		return refuse(why, "skeleton", name,
			      "the manifest of the skeletons is malformed");
	return 0;
}
