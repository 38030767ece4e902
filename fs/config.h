/* SPDX-License-Identifier: MIT */
/*
 * fs/config.h - what a mount is told: command line, configuration file.
 *
 * Both name the same settings: "cache-size" is --cache-size on the command
 * line and "cache-size = 10G" in the file.  What comes later wins, so the
 * file is read first.
 */
#ifndef FS_CONFIG_H
#define FS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/annot.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"
#include "cache/cache.h"
#include "staging/converter.h"
#include "staging/staging.h"

/* More than there are hubs and origins. */
#define CONFIG_ENDPOINTS_MAX 64

struct config_endpoint {
	char *name;  /* owned */
	char *value; /* owned; a URL or a folder */
};

struct config {
	char *mountpoint; /* owned, as all strings here */
	char *cache_dir;
	uint64_t cache_bytes;	  /* 0: a tenth of the disk */
	uint64_t keep_free_bytes; /* or CACHE_FREE_MIN */
	struct config_endpoint endpoints[CONFIG_ENDPOINTS_MAX];
	size_t endpoint_count;
	enum cache_verify verify;
	enum stage_form form;
	enum stage_profile profile;
	char *skeletons; /* the user's folder of skeletons, or NULL */
	char *converter; /* a command; NULL: the default one */
	enum converter_sandbox converter_sandbox;
	uint64_t converter_memory; /* bytes; 0: the default, as below */
	unsigned int converter_timeout_s;
	unsigned int timeout_s; /* the deadline of a request */
	bool offline;
	bool allow_other;
	bool foreground;
	char *log_file; /* NULL: see mount(1) */
	enum log_level log_level;
};

void config_init(struct config *config);
void config_release(struct config *config);
DEFINE_AUTO(config, struct config, config_release)
#define auto_config auto_of(config)

/*
 * Sets @name to @value.  A switch ("offline") takes NULL, "yes" or "no".
 * -EINVAL with a sentence for people appended to @why.  -ENOMEM.
 */
int config_set(struct config *config, const char *name, const char *value,
	       struct str *why) MUST_CHECK;

/*
 * Reads an INI file (settings before any section; "[endpoints]" holds
 * NAME = URL-or-folder).  Errors as config_set(), with the line.
 */
int config_read(struct config *config, const char *path,
		struct str *why) MUST_CHECK;

/* Fills in what was not set: folders, from the environment. */
int config_complete(struct config *config, struct str *why) MUST_CHECK;

/* The value of endpoint @name, or NULL. */
const char *config_endpoint(const struct config *config, const char *name);

#endif
