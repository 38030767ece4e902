/* SPDX-License-Identifier: MIT */
/*
 * providers/hub_listing.h - building a directory of a hub.
 *
 * Entries are added in any order; hub_listing_finish() sorts them and
 * keeps the first of those with one name.
 */
#ifndef PROVIDERS_HUB_LISTING_H
#define PROVIDERS_HUB_LISTING_H

#include "base/annot.h"
#include "providers/provider.h"

/* Copies both texts; @target NULL unless HUB_LINK.  -ENOMEM, -EFBIG. */
int hub_listing_add(struct hub_listing *listing, const char *name,
		    enum hub_entry_kind kind, const char *target) MUST_CHECK;

/* -ENOMEM: @listing is as it was, to be released. */
int hub_listing_finish(struct hub_listing *listing) MUST_CHECK;

/* For lookup(): @out is zeroed; @target is copied. */
int hub_entry_link(struct hub_entry *out, const char *target) MUST_CHECK;

#endif
