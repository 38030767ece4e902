/* SPDX-License-Identifier: MIT */
/*
 * providers/fetch_policy.h - what to do after an answer, or the lack of one.
 *
 * Pure: a request and what came of it in, a verdict out.
 */
#ifndef PROVIDERS_FETCH_POLICY_H
#define PROVIDERS_FETCH_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include "providers/fetch.h"
#include "providers/fetch_headers.h"

/* What was asked, and how it went so far. */
struct fetch_ask {
	bool ranged;	/* else the whole of a text */
	bool probe;	/* or how something begins, and how big it is */
	uint64_t first; /* of the range still wanted; .last inclusive */
	uint64_t last;
	uint64_t size;	       /* of the file */
	bool away;	       /* at a URL told by a redirect */
	bool foreign;	       /* and of another origin than the hub */
	bool remembered;       /* and by a redirect of long ago */
	bool resolved_again;   /* the hub was asked anew already */
	bool answered;	       /* headers came, in this attempt */
	unsigned int attempts; /* in vain since bytes came, from 0 */
	unsigned int untrue;   /* false answers */
	unsigned int hops;     /* redirects followed */
	uint64_t left_ms;      /* until the deadline */
};

/* A header that may say nothing. */
struct fetch_number {
	bool known;
	uint64_t value;
};

struct fetch_answer {
	long status;
	bool bad;     /* headers too many, too long, or contradictory */
	bool encoded; /* Content-Encoding, other than identity */
	bool multipart;
	bool has_range; /* Content-Range, well formed */
	struct content_range range;
	struct fetch_number total;  /* of Content-Range with 416 */
	struct fetch_number length; /* Content-Length */
	struct fetch_number retry_after_s;
	struct fetch_number reset_s; /* RateLimit, where none remain */
	bool has_location;
	const char *error_code; /* X-Error-Code, or NULL */
};

enum fetch_act {
	FETCH_DELIVER, /* give the body away, as what was asked */
	FETCH_FOLLOW,  /* go on at Location */
	FETCH_RETRY,   /* ask the same again, after .delay_ms */
	FETCH_RESOLVE, /* forget the URL, ask the hub for a new one */
	FETCH_FAIL     /* with .error */
};

struct fetch_verdict {
	enum fetch_act act;
	int error;
	uint64_t delay_ms;
	bool host_waits; /* nobody asks this host sooner than .delay_ms */
	bool untrue;	 /* the answer is refused as false */
};

/* The headers are here. */
struct fetch_verdict fetch_judge(const struct fetch_ask *ask,
				 const struct fetch_answer *answer);

/* The transfer broke with @code, before its headers or within its body. */
struct fetch_verdict fetch_judge_break(const struct fetch_ask *ask,
				       CURLcode code);

/* The token of @auth (NULL: none) may be told to @url. */
bool fetch_token_for(const struct auth *auth, const char *url);

#endif
