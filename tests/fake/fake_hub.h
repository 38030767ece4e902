/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_hub.h - an HTTP server of a few fixed answers, in a
 * thread, for tests of what is asked and how often.
 *
 * "{base}" in headers and bodies is the server's own URL, "{other}" the
 * same server as another origin.  A target that no route has is answered
 * 404 with X-Error-Code: RepoNotFound.
 */
#ifndef TESTS_FAKE_FAKE_HUB_H
#define TESTS_FAKE_FAKE_HUB_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/str.h"

#define FAKE_HUB_REQUEST_MAX 8192

struct fake_route {
	const char *target; /* path and query, as sent */
	int status;
	const char *headers; /* "Name: value\r\n" each, or NULL */
	const char *body;
	const char *token; /* NULL, or who else gets a bare 401 */
};

struct fake_hub {
	const struct fake_route *_Atomic routes; /* ended by a NULL target */
	atomic_uint requests;
	atomic_uint delay_ms; /* before each answer */
	char base[64];	      /* "http://127.0.0.1:port" */
	char other[64];	      /* "http://localhost:port" */
	int listener;
	pthread_t thread;
};

/* Appends @text with "{base}" and "{other}" replaced. */
static inline int fake_hub_expand(const struct fake_hub *hub, const char *text,
				  struct str *out)
{
	const char *at;
	int r = 0;

	while (r == 0 && (at = strchr(text, '{'))) {
		r = str_append(out, text, (size_t)(at - text));
		text = at;
		if (r == 0 && !strncmp(at, "{base}", 6)) {
			r = str_append_text(out, hub->base);
			text += 6;
		} else if (r == 0 && !strncmp(at, "{other}", 7)) {
			r = str_append_text(out, hub->other);
			text += 7;
		} else if (r == 0) {
			r = str_append_char(out, *text++);
		}
	}
	return r < 0 ? r : str_append_text(out, text);
}

/* The whole head of a request, or an empty text. */
static inline void fake_hub_read(int fd, char *request)
{
	size_t len = 0;

	request[0] = '\0';
	while (!strstr(request, "\r\n\r\n")) {
		ssize_t got = read(fd, request + len,
				   FAKE_HUB_REQUEST_MAX - 1 - len);

		if (got <= 0) {
			request[0] = '\0';
			return;
		}
		len += (size_t)got;
		request[len] = '\0';
	}
}

static inline const struct fake_route *fake_hub_route(
	const struct fake_hub *hub, const char *request)
{
	static const struct fake_route unknown = {
		"", 404, "X-Error-Code: RepoNotFound\r\n", "{}", NULL
	};
	static const struct fake_route refused = { "", 401, NULL, "{}", NULL };
	size_t len = strcspn(request + 4, " ");

	for (const struct fake_route *route = hub->routes; route->target;
	     route++) {
		if (strlen(route->target) != len ||
		    memcmp(route->target, request + 4, len) != 0)
			continue;
		if (route->token && !strstr(request, route->token))
			return &refused;
		return route;
	}
	return &unknown;
}

static inline void fake_hub_answer(struct fake_hub *hub, int fd)
{
	char request[FAKE_HUB_REQUEST_MAX];
	const struct fake_route *route;
	auto_str struct str body, answer;
	int r;

	str_init(&body, 1 << 20);
	str_init(&answer, 1 << 20);
	fake_hub_read(fd, request);
	if (strncmp(request, "GET ", 4) != 0)
		return;
	hub->requests++;
	usleep(hub->delay_ms * 1000);
	route = fake_hub_route(hub, request);
	r = fake_hub_expand(hub, route->body ? route->body : "", &body);
	if (r == 0)
		r = str_printf(&answer,
			       "HTTP/1.1 %d Fake\r\nConnection: close\r\n"
			       "Content-Type: application/json\r\n"
			       "Content-Length: %zu\r\n",
			       route->status, body.len);
	if (r == 0)
		r = fake_hub_expand(hub, route->headers ? route->headers : "",
				    &answer);
	if (r == 0)
		r = str_append_text(&answer, "\r\n");
	if (r == 0)
		r = str_append_text(&answer, str_text(&body));
	if (r == 0 && write(fd, answer.bytes, answer.len) < 0)
		perror("fake hub");
}

static inline void *fake_hub_run(void *arg)
{
	struct fake_hub *hub = arg;
	struct timeval patience = { .tv_sec = 2 };
	int fd;

	while ((fd = accept(hub->listener, NULL, NULL)) >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			   sizeof(patience));
		fake_hub_answer(hub, fd);
		close(fd);
	}
	return NULL;
}

/* False: no socket, or no thread. */
static inline bool fake_hub_start(struct fake_hub *hub,
				  const struct fake_route *routes)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	*hub = (struct fake_hub){ .routes = routes };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	hub->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(hub->listener, (struct sockaddr *)&address, len) < 0 ||
	    listen(hub->listener, 64) < 0 ||
	    getsockname(hub->listener, (struct sockaddr *)&address, &len) < 0)
		return false;
	snprintf(hub->base, sizeof(hub->base), "http://127.0.0.1:%u",
		 ntohs(address.sin_port));
	snprintf(hub->other, sizeof(hub->other), "http://localhost:%u",
		 ntohs(address.sin_port));
	return !pthread_create(&hub->thread, NULL, fake_hub_run, hub);
}

/* From now on its port refuses connections. */
static inline void fake_hub_stop(struct fake_hub *hub)
{
	shutdown(hub->listener, SHUT_RDWR);
	pthread_join(hub->thread, NULL);
	close(hub->listener);
}

#endif
