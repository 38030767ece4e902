/* SPDX-License-Identifier: MIT */
#include "staging/keras/keras_configs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/gunzip.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"

#define MANIFEST "manifest.json"
#define FORMAT 1

void keras_config_release(struct keras_config *config)
{
	free(config->text);
	free(config->shapes_sha256);
	free(config->skeleton);
	free(config->when.otherwise);
	*config = (struct keras_config){ 0 };
}

static int bad_manifest(struct refusal *why, const char *what)
{
	return refuse(why, "keras-configs", what,
		      "the folder of Keras' graphs is damaged");
}

static int read_manifest(int dir_fd, struct json_doc **out, struct refusal *why)
{
	auto_json struct json_doc *doc = NULL;
	auto_str struct str text;
	uint64_t format = 0;
	int r;

	str_init(&text, CONFIG_BYTES_MAX);
	r = file_read_all(dir_fd, MANIFEST, &text);
	if (r == 0)
		r = json_parse(str_text(&text), text.len, CONFIG_BYTES_MAX,
			       &doc);
	if (r == -EBADMSG || r == -EFBIG)
		return bad_manifest(why, MANIFEST);
	if (r < 0)
		return r;
	if (!json_u64(json_get(json_root(doc), "format"), &format) ||
	    format != FORMAT)
		return bad_manifest(why, "format");
	*out = take_ptr(doc);
	return 0;
}

static bool is_sha256(const char *hex, uint8_t digest[SHA256_BYTES])
{
	return hex && strlen(hex) == 2 * SHA256_BYTES &&
	       hex_decode(hex, SHA256_BYTES, digest) == 0;
}

/* The text, which must be the one that the manifest was made for. */
static int read_text(int dir_fd, const char *file, const char *sha256_hex,
		     struct keras_config *out, struct refusal *why)
{
	uint8_t want[SHA256_BYTES], have[SHA256_BYTES];
	auto_str struct str packed, text;
	int r;

	str_init(&packed, KERAS_CONFIG_BYTES_MAX);
	str_init(&text, KERAS_CONFIG_BYTES_MAX);
	if (!file || strchr(file, '/') || !is_sha256(sha256_hex, want))
		return bad_manifest(why, file);
	r = file_read_all(dir_fd, file, &packed);
	if (r == 0)
		r = gunzip(str_text(&packed), packed.len, &text);
	if (r == 0)
		r = sha256(str_text(&text), text.len, have);
	if (r == -EBADMSG || r == -EFBIG || r == -ENOENT)
		return bad_manifest(why, file);
	if (r < 0)
		return r;
	if (text.len == 0 || memcmp(want, have, sizeof(want)) != 0)
		return bad_manifest(why, file);
	out->text = str_take(&text, &out->len);
	return 0;
}

static int copy_text(const struct json *value, char **out)
{
	const char *text = json_string(value);

	if (!text)
		return 0;
	*out = mem_strdup(text);
	return *out ? 0 : -ENOMEM;
}

static int read_condition(const struct json *when, struct keras_condition *out,
			  struct refusal *why)
{
	const struct json *item = json_first(json_get(when, "near"));

	if (!when)
		return 0;
	if (json_count(json_get(when, "near")) > KERAS_NEAR_MAX ||
	    !json_string(json_get(when, "else")) ||
	    !json_u64(json_get(when, "weight"), &out->weight))
		return bad_manifest(why, "when");
	for (; item; item = json_next(item))
		if (!json_double(item, &out->near[out->count++]))
			return bad_manifest(why, "when");
	return copy_text(json_get(when, "else"), &out->otherwise);
}

static int read_facts(const struct json *model, struct keras_config *out,
		      struct refusal *why)
{
	const char *slash = json_string(json_get(model, "slashes"));
	uint8_t digest[SHA256_BYTES];
	int r;

	if (!json_u64(json_get(model, "layers"), &out->layers) ||
	    !json_u64(json_get(model, "weights"), &out->weights) ||
	    !is_sha256(json_string(json_get(model, "shapes_sha256")), digest))
		return bad_manifest(why, "layers, weights, shapes_sha256");
	if (slash && (strlen(slash) != 1 || slash[0] == '/'))
		return bad_manifest(why, "slashes");
	out->slash = slash ? slash[0] : '\0';
	r = copy_text(json_get(model, "shapes_sha256"), &out->shapes_sha256);
	if (r == 0)
		r = read_condition(json_get(model, "when"), &out->when, why);
	if (r == 0)
		r = copy_text(json_get(model, "skeleton"), &out->skeleton);
	return r;
}

int keras_config_read(const char *dir, const char *model,
		      struct keras_config *out, struct refusal *why)
{
	auto_keras_config struct keras_config config = { 0 };
	auto_close int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_json struct json_doc *doc = NULL;
	const struct json *entry;
	const char *refused;
	int r;

	if (dir_fd < 0)
		return -errno;
	r = read_manifest(dir_fd, &doc, why);
	if (r < 0)
		return r;
	entry = json_get(json_get(json_root(doc), "models"), model);
	if (!entry)
		return refuse(why, "keras-unknown", model,
			      "there is no graph for these weights");
	refused = json_string(json_get(entry, "refused"));
	if (refused)
		return refuse(why, "keras-refused", model, "%s", refused);
	r = read_facts(entry, &config, why);
	if (r == 0)
		r = read_text(dir_fd, json_string(json_get(entry, "config")),
			      json_string(json_get(entry, "sha256")), &config,
			      why);
	if (r < 0)
		return r;
	*out = config;
	config = (struct keras_config){ 0 };
	return 0;
}

static int append_shape(struct str *to, const struct tensor *tensor)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < tensor->rank; i++)
		r = str_printf(to, "%s%" PRIu64, i == 0 ? "" : "x",
			       tensor->dims[i]);
	return r < 0 ? r : str_append_char(to, '\n');
}

int keras_config_check(const struct keras_config *config,
		       const struct weights *weights, struct refusal *why)
{
	char hex[2 * SHA256_BYTES + 1];
	uint8_t digest[SHA256_BYTES];
	auto_str struct str shapes;
	int r = 0;

	str_init(&shapes, KERAS_CONFIG_BYTES_MAX);
	if (weights->count != config->weights)
		return refuse(why, "weight-count", NULL,
			      "the file has %zu weights, the model %" PRIu64,
			      weights->count, config->weights);
	for (size_t i = 0; r == 0 && i < weights->count; i++)
		r = append_shape(&shapes, &weights->tensors[i]);
	if (r == 0)
		r = sha256(str_text(&shapes), shapes.len, digest);
	if (r < 0)
		return r;
	hex_encode(digest, sizeof(digest), hex);
	if (strcmp(hex, config->shapes_sha256) != 0)
		return refuse(why, "shape-mismatch", NULL,
			      "the shapes of the weights are not those of the "
			      "model");
	return 0;
}
