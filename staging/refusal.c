/* SPDX-License-Identifier: MIT */
#include "staging/refusal.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"

void refusal_release(struct refusal *refusal)
{
	free(refusal->code);
	free(refusal->reason);
	free(refusal->detail);
	*refusal = (struct refusal){ 0 };
}

/* Without memory the refusal stands, only its words are missing. */
int(refuse)(struct refusal *refusal, const char *code, const char *detail,
	    const char *format, ...)
{
	struct str reason;
	va_list args;
	int r;

	if (!refusal || refusal->code)
		return -EBADMSG;
	str_init(&reason, REASON_BYTES_MAX);
	va_start(args, format);
	r = str_vprintf(&reason, format, args);
	va_end(args);
	if (r == 0)
		refusal->reason = str_take(&reason, NULL);
	str_release(&reason);
	refusal->code = mem_strdup(code);
	if (detail)
		refusal->detail =
			mem_strndup(detail, strnlen(detail, REASON_BYTES_MAX));
	return -EBADMSG;
}
