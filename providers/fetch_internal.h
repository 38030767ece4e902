/* SPDX-License-Identifier: MIT */
/*
 * providers/fetch_internal.h - the transport's inside.
 *
 *	fetch.c		the thread, the queue, hosts and their limits
 *	fetch_transfer.c  one attempt: a curl handle set up, its callbacks
 *	fetch_answer.c	what the headers say
 *	fetch_text.c, fetch_probe.c, http_source.c  what is transferred,
 *			and where to
 *
 * A transfer is submitted once and ends once, through ops->done(); between
 * these it belongs to the fetch thread, and so do the hosts.
 *
 *	inbox -> queued -> active -> queued (again) ... -> done
 */
#ifndef PROVIDERS_FETCH_INTERNAL_H
#define PROVIDERS_FETCH_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "base/annot.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/source.h"
#include "providers/fetch.h"
#include "providers/fetch_policy.h"
#include "providers/provider.h"

struct transfer;

/* All on the fetch thread. */
struct transfer_ops {
	/*
	 * Sets transfer->url, NULL until then, and .away, .remembered.
	 * -EAGAIN: not yet, ask again once another transfer got on.
	 */
	int (*aim)(struct transfer *transfer);

	/* Bytes of the body, those wanted only.  An error ends it all. */
	int (*data)(struct transfer *transfer, const void *bytes, size_t len);

	/*
	 * The headers of an answer that was judged.  An error ends it all.
	 * May be asked of redirects and refusals too.
	 */
	int (*answered)(struct transfer *transfer,
			const struct fetch_verdict *verdict);

	/* About to follow to @url.  An error ends it all; may be NULL. */
	int (*follow)(struct transfer *transfer, const char *url);

	/* The same will be asked again: drop what must not be kept. */
	void (*again)(struct transfer *transfer,
		      const struct fetch_verdict *verdict);

	/* Once, last.  May free @transfer. */
	void (*done)(struct transfer *transfer, int result);
};

struct host;

struct transfer {
	const struct transfer_ops *ops;
	const struct auth *auth; /* borrowed, or NULL */
	const char *start;	 /* borrowed: the hub's own URL */
	bool ranged;
	bool probe;		 /* the first .len bytes, or all */
	uint64_t off, len, size; /* of a range */
	enum source_urgency urgency;
	uint64_t deadline_ns;

	/* The rest starts as zeros. */
	struct fetcher *fetcher;
	struct transfer *prev, *next; /* in its list */
	uint64_t got;		      /* bytes given to data() */
	char *url;		      /* owned; NULL: aim() */
	char *origin;		      /* owned; of .url */
	struct host *host;	      /* while active */
	bool away, foreign, remembered, resolved_again;
	bool fresh;	  /* on a new connection, please */
	bool hub_private; /* the hub is at a private address */
	unsigned int attempts, untrue, hops;
	uint64_t not_before_ns;
	uint64_t stall_ns;

	/* This attempt's. */
	CURL *easy;
	struct curl_slist *headers;
	uint64_t attempt_got; /* .got when it began */
	uint64_t heard_ns;    /* something came from the host */
	size_t header_count, header_bytes_max;
	size_t dropped_bytes;
	bool peer_refused; /* an address it may not have */
	bool judged;
	struct fetch_verdict verdict;
	int error; /* of data() or answered(): ends it */
};

struct host {
	char *origin;		/* owned; NULL: free slot */
	unsigned int active;	/* transfers */
	uint64_t hold_until_ns; /* asked to wait */
};

struct transfer_list {
	struct transfer *head, *tail;
	size_t count;
};

struct fetcher {
	struct lock lock;	    /* a leaf */
	struct transfer_list inbox; /* lock */
	bool stopping;		    /* lock */
	bool joined;		    /* by the one who stops it */
	pthread_t thread;
	CURLM *multi; /* but for curl_multi_wakeup(), the fetch thread's */
	uint64_t deadline_ns; /* fixed; of a request */

	/* The fetch thread's own. */
	struct transfer_list queued[SOURCE_AHEAD + 1];
	struct transfer_list active;
	struct host hosts[FETCH_HOSTS_MAX];
	bool look;	  /* at the queue: something may start */
	uint64_t look_ns; /* and at this time in any case */

	atomic_uint_fast64_t requests, bytes, useful, retries, rejects,
		active_count, queued_count;
};

/* ---- fetch.c ---- */

/*
 * Takes over @transfer until done(); fills in .fetcher.  -ESHUTDOWN: it was
 * not taken.
 */
int fetcher_submit(struct fetcher *fetcher,
		   struct transfer *transfer) MUST_CHECK;

/* ---- fetch_transfer.c ---- */

/* Makes a curl handle for .url and adds it to the multi. */
int transfer_start(struct transfer *transfer) MUST_CHECK;

/* Takes the curl handle away; an unfinished connection closes. */
void transfer_halt(struct transfer *transfer);

/* The attempt is over with @code: what now. */
struct fetch_verdict transfer_conclude(struct transfer *transfer,
				       CURLcode code);

/* The URL in Location, checked; caller frees. */
int transfer_location(struct transfer *transfer, char **out) MUST_CHECK;

/* For logs: how much of .url is no query. */
int transfer_name_len(const struct transfer *transfer);

/* ---- fetch_answer.c ---- */

/* The one value of header @name, or NULL; *@bad if there are several. */
const char *answer_header(CURL *easy, const char *name, bool *bad);

/* Of the headers that curl has; strings are curl's. */
void answer_read(CURL *easy, struct fetch_answer *out);

/* Fills in what an answer says of itself; -ENOMEM. */
int answer_reply(CURL *easy, struct fetch_reply *out) MUST_CHECK;

/* The address of the answering host is not one of the public Internet. */
bool answer_is_private(CURL *easy);

#endif
