/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/fake_files.h - an HTTP server of a table of files, whose
 * ranges it serves, and a reader that waits for what a source gives.
 */
#ifndef TESTS_FAKE_FAKE_FILES_H
#define TESTS_FAKE_FAKE_FILES_H

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/source.h"
#include "tests/fake/fake_http.h"

struct fake_file {
	const char *path; /* NULL ends a table */
	const char *body;
	const char *headers; /* "Name: value\r\n" each, or NULL */
	int status;	     /* 0: as a good server; 200: whole, always */
};

struct fake_files {
	struct fake_http http;
	const struct fake_file *_Atomic table;
	atomic_uint unknown; /* requests of what no row has: 404 */
	char base[64];	     /* "http://127.0.0.1:port" */
};

static inline const struct fake_file *fake_file_of(struct fake_files *files,
						   const char *path)
{
	const struct fake_file *file = files->table;

	while (file->path && strcmp(file->path, path) != 0)
		file++;
	return file->path ? file : NULL;
}

static inline void fake_file_send(const struct fake_file *file,
				  const struct fake_request *req, int fd)
{
	unsigned long long size = strlen(file->body), last = req->last;
	const char *headers = file->headers ? file->headers : "";

	if (file->status || !req->ranged) {
		fake_printf(fd,
			    "HTTP/1.1 %d X\r\n%sContent-Length: %llu\r\n\r\n",
			    file->status ? file->status : 200, headers, size);
		fake_write(fd, file->body, size);
		return;
	}
	if (last >= size)
		last = size - 1;
	fake_printf(fd,
		    "HTTP/1.1 206 X\r\n%sContent-Length: %llu\r\n"
		    "Content-Range: bytes %llu-%llu/%llu\r\n\r\n",
		    headers, last - req->first + 1, req->first, last, size);
	fake_write(fd, file->body + req->first, last - req->first + 1);
}

static inline bool fake_files_answer(struct fake_http *http,
				     const struct fake_request *req, int fd)
{
	struct fake_files *files = http->arg;
	const struct fake_file *file = fake_file_of(files, req->path);

	if (file) {
		fake_file_send(file, req, fd);
		return true;
	}
	atomic_fetch_add(&files->unknown, 1);
	fake_status(fd, 404, "");
	return true;
}

static inline bool fake_files_start(struct fake_files *files,
				    const struct fake_file *table)
{
	files->table = table;
	files->unknown = 0;
	files->http.answer = fake_files_answer;
	files->http.arg = files;
	if (!fake_start(&files->http, 0))
		return false;
	snprintf(files->base, sizeof(files->base), "http://127.0.0.1:%u",
		 files->http.port);
	return true;
}

static inline unsigned int fake_files_requests(struct fake_files *files)
{
	return files->http.requests;
}

struct fake_reader {
	struct source_sink sink;
	struct lock lock;
	struct cond cond;
	char *to;
	uint64_t off, got;
	int result;
	bool done;
};

static inline int fake_reader_data(struct source_sink *sink, uint64_t off,
				   const void *bytes, size_t len)
{
	struct fake_reader *reader = container_of(sink, struct fake_reader,
						  sink);

	if (off != reader->off + reader->got)
		abort();
	memcpy(reader->to + reader->got, bytes, len);
	reader->got += len;
	return 0;
}

static inline void fake_reader_done(struct source_sink *sink, int result)
{
	struct fake_reader *reader = container_of(sink, struct fake_reader,
						  sink);

	lock_take(&reader->lock);
	reader->result = result;
	reader->done = true;
	cond_wake_all(&reader->cond);
	lock_drop(&reader->lock);
}

static inline int fake_reader_begin(struct fake_reader *reader,
				    struct source *source, uint64_t off,
				    uint64_t len, void *to)
{
	*reader = (struct fake_reader){
		.sink = { fake_reader_data, fake_reader_done },
		.to = to,
		.off = off,
	};
	lock_init(&reader->lock);
	cond_init(&reader->cond);
	return source->ops->fetch(source, off, len, SOURCE_WANTED,
				  clock_after_ns(5 * NS_PER_S), &reader->sink);
}

static inline int fake_reader_end(struct fake_reader *reader)
{
	lock_take(&reader->lock);
	while (!reader->done)
		cond_wait(&reader->cond, &reader->lock);
	lock_drop(&reader->lock);
	cond_release(&reader->cond);
	lock_release(&reader->lock);
	return reader->result;
}

/* The range in @to, or the -errno that its sink was told. */
static inline int fake_read_range(struct source *source, uint64_t off,
				  uint64_t len, void *to)
{
	struct fake_reader reader;
	int r = fake_reader_begin(&reader, source, off, len, to);

	return r < 0 ? r : fake_reader_end(&reader);
}

#endif
