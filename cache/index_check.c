/* SPDX-License-Identifier: MIT */
#include "cache/index_check.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

/* A healthy index of 100 GiB of blocks is read in 0.1 s. */
#define CHECK_SECONDS_MAX 30

/* Enough to look at a damaged one; then the disk is wanted back. */
#define DATA_FILE "data.mdb"

/* Touches every byte of every value: what faults, faults here. */
static int walk_db(MDB_txn *txn, const char *name, volatile uint8_t *sink)
{
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	MDB_dbi dbi;
	int code = mdb_dbi_open(txn, name, 0, &dbi);

	if (code)
		return code == MDB_NOTFOUND ? 0 : code;
	code = mdb_cursor_open(txn, dbi, &cursor);
	if (code)
		return code;
	while (!(code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)))
		for (size_t i = 0; i < value.mv_size; i++)
			*sink ^= ((const uint8_t *)value.mv_data)[i];
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? 0 : code;
}

static int walk(const char *dir)
{
	static const char *const names[] = { "blobs", "groups", "memos" };
	volatile uint8_t sink = 0;
	MDB_env *env;
	MDB_txn *txn;
	int code = mdb_env_create(&env);

	if (!code)
		code = mdb_env_set_maxdbs(env, 4);
	if (!code)
		code = mdb_env_open(env, dir, MDB_RDONLY | MDB_NOLOCK, 0600);
	if (!code)
		code = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
	for (size_t i = 0; !code && i < ARRAY_LEN(names); i++)
		code = walk_db(txn, names[i], &sink);
	return code;
}

static void child(const char *dir)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGALRM };
	struct rlimit none = { 0, 0 };
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &none);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		signal(signals[i], SIG_DFL);
	if (null >= 0)
		dup2(null, STDERR_FILENO); /* LMDB's asserts */
	alarm(CHECK_SECONDS_MAX);
	_exit(walk(dir) == 0 ? 0 : 1);
}

int index_check(const char *dir)
{
	auto_free char *file = mem_printf("%s/" DATA_FILE, dir);
	pid_t pid;
	int status;

	if (!file)
		return -ENOMEM;
	if (access(file, F_OK) < 0)
		return 0;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child(dir);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBADMSG;
}

/*
 * The two meta pages, from lmdb.h 0.9: 16 bytes of page header, then u32
 * magic, u32 version, address, map size, two MDB_db of 48 bytes, last page
 * number, transaction.  The first database's padding is the page size.
 */
#define META_AT 16
#define META_PAGE_SIZE_AT (META_AT + 24)
#define META_LAST_PAGE_AT (META_AT + 24 + 2 * 48)
#define META_BYTES (META_LAST_PAGE_AT + 16)

int index_check_size(const char *dir)
{
	auto_free char *file = mem_printf("%s/" DATA_FILE, dir);
	auto_close int fd = -1;
	uint8_t meta[META_BYTES];
	uint64_t page_bytes;
	uint64_t need = 0;
	struct stat st;

	if (!file)
		return -ENOMEM;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (pread(fd, meta, sizeof(meta), 0) != (ssize_t)sizeof(meta))
		return -EBADMSG;
	page_bytes = le32(meta + META_PAGE_SIZE_AT);
	if (page_bytes < 512 || page_bytes > 65536)
		return -EBADMSG;
	for (int i = 0; i < 2; i++) {
		off_t at = (off_t)(page_bytes * (uint64_t)i);

		if (pread(fd, meta, sizeof(meta), at) != (ssize_t)sizeof(meta))
			return -EBADMSG;
		need = u64_max(need, le64(meta + META_LAST_PAGE_AT) + 1);
	}
	if (need > (uint64_t)st.st_size / page_bytes)
		return -EBADMSG;
	return 0;
}

int index_set_aside(const char *dir)
{
	auto_free char *bad = mem_printf("%s.bad-%lld", dir,
					 (long long)clock_wall_s());

	if (!bad)
		return -ENOMEM;
	if (rename(dir, bad) < 0)
		return -errno;
	log_warn("cache", "the damaged index is kept in %s", bad);
	return mkdir(dir, 0700) < 0 ? -errno : 0;
}
