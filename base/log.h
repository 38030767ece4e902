/* SPDX-License-Identifier: MIT */
/*
 * base/log.h - one line for each thing worth knowing, secrets hidden.
 *
 * A line is: time, level, component, then the message; control bytes are
 * written \xNN.  Every secret registered with log_hide() is replaced by
 * "[hidden]" wherever its value would appear.  A line is formatted only if
 * its level is on.
 *
 *	log_warn("fetch", "gave up on %s: %s", host, strerror(-r));
 *
 * Threads: any; a line is written with one write(2).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/annot.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* Until called: warnings to file descriptor 2. */
void log_open(int fd, enum log_level level);
bool log_on(enum log_level level);

/* @secret is copied; shorter than 8 bytes is ignored.  -ENOMEM, -ENOSPC. */
int log_hide(const char *secret) MUST_CHECK;

void log_line(enum log_level level, const char *component, const char *format,
	      ...) PRINTF_LIKE(3, 4);

#define log_at(level, ...)                            \
	do {                                          \
		if (log_on(level))                    \
			log_line(level, __VA_ARGS__); \
	} while (0)
#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
