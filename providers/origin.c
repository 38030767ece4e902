/* SPDX-License-Identifier: MIT */
#include "providers/origin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"
#include "providers/repo_files.h"
#include "providers/url.h"

#define HUGGINGFACE_HOST "huggingface.co"

static const char file_scheme[] = "file://";

const char *origin_file(const char *url)
{
	size_t len = sizeof(file_scheme) - 1;

	return strncmp(url, file_scheme, len) ? NULL : url + len;
}

const char *origin_folder(const char *endpoint)
{
	const char *path = origin_file(endpoint);

	if (path)
		return path;
	return endpoint[0] == '/' || endpoint[0] == '.' ? endpoint : NULL;
}

const char *origin_endpoint(const struct provider_env *env, const char *hub)
{
	return hub && env->endpoint ? env->endpoint(env->endpoint_arg, hub)
				    : NULL;
}

/* The endpoint in place of @host, or NULL; *@is_models: see folder_path(). */
static const char *endpoint_choose(const struct provider_env *env,
				   const char *hub, const char *host,
				   bool *is_models)
{
	const char *endpoint = origin_endpoint(env, hub);

	*is_models = false;
	if (!endpoint)
		endpoint = origin_endpoint(env, host);
	if (endpoint || strcmp(host, HUGGINGFACE_HOST) != 0)
		return endpoint;
	endpoint = origin_endpoint(env, "huggingface");
	*is_models = endpoint != NULL;
	if (!endpoint)
		endpoint = getenv("HF_ENDPOINT");
	return endpoint && *endpoint ? endpoint : NULL;
}

/* Percent-decoded, at most @len bytes of @text.  -EINVAL. */
static int append_decoded(struct str *out, const char *text, size_t len)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < len; i++) {
		char c = text[i];

		if (c == '%') {
			if (len - i < 3 || hex_decode(text + i + 1, 1, &c) < 0)
				return -EINVAL;
			i += 2;
		}
		r = c ? str_append_char(out, c) : -EINVAL;
	}
	return r;
}

/* <org>/<model>/resolve/<revision>/<path> without the two in the middle. */
static int drop_revision(struct str *path)
{
	static const char mark[] = "/resolve/";
	char *at = path->bytes ? strstr(path->bytes, mark) : NULL;
	const char *rest = at ? strchr(at + sizeof(mark) - 1, '/') : NULL;

	if (!rest)
		return -EINVAL;
	memmove(at, rest, strlen(rest) + 1);
	path->len = strlen(path->bytes);
	return 0;
}

/* A query names nothing in a folder. */
static int folder_url(const char *folder, const char *path, bool is_models,
		      char **out)
{
	auto_str struct str decoded;
	size_t len = strlen(folder);
	int r;

	str_init(&decoded, PATH_BYTES_MAX);
	r = append_decoded(&decoded, path, strcspn(path, "?#"));
	if (r == 0 && is_models)
		r = drop_revision(&decoded);
	if (r == -EFBIG ||
	    (r == 0 && !repo_path_ok(str_text(&decoded), decoded.len)))
		r = -EINVAL;
	if (r < 0)
		return r;
	while (len > 1 && folder[len - 1] == '/')
		len--;
	*out = mem_printf("%s%.*s/%s", file_scheme, (int)len, folder,
			  str_text(&decoded));
	return *out ? 0 : -ENOMEM;
}

static int mirror_url(const char *endpoint, const char *path, char **out)
{
	auto_free char *url = NULL;
	size_t len = strlen(endpoint);
	int r;

	while (len > 0 && endpoint[len - 1] == '/')
		len--;
	url = mem_printf("%.*s/%s", (int)len, endpoint, path);
	if (!url)
		return -ENOMEM;
	r = url_check(url);
	if (r == 0)
		*out = take_ptr(url);
	return r;
}

static int below_endpoint(const char *endpoint, const char *path,
			  bool is_models, char **out)
{
	const char *folder = origin_folder(endpoint);

	return folder ? folder_url(folder, path, is_models, out)
		      : mirror_url(endpoint, path, out);
}

int origin_url(const struct provider_env *env, const char *hub, const char *url,
	       char **out)
{
	auto_free char *origin = NULL;
	const char *endpoint, *path;
	bool is_models;
	int r;

	if (url[0] == '/') {
		endpoint = origin_endpoint(env, hub);
		return endpoint ? below_endpoint(endpoint, url + 1, false, out)
				: -EINVAL;
	}
	r = url_origin(url, &origin);
	if (r < 0)
		return r;
	endpoint = endpoint_choose(env, hub, strstr(origin, "://") + 3,
				   &is_models);
	if (!endpoint) {
		*out = mem_strdup(url);
		return *out ? 0 : -ENOMEM;
	}
	path = strchr(strstr(url, "://") + 3, '/');
	path = path ? path + 1 : "";
	return below_endpoint(endpoint, path, is_models, out);
}
