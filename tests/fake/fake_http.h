/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_http.h - an HTTP server that does what a test wants.
 *
 * One thread an accepted connection; each request goes to the test's
 * answer(), which writes whatever bytes it likes and may keep quiet.
 */
#ifndef TESTS_FAKE_FAKE_HTTP_H
#define TESTS_FAKE_FAKE_HTTP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/annot.h"

#define FAKE_REQUEST_BYTES 16384
#define FAKE_CONNECTIONS 128

struct fake_request {
	unsigned int nth; /* of the server's, from 0 */
	const char *text; /* all of its head */
	char path[4096];
	unsigned long long first, last; /* Range */
	bool ranged, token;
};

struct fake_http {
	/* Writes to @fd.  False: close the connection. */
	bool (*answer)(struct fake_http *fake, const struct fake_request *req,
		       int fd);
	void *arg; /* the test's */
	unsigned short port;
	atomic_uint requests;	 /* all */
	atomic_uint with_token;	 /* those with Authorization */
	atomic_uint connections; /* accepted */
	int listen_fd;
	pthread_t thread;
	pthread_t threads[FAKE_CONNECTIONS];
	int fds[FAKE_CONNECTIONS];
	unsigned int thread_count;
	atomic_bool stopping;
};

struct fake_connection {
	struct fake_http *fake;
	int fd;
};

static inline void fake_write(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

PRINTF_LIKE(2, 3)
static inline void fake_printf(int fd, const char *format, ...)
{
	char text[8192];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fake_write(fd, text, (size_t)len);
}

/* [first, last] of @bytes, as a good server gives it. */
static inline void fake_206(int fd, const void *bytes, size_t size,
			    unsigned long long first, unsigned long long last)
{
	fake_printf(fd,
		    "HTTP/1.1 206 Partial\r\nContent-Length: %llu\r\n"
		    "Content-Range: bytes %llu-%llu/%zu\r\n\r\n",
		    last - first + 1, first, last, size);
	fake_write(fd, (const char *)bytes + first, last - first + 1);
}

static inline void fake_redirect(int fd, const char *location)
{
	fake_printf(fd,
		    "HTTP/1.1 302 Found\r\nLocation: %s\r\n"
		    "Content-Length: 5\r\n\r\nmoved",
		    location);
}

static inline void fake_status(int fd, int status, const char *headers)
{
	fake_printf(fd, "HTTP/1.1 %d X\r\n%sContent-Length: 2\r\n\r\nno",
		    status, headers);
}

static inline bool fake_read(int fd, char *text)
{
	size_t len = 0;

	text[0] = '\0';
	while (!strstr(text, "\r\n\r\n")) {
		ssize_t n;

		if (len == FAKE_REQUEST_BYTES - 1)
			return false;
		n = recv(fd, text + len, FAKE_REQUEST_BYTES - 1 - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
		text[len] = '\0';
	}
	return true;
}

static inline void *fake_serve(void *arg)
{
	struct fake_connection *c = arg;
	struct fake_http *fake = c->fake;
	char text[FAKE_REQUEST_BYTES];
	int fd = c->fd;
	bool go = true;

	free(c);
	while (go && !fake->stopping && fake_read(fd, text)) {
		struct fake_request req = { .text = text };
		const char *range = strcasestr(text, "\r\nRange: bytes=");

		req.nth = atomic_fetch_add(&fake->requests, 1);
		req.token = strcasestr(text, "\r\nAuthorization:") != NULL;
		if (req.token)
			atomic_fetch_add(&fake->with_token, 1);
		sscanf(text, "GET %4095s", req.path);
		req.ranged = range && sscanf(range + 15, "%llu-%llu",
					     &req.first, &req.last) == 2;
		go = fake->answer(fake, &req, fd);
	}
	shutdown(fd, SHUT_RDWR);
	return NULL;
}

static inline void *fake_accept(void *arg)
{
	struct fake_http *fake = arg;

	while (fake->thread_count < FAKE_CONNECTIONS) {
		int fd = accept(fake->listen_fd, NULL, NULL);
		struct fake_connection *c;

		if (fd < 0 || fake->stopping) {
			if (fd >= 0)
				close(fd);
			break;
		}
		atomic_fetch_add(&fake->connections, 1);
		c = malloc(sizeof(*c));
		*c = (struct fake_connection){ fake, fd };
		fake->fds[fake->thread_count] = fd;
		pthread_create(&fake->threads[fake->thread_count++], NULL,
			       fake_serve, c);
	}
	return NULL;
}

/* On @port of loopback, 0: any.  False: it is taken. */
static inline bool fake_start(struct fake_http *fake, unsigned short port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int one = 1;

	fake->stopping = false;
	fake->thread_count = 0;
	fake->requests = fake->with_token = fake->connections = 0;
	fake->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fake->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one,
		   sizeof(one));
	if (bind(fake->listen_fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fake->listen_fd, 64) < 0 ||
	    getsockname(fake->listen_fd, (struct sockaddr *)&at, &len) < 0) {
		close(fake->listen_fd);
		return false;
	}
	fake->port = ntohs(at.sin_port);
	return pthread_create(&fake->thread, NULL, fake_accept, fake) == 0;
}

static inline void fake_stop(struct fake_http *fake)
{
	fake->stopping = true;
	shutdown(fake->listen_fd, SHUT_RDWR);
	pthread_join(fake->thread, NULL);
	for (unsigned int i = 0; i < fake->thread_count; i++) {
		shutdown(fake->fds[i], SHUT_RDWR);
		pthread_join(fake->threads[i], NULL);
		close(fake->fds[i]);
	}
	close(fake->listen_fd);
}

#endif
