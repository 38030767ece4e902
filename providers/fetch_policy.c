/* SPDX-License-Identifier: MIT */
#include "providers/fetch_policy.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "providers/fetch_errno.h"
#include "providers/url.h"

static struct fetch_verdict fail(int error)
{
	return (struct fetch_verdict){ .act = FETCH_FAIL, .error = error };
}

/* Within the deadline, else @error now. */
static struct fetch_verdict retry(const struct fetch_ask *ask,
				  uint64_t delay_ms, int error)
{
	if (delay_ms >= ask->left_ms)
		return fail(error);
	return (struct fetch_verdict){ .act = FETCH_RETRY,
				       .delay_ms = delay_ms };
}

static uint64_t backoff_ms(unsigned int attempts, uint64_t first_ms)
{
	uint64_t ms = first_ms << (attempts < 8 ? attempts : 8);

	return u64_min(ms, FETCH_BACKOFF_MS_MAX);
}

static struct fetch_verdict refuse(const struct fetch_ask *ask)
{
	struct fetch_verdict verdict = ask->untrue < FETCH_UNTRUE_MAX
					       ? retry(ask, FETCH_BACKOFF_MS,
						       -EIO)
					       : fail(-EIO);

	verdict.untrue = true;
	return verdict;
}

static struct fetch_verdict deliver(void)
{
	return (struct fetch_verdict){ .act = FETCH_DELIVER };
}

/* The start of something of whatever size. */
static struct fetch_verdict judge_probe(const struct fetch_ask *ask,
					const struct fetch_answer *answer)
{
	const struct content_range *range = &answer->range;

	if (answer->status == 200)
		return answer->length.known ? deliver() : fail(-EIO);
	if (answer->has_range && !answer->multipart && range->first == 0 &&
	    range->last == u64_min(ask->last, range->total - 1))
		return deliver();
	return refuse(ask);
}

static struct fetch_verdict judge_206(const struct fetch_ask *ask,
				      const struct fetch_answer *answer)
{
	bool same = answer->has_range && answer->range.first == ask->first &&
		    answer->range.last == ask->last &&
		    answer->range.total == ask->size;

	if (!ask->ranged || !same || answer->multipart)
		return refuse(ask);
	if (answer->length.known &&
	    answer->length.value != ask->last - ask->first + 1)
		return refuse(ask);
	return deliver();
}

/* The whole file: good where that was wanted, or where it is small. */
static struct fetch_verdict judge_200(const struct fetch_ask *ask,
				      const struct fetch_answer *answer)
{
	bool whole = ask->last + 1 == ask->size;

	if (!ask->ranged)
		return deliver();
	if (ask->first > 0 || (!whole && ask->size > FETCH_WHOLE_BYTES_MAX))
		return refuse(ask);
	if (!answer->length.known || answer->length.value != ask->size)
		return refuse(ask);
	return deliver();
}

static struct fetch_verdict judge_429(const struct fetch_ask *ask,
				      const struct fetch_answer *answer)
{
	struct fetch_verdict verdict;
	uint64_t ms;

	if (answer->reset_s.known)
		ms = (answer->reset_s.value + 1) * 1000;
	else if (answer->retry_after_s.known)
		ms = answer->retry_after_s.value * 1000;
	else
		ms = backoff_ms(ask->attempts, 1000);
	ms = u64_min(u64_max(ms, FETCH_BACKOFF_MS), RATE_RESET_S_MAX * 1000ULL);
	verdict = retry(ask, ms, -EIO);
	verdict.delay_ms = ms;
	verdict.host_waits = true;
	return verdict;
}

static struct fetch_verdict judge_error(const struct fetch_ask *ask,
					const struct fetch_answer *answer)
{
	int error = errno_of_status(answer->status, answer->error_code);
	uint64_t ms = backoff_ms(ask->attempts, FETCH_BACKOFF_MS);

	if (error != -EAGAIN)
		return fail(error < 0 ? error : -EIO);
	if (answer->retry_after_s.known)
		ms = u64_max(ms, answer->retry_after_s.value * 1000);
	return retry(ask, ms, -EIO);
}

/*
 * A signed URL that is no longer good.  One that another transfer was told
 * may have been used up by others; one told to us should have worked.
 */
static struct fetch_verdict judge_away(const struct fetch_ask *ask)
{
	return ask->resolved_again && !ask->remembered
		       ? fail(-EIO)
		       : (struct fetch_verdict){ .act = FETCH_RESOLVE };
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 ||
	       status == 307 || status == 308;
}

static bool is_expired(const struct fetch_ask *ask, long status)
{
	bool refused = status == 400 || status == 401 || status == 403;
	bool gone = status == 404 || status == 410;

	if ((!ask->ranged && !ask->probe) || !ask->away)
		return false;
	return (refused && (ask->foreign || ask->remembered)) ||
	       (gone && ask->remembered && !ask->resolved_again);
}

struct fetch_verdict fetch_judge(const struct fetch_ask *ask,
				 const struct fetch_answer *answer)
{
	long status = answer->status;

	if (answer->bad)
		return refuse(ask);
	if (is_redirect(status)) {
		if (!answer->has_location || ask->hops >= REDIRECTS_MAX)
			return fail(-EIO);
		return (struct fetch_verdict){ .act = FETCH_FOLLOW };
	}
	if (is_expired(ask, status))
		return judge_away(ask);
	if ((status == 200 || status == 206) && answer->encoded)
		return refuse(ask);
	if (ask->probe && (status == 200 || status == 206))
		return judge_probe(ask, answer);
	switch (status) {
	case 200:
		return judge_200(ask, answer);
	case 206:
		return judge_206(ask, answer);
	case 416:
		return fail(answer->total.known &&
					    answer->total.value != ask->size
				    ? -ESTALE
				    : -EIO);
	case 429:
		return judge_429(ask, answer);
	default:
		return judge_error(ask, answer);
	}
}

struct fetch_verdict fetch_judge_break(const struct fetch_ask *ask,
				       CURLcode code)
{
	int error = errno_of_curl(code);

	/* The host that a redirect named is not there: is it still named? */
	if (error != -ENOMEM && ask->ranged && ask->foreign && !ask->answered &&
	    !ask->resolved_again)
		return (struct fetch_verdict){
			.act = FETCH_RESOLVE,
			.delay_ms = backoff_ms(ask->attempts, FETCH_BACKOFF_MS)
		};
	if (error != -EAGAIN && error != -ETIMEDOUT)
		return fail(error < 0 ? error : -EIO);
	if (curl_failed_lookup(code) &&
	    ask->attempts + 1 >= FETCH_LOOKUP_TRIES_MAX)
		return fail(ask->ranged ? -EIO : -ENETUNREACH);
	return retry(ask, backoff_ms(ask->attempts, FETCH_BACKOFF_MS),
		     ask->ranged ? -EIO : -ETIMEDOUT);
}

bool fetch_token_for(const struct auth *auth, const char *url)
{
	return auth && auth->token && url_same_origin(auth->origin, url);
}
