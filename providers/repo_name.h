/* SPDX-License-Identifier: MIT */
/*
 * providers/repo_name.h - the grammar of "org/model[@revision]".
 *
 * Pure.  Names are judged before any URL is built of them.  A part of an
 * id has 1 to 96 of the bytes A-Z a-z 0-9 . _ -, does not begin or end
 * with "." or "-", has no "--" or "..", and does not end with ".git"; the
 * hub's own clients refuse the rest as well.
 *
 * A revision is one path component, percent-encoded where git's name has
 * a "/": "refs%2Fpr%2F1".  Its decoded form keeps to the rules of
 * git-check-ref-format.
 */
#ifndef PROVIDERS_REPO_NAME_H
#define PROVIDERS_REPO_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/annot.h"
#include "base/cleanup.h"

struct repo_name {
	char *id;	/* "org/model", or "model" of old; owned */
	char *revision; /* decoded, "main" where none is named; owned */
	char *suffix;	/* "@rev" as it was written, or ""; owned */
	bool pinned;	/* the revision is a commit: it never moves */
};

/* @out is zeroed before.  -ENOENT: no such name can be; -ENOMEM. */
int repo_name_parse(const char *path, struct repo_name *out) MUST_CHECK;
void repo_name_release(struct repo_name *name);

/* One part of an id, of @len bytes. */
bool repo_part_ok(const char *part, size_t len);

/* "org/model", or where @one_part "model". */
bool repo_id_ok(const char *id, bool one_part);

/* 40 lower-case hex digits. */
bool commit_ok(const char *text);

/*
 * Where a link at @from ("org/old@rev" or "old") must point for @id in the
 * same hub: "new@rev", "../neworg/new@rev" or "neworg/new@rev".  NULL: no
 * memory.
 */
char *repo_name_link(const struct repo_name *from, const char *id) MUST_CHECK;

DEFINE_AUTO(repo_name, struct repo_name, repo_name_release)
#define auto_repo_name auto_of(repo_name)

#endif
