/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/mem.h"

#define HIDDEN "[hidden]"
#define SECRET_BYTES_MIN 8 /* shorter ones would hide ordinary words */

/* Room for the longest thing rendered at a time, the newline and a NUL. */
#define LINE_TAIL_BYTES (sizeof(HIDDEN) + 1)

static atomic_int log_fd = STDERR_FILENO;
static atomic_int log_level = LOG_LEVEL_WARN;

/* Only ever appended to: readers need no lock. */
static const char *secrets[LOG_SECRETS_MAX];
static atomic_size_t secret_count;
static struct lock secrets_lock = { PTHREAD_MUTEX_INITIALIZER };

void log_open(int fd, enum log_level level)
{
	atomic_store(&log_fd, fd);
	atomic_store(&log_level, (int)level);
}

bool log_on(enum log_level level)
{
	return (int)level <=
	       atomic_load_explicit(&log_level, memory_order_relaxed);
}

/* Bytes of the longest secret that @text starts with; 0: none. */
static size_t secret_at(const char *text)
{
	size_t count = atomic_load_explicit(&secret_count,
					    memory_order_acquire);
	size_t longest = 0;

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(secrets[i]);

		if (len > longest && strncmp(text, secrets[i], len) == 0)
			longest = len;
	}
	return longest;
}

static int add_secret_locked(const char *secret)
{
	size_t count = atomic_load(&secret_count);
	char *copy;

	if (secret_at(secret) == strlen(secret))
		return 0;
	if (count == LOG_SECRETS_MAX)
		return -ENOSPC;
	copy = mem_strdup(secret);
	if (!copy)
		return -ENOMEM;
	secrets[count] = copy;
	atomic_store_explicit(&secret_count, count + 1, memory_order_release);
	return 0;
}

int log_hide(const char *secret)
{
	size_t len = strlen(secret);
	int r;

	if (len < SECRET_BYTES_MIN)
		return 0;
	if (len > LOG_SECRET_BYTES_MAX)
		return -ENOSPC;
	lock_take(&secrets_lock);
	r = add_secret_locked(secret);
	lock_drop(&secrets_lock);
	return r;
}

/* Bytes of the character at @text if a terminal may see it; else 0. */
static size_t printable_at(const char *text)
{
	const uint8_t *b = (const uint8_t *)text;
	size_t step = utf8_step(text, strnlen(text, 4));

	if (step == 1)
		return b[0] >= 0x20 && b[0] != 0x7f;
	return step == 2 && b[0] == 0xc2 && b[1] < 0xa0 ? 0 : step;
}

/* Appends what stands for the start of @text; returns the bytes it was. */
static size_t render(const char *text, char *line, size_t *len)
{
	size_t step = secret_at(text);

	if (step > 0) {
		memcpy(line + *len, HIDDEN, strlen(HIDDEN));
		*len += strlen(HIDDEN);
		return step;
	}
	step = printable_at(text);
	if (step > 0) {
		memcpy(line + *len, text, step);
		*len += step;
		return step;
	}
	memcpy(line + *len, "\\x", 2);
	hex_encode(text, 1, line + *len + 2);
	*len += 4;
	return 1;
}

static size_t render_head(enum log_level level, const char *component,
			  char *line, size_t size)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	struct timespec now;
	struct tm utc;
	int len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	len = snprintf(line, size,
		       "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s %s: ",
		       utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
		       utc.tm_hour, utc.tm_min, utc.tm_sec,
		       now.tv_nsec / 1000000, names[level], component);
	return u64_min((uint64_t)len, size - 1);
}

/*
 * The message is formatted with room for one secret more than is rendered:
 * a cut never leaves the first part of a secret in the line.
 */
void log_line(enum log_level level, const char *component, const char *format,
	      ...)
{
	char text[LOG_MESSAGE_BYTES_MAX + LOG_SECRET_BYTES_MAX];
	char line[2 * LOG_MESSAGE_BYTES_MAX];
	int saved = errno;
	va_list args;
	size_t len;

	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	va_end(args);
	len = render_head(level, component, line, LOG_MESSAGE_BYTES_MAX);
	for (size_t at = 0; at < LOG_MESSAGE_BYTES_MAX && text[at] != '\0' &&
			    len + LINE_TAIL_BYTES < sizeof(line);)
		at += render(text + at, line, &len);
	line[len++] = '\n';
	if (write(atomic_load(&log_fd), line, len) < 0)
		errno = 0; /* there is nowhere left to say it */
	errno = saved;
}
