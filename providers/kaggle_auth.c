/* SPDX-License-Identifier: MIT */
#include "providers/kaggle_auth.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "providers/url.h"

static const char *env_get(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

/* @name in @dir, else in ~/.kaggle; NULL in *@out: there is neither. */
static int config_path(const char *dir, const char *name, char **out)
{
	const char *home = env_get("HOME");

	*out = NULL;
	if (dir)
		*out = mem_printf("%s/%s", dir, name);
	else if (home)
		*out = mem_printf("%s/.kaggle/%s", home, name);
	else
		return 0;
	return *out ? 0 : -ENOMEM;
}

/* As RFC 4648; caller frees, after a wipe.  NULL: no memory. */
static char *base64_of(const char *text, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = mem_zalloc((len + 2) / 3 * 4 + 1), *at = out;

	for (size_t i = 0; out && i < len; i += 3) {
		uint32_t bits = 0;

		for (size_t j = i; j < i + 3; j++)
			bits = bits << 8 | (j < len ? (uint8_t)text[j] : 0);
		*at++ = digits[bits >> 18];
		*at++ = digits[bits >> 12 & 63];
		*at++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		*at++ = i + 2 < len ? digits[bits & 63] : '=';
	}
	return out;
}

static void secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static int basic_take(struct auth *auth, const char *user, const char *key)
{
	char *pair = mem_printf("%s:%s", user, key), *text = NULL;
	int r = pair ? log_hide(key) : -ENOMEM;

	if (r == 0 && (strchr(user, ':') || strlen(pair) > TOKEN_BYTES_MAX / 2))
		r = -EINVAL;
	if (r == 0) {
		text = base64_of(pair, strlen(pair));
		r = text ? auth_token_take(auth, text) : -ENOMEM;
	}
	auth->basic = auth->token != NULL;
	secret_free(pair);
	secret_free(text);
	return r;
}

static int basic_parse(struct auth *auth, const char *text)
{
	auto_json struct json_doc *doc = NULL;
	const char *user, *key;
	int r = json_parse(text, strlen(text), AUTH_FILE_BYTES, &doc);

	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	user = json_string(json_get(json_root(doc), "username"));
	key = json_string(json_get(json_root(doc), "key"));
	return user && *user && key && *key ? basic_take(auth, user, key)
					    : -EINVAL;
}

static int token_find(struct auth *auth)
{
	const char *token = env_get("KAGGLE_API_TOKEN");
	char text[AUTH_FILE_BYTES];
	auto_free char *path = NULL;
	int r;

	if (token)
		return auth_token_take(auth, token);
	r = config_path(NULL, "access_token", &path);
	if (r < 0 || !path)
		return r;
	r = auth_file_read(path, text);
	if (r == 0)
		r = auth_token_take(auth, text);
	explicit_bzero(text, sizeof(text));
	return r;
}

static int basic_find(struct auth *auth)
{
	const char *user = env_get("KAGGLE_USERNAME");
	const char *key = env_get("KAGGLE_KEY");
	char text[AUTH_FILE_BYTES];
	auto_free char *path = NULL;
	int r;

	if (user && key)
		return basic_take(auth, user, key);
	r = config_path(env_get("KAGGLE_CONFIG_DIR"), "kaggle.json", &path);
	if (r < 0 || !path)
		return r;
	r = auth_file_read(path, text);
	if (r == 0 && *text)
		r = basic_parse(auth, text);
	explicit_bzero(text, sizeof(text));
	return r;
}

int kaggle_auth_load(const char *endpoint, struct auth *auth)
{
	int r;

	*auth = (struct auth){ 0 };
	r = url_origin(endpoint, &auth->origin);
	if (r == 0)
		r = token_find(auth);
	if (r == 0 && !auth->token)
		r = basic_find(auth);
	if (r < 0)
		auth_release(auth);
	return r;
}
