/* SPDX-License-Identifier: MIT */
#include "providers/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "providers/url.h"

/* Without space at its ends; printable ASCII, or no header could hold it. */
int auth_token_take(struct auth *auth, const char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	if (len == 0)
		return 0;
	if (len > TOKEN_BYTES_MAX)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return -EINVAL;
	auth->token = mem_strndup(text, len);
	if (!auth->token)
		return -ENOMEM;
	return log_hide(auth->token);
}

static int file_check(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (st.st_mode & 022) ||
	    (st.st_uid != geteuid() && st.st_uid != 0)) {
		log_error("auth", "%s: not a file that only you can change",
			  path);
		return -EPERM;
	}
	if (st.st_mode & 044)
		log_warn("auth", "%s: others can read this token", path);
	return 0;
}

int auth_file_read(const char *path, char *text)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t len;
	int r;

	text[0] = '\0';
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	r = file_check(fd, path);
	if (r < 0)
		return r;
	len = read(fd, text, AUTH_FILE_BYTES - 1);
	if (len < 0)
		return -errno;
	text[len] = '\0';
	return strlen(text) == (size_t)len ? 0 : -EINVAL;
}

/* 0 and no token: there is no such file. */
static int token_read(struct auth *auth, const char *path)
{
	char text[AUTH_FILE_BYTES];
	int r = auth_file_read(path, text);

	if (r == 0)
		r = auth_token_take(auth, text);
	explicit_bzero(text, sizeof(text));
	return r;
}

static const char *env_get(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

/* NULL in *@out: nowhere to look. */
static int token_path(char **out)
{
	const char *dir;

	*out = NULL;
	if ((dir = env_get("HF_TOKEN_PATH")))
		*out = mem_strdup(dir);
	else if ((dir = env_get("HF_HOME")))
		*out = mem_printf("%s/token", dir);
	else if ((dir = env_get("XDG_CACHE_HOME")))
		*out = mem_printf("%s/huggingface/token", dir);
	else if ((dir = env_get("HOME")))
		*out = mem_printf("%s/.cache/huggingface/token", dir);
	else
		return 0;
	return *out ? 0 : -ENOMEM;
}

static int token_find(struct auth *auth)
{
	const char *text = env_get("HF_TOKEN");
	auto_free char *path = NULL;
	int r;

	if (text)
		return auth_token_take(auth, text);
	r = token_path(&path);
	return r < 0 || !path ? r : token_read(auth, path);
}

int auth_load(const char *endpoint, struct auth *auth)
{
	int r;

	*auth = (struct auth){ 0 };
	r = url_origin(endpoint, &auth->origin);
	if (r == 0)
		r = token_find(auth);
	if (r < 0)
		auth_release(auth);
	return r;
}

int auth_who(const struct auth *auth, char *who)
{
	uint8_t hash[SHA256_BYTES];
	char *text;
	int r;

	if (!auth->token) {
		memcpy(who, "anon", sizeof("anon"));
		return 0;
	}
	text = mem_printf("omnihub%s", auth->token);
	if (!text)
		return -ENOMEM;
	r = sha256(text, strlen(text), hash);
	if (r == 0)
		hex_encode(hash, (AUTH_WHO_BYTES - 1) / 2, who);
	explicit_bzero(text, strlen(text));
	free(text);
	return r;
}

void auth_release(struct auth *auth)
{
	if (auth->token)
		explicit_bzero(auth->token, strlen(auth->token));
	free(take_ptr(auth->token));
	free(take_ptr(auth->origin));
}
