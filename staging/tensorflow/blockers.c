/* SPDX-License-Identifier: MIT */
#include "staging/tensorflow/blockers.h"

#include <errno.h>

#include "base/limits.h"

static const struct {
	const char *code;
	const char *reason;
} words[] = {
	[BLOCKER_TABLE] = { "lookup-table",
			    "a lookup table cannot be in a frozen graph" },
	[BLOCKER_ITERATOR] = { "iterator",
			       "an iterator cannot be in a frozen graph" },
	[BLOCKER_STATE] = { "session-state",
			    "what lives in a session cannot be in a frozen "
			    "graph" },
	[BLOCKER_FILE] = { "reads-files", "the model reads other files" },
	[BLOCKER_CUSTOM] = { "custom-operation",
			     "an operation is of no known library" },
	[BLOCKER_ASSIGNED] = { "assigned-variable",
			       "the output depends on a variable that is "
			       "assigned" },
	[BLOCKER_PLACEHOLDER] = { "placeholder-outside-signature",
				  "the output depends on a placeholder that "
				  "the signature does not name" },
	[BLOCKER_HANDLE] = { "variable-handle",
			     "an operation takes a variable in a way that "
			     "has no counterpart with constants" },
};

void blockers_init(struct blockers *blockers)
{
	for (size_t i = 0; i < BLOCKER_KINDS; i++) {
		str_init(&blockers->kinds[i].names, REASON_BYTES_MAX);
		blockers->kinds[i].count = 0;
	}
}

void blockers_release(struct blockers *blockers)
{
	for (size_t i = 0; i < BLOCKER_KINDS; i++)
		str_release(&blockers->kinds[i].names);
}

int blockers_add(struct blockers *blockers, enum blocker kind,
		 struct tf_text op, const char *name)
{
	struct str *names = &blockers->kinds[kind].names;
	int r;

	blockers->kinds[kind].count++;
	r = str_printf(names, "%s%s (%.*s)", names->len > 0 ? ", " : "", name,
		       (int)op.len, op.at);
	return r == -EFBIG ? 0 : r;
}

int blockers_judge(const struct blockers *blockers, struct refusal *why)
{
	for (size_t i = 0; i < BLOCKER_KINDS; i++)
		if (blockers->kinds[i].count > 0)
			return refuse(why, words[i].code,
				      str_text(&blockers->kinds[i].names), "%s",
				      words[i].reason);
	return 0;
}
