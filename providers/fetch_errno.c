/* SPDX-License-Identifier: MIT */
#include "providers/fetch_errno.h"

#include <errno.h>
#include <string.h>

#include "base/annot.h"

int errno_of_status(long status, const char *error_code)
{
	if (error_code && !strcmp(error_code, "GatedRepo"))
		return -EACCES;
	if (error_code && (!strcmp(error_code, "EntryNotFound") ||
			   !strcmp(error_code, "RevisionNotFound") ||
			   !strcmp(error_code, "RepoNotFound")))
		return -ENOENT;
	switch (status) {
	case 200:
	case 206:
		return 0;
	case 401:
	case 403:
		return -EACCES;
	case 404:
	case 410:
		return -ENOENT;
	case 412:
		return -ESTALE;
	case 408:
	case 429:
		return -EAGAIN;
	case 501:
	case 505:
		return -EIO;
	default:
		return status >= 500 && status <= 599 ? -EAGAIN : -EIO;
	}
}

int errno_of_curl(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return -EAGAIN;
	default:
		return -EIO;
	}
}

bool curl_failed_lookup(CURLcode code)
{
	return code == CURLE_COULDNT_RESOLVE_HOST ||
	       code == CURLE_COULDNT_RESOLVE_PROXY;
}

int errno_of_places(int before, int error)
{
	static const int order[] = { 0, -ENOENT, -EACCES, -EIO };
	size_t a = 0, b = 0;

	while (a < ARRAY_LEN(order) && order[a] != before)
		a++;
	while (b < ARRAY_LEN(order) && order[b] != error)
		b++;
	return b > a ? error : before;
}
