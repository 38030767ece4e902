/* SPDX-License-Identifier: MIT */
#include "cache/index_check.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"

/*
 * The file of LMDB 0.9 on machines of 64 bits, from its lmdb.h and mdb.c;
 * numbers are in the machine's own order.
 */
#define DATA_FILE "data.mdb"
#define LOCK_FILE "lock.mdb"
#define META_MAGIC 0xbeefc0deu
#define META_VERSION 1u
#define PAGE_BYTES_MIN 512u
#define PAGE_BYTES_MAX 32768u
#define DEPTH_MAX 32
#define NO_PAGE UINT64_MAX
#define FREE_DB_FLAGS 8u /* integer keys */
#define KEY_MAX 511

/* Read in one go beforehand: 100 GiB of blocks have an index of 26 MB. */
#define WARM_BYTES_MAX ((off_t)128 << 20)

enum { BRANCH = 1, LEAF = 2, OVERFLOW = 4, META = 8 }; /* of pages */
enum { BIG = 1, SUB_DB = 2 };			       /* of nodes */

struct page_head {
	uint64_t number;
	uint16_t pad;
	uint16_t flags;
	uint16_t lower; /* OVERFLOW: these two are the number of pages */
	uint16_t upper;
};

struct db {
	uint32_t pad; /* the first of a meta page: the size of pages */
	uint16_t flags;
	uint16_t depth;
	uint64_t branches;
	uint64_t leaves;
	uint64_t overflows;
	uint64_t entries;
	uint64_t root;
};

struct meta {
	uint32_t magic;
	uint32_t version;
	uint64_t address;
	uint64_t map_bytes;
	struct db free_db;
	struct db main_db;
	uint64_t last_page;
	uint64_t txn;
};

struct node {
	uint16_t low; /* LEAF: bytes of the value; BRANCH: the page below */
	uint16_t high;
	uint16_t flags; /* BRANCH: its bits 32 to 47 */
	uint16_t key_len;
};

struct check {
	int fd;
	uint32_t page_bytes;
	uint64_t page_count;
	uint64_t page_end; /* of the file: free ones may be beyond it */
	uint64_t txn;
	uint8_t *seen; /* a bit a page; owned */
};

struct tree {
	struct check *check;
	const struct db *db;
	struct db found; /* what was counted */
	struct {	 /* the key before, in the order of the walk */
		bool any;
		bool above; /* of a branch: those below may be equal to it */
		size_t len;
		uint8_t bytes[KEY_MAX];
	} last;
	int (*value)(struct tree *tree, const struct node *node,
		     const uint8_t *key, const uint8_t *value, size_t len);
};

static int read_at(const struct check *check, uint64_t off, size_t len,
		   void *to)
{
	int r = file_pread(check->fd, off, len, to);

	return r == -EIO ? -EBADMSG : r;
}

/* Each page is used once. */
static int take_pages(struct check *check, uint64_t first, uint64_t count)
{
	if (first < 2 || first >= check->page_count ||
	    count > check->page_count - first)
		return -EBADMSG;
	for (uint64_t i = first; i < first + count; i++) {
		if (check->seen[i / 8] & 1u << i % 8)
			return -EBADMSG;
		check->seen[i / 8] |= (uint8_t)(1u << i % 8);
	}
	return 0;
}

/*
 * A value too long for its page, in pages of its own.  They may be more
 * than it needs, if it became shorter within one transaction.
 */
static int check_overflow(struct tree *tree, const uint8_t *at, size_t len)
{
	struct check *check = tree->check;
	struct page_head head;
	uint64_t number;
	uint64_t count;
	int r;

	memcpy(&number, at, sizeof(number));
	if (number >= check->page_end)
		return -EBADMSG;
	r = read_at(check, number * check->page_bytes, sizeof(head), &head);
	if (r < 0)
		return r;
	count = head.lower | (uint32_t)head.upper << 16;
	if (head.number != number || head.flags != OVERFLOW ||
	    count > check->page_end - number ||
	    count * check->page_bytes < sizeof(head) + len)
		return -EBADMSG;
	tree->found.overflows += count;
	return take_pages(check, number, count);
}

/* ---- what leaves hold ---- */

/* Our own tables: any bytes. */
static int check_record(struct tree *tree, const struct node *node,
			const uint8_t *key, const uint8_t *value, size_t len)
{
	(void)key;
	if (node->flags & ~BIG)
		return -EBADMSG;
	return node->flags & BIG ? check_overflow(tree, value, len) : 0;
}

/* A count and that many numbers of pages, downwards. */
static int check_page_list(struct check *check, const uint8_t *list, size_t len)
{
	uint64_t count;
	uint64_t number;
	uint64_t above = check->page_count;
	int r = 0;

	if (len < sizeof(count))
		return -EBADMSG;
	memcpy(&count, list, sizeof(count));
	if (count > len / sizeof(count) - 1)
		return -EBADMSG;
	for (uint64_t i = 1; r == 0 && i <= count; i++) {
		memcpy(&number, list + i * sizeof(number), sizeof(number));
		if (number >= above)
			return -EBADMSG;
		r = take_pages(check, number, 1);
		above = number;
	}
	return r;
}

static int check_free(struct tree *tree, const struct node *node,
		      const uint8_t *key, const uint8_t *value, size_t len)
{
	struct check *check = tree->check;
	auto_free uint8_t *list = NULL;
	uint64_t number;
	uint64_t txn;
	int r;

	if (node->key_len != sizeof(txn) || node->flags & ~BIG)
		return -EBADMSG;
	memcpy(&txn, key, sizeof(txn));
	if (txn == 0 || txn > check->txn) /* 0 means none to LMDB */
		return -EBADMSG;
	if (!(node->flags & BIG))
		return check_page_list(check, value, len);
	r = check_overflow(tree, value, len);
	if (r < 0)
		return r;
	list = mem_alloc(len);
	if (!list)
		return -ENOMEM;
	memcpy(&number, value, sizeof(number));
	r = read_at(check,
		    number * check->page_bytes + sizeof(struct page_head), len,
		    list);
	return r < 0 ? r : check_page_list(check, list, len);
}

static int check_tree(struct check *check, const struct db *db,
		      unsigned int flags,
		      int (*value)(struct tree *tree, const struct node *node,
				   const uint8_t *key, const uint8_t *value,
				   size_t len));

/* The table of tables. */
static int check_table(struct tree *tree, const struct node *node,
		       const uint8_t *key, const uint8_t *value, size_t len)
{
	struct db db;

	(void)key;
	if (node->flags != SUB_DB || len != sizeof(db))
		return -EBADMSG;
	memcpy(&db, value, sizeof(db));
	return check_tree(tree->check, &db, 0, check_record);
}

/* ---- pages ---- */

static int key_compare(const struct tree *tree, const uint8_t *key, size_t len)
{
	size_t both = len < tree->last.len ? len : tree->last.len;
	uint64_t a, b;
	int order;

	if (tree->db->flags == FREE_DB_FLAGS && both == sizeof(a)) {
		memcpy(&a, tree->last.bytes, sizeof(a));
		memcpy(&b, key, sizeof(b));
		return (a > b) - (a < b);
	}
	order = memcmp(tree->last.bytes, key, both);
	return order ? order : (tree->last.len > len) - (tree->last.len < len);
}

/* Keys go upwards through the whole tree, or LMDB loses its tables. */
static int check_key(struct tree *tree, const uint8_t *key, size_t len,
		     bool leaf)
{
	int order;

	if (len == 0 || len > KEY_MAX)
		return -EBADMSG;
	order = tree->last.any ? key_compare(tree, key, len) : -1;
	if (order > 0 || (order == 0 && !(leaf && tree->last.above)))
		return -EBADMSG;
	tree->last.any = true;
	tree->last.above = !leaf;
	tree->last.len = len;
	memcpy(tree->last.bytes, key, len);
	return 0;
}

static int check_page(struct tree *tree, uint64_t number, unsigned int depth);

static int check_branch_node(struct tree *tree, const struct node *node,
			     unsigned int depth)
{
	uint64_t below = node->low | (uint64_t)node->high << 16 |
			 (uint64_t)node->flags << 32;

	return check_page(tree, below, depth + 1);
}

/*
 * The node at @at, within the page; the bytes it takes there, or -errno.
 * The @first of a branch has no key that counts.
 */
static int check_node(struct tree *tree, const uint8_t *page, size_t at,
		      unsigned int depth, bool first)
{
	size_t left = tree->check->page_bytes - at;
	bool leaf = depth == tree->db->depth;
	struct node node;
	const uint8_t *key = page + at + sizeof(node);
	size_t len;
	size_t in_page;
	int r = 0;

	if (left < sizeof(node) || at % 2)
		return -EBADMSG;
	memcpy(&node, page + at, sizeof(node));
	len = leaf ? node.low | (size_t)node.high << 16 : 0;
	in_page = sizeof(node) + node.key_len +
		  (leaf && node.flags & BIG ? sizeof(uint64_t) : len);
	if (in_page > left)
		return -EBADMSG;
	if (leaf || !first)
		r = check_key(tree, key, node.key_len, leaf);
	if (r < 0)
		return r;
	if (leaf)
		r = tree->value(tree, &node, key, key + node.key_len, len);
	else
		r = check_branch_node(tree, &node, depth);
	return r < 0 ? r : (int)(in_page + in_page % 2);
}

/* Nodes fill the page from @head->upper to its end, without gaps. */
static int check_nodes(struct tree *tree, const uint8_t *page,
		       const struct page_head *head, unsigned int depth)
{
	uint32_t page_bytes = tree->check->page_bytes;
	size_t count = (head->lower - sizeof(*head)) / 2;
	size_t filled = 0;

	for (size_t i = 0; i < count; i++) {
		uint16_t at;
		int r;

		memcpy(&at, page + sizeof(*head) + 2 * i, sizeof(at));
		if (at < head->upper || at >= page_bytes)
			return -EBADMSG;
		r = check_node(tree, page, at, depth, i == 0);
		if (r < 0)
			return r;
		filled += (size_t)r;
	}
	if (depth == tree->db->depth)
		tree->found.entries += count;
	return filled == page_bytes - head->upper ? 0 : -EBADMSG;
}

static int check_page(struct tree *tree, uint64_t number, unsigned int depth)
{
	struct check *check = tree->check;
	bool leaf = depth == tree->db->depth;
	size_t nodes_min = leaf || tree->value == check_free ? 1 : 2;
	auto_free uint8_t *page = mem_alloc(check->page_bytes);
	struct page_head head;
	int r = page ? take_pages(check, number, 1) : -ENOMEM;

	if (r == 0)
		r = read_at(check, number * check->page_bytes,
			    check->page_bytes, page);
	if (r < 0)
		return r;
	memcpy(&head, page, sizeof(head));
	if (head.number != number || head.flags != (leaf ? LEAF : BRANCH) ||
	    head.lower % 2 || head.lower < sizeof(head) + 2 * nodes_min ||
	    head.upper < head.lower || head.upper > check->page_bytes)
		return -EBADMSG;
	tree->found.leaves += leaf;
	tree->found.branches += !leaf;
	return check_nodes(tree, page, &head, depth);
}

static int check_tree(struct check *check, const struct db *db,
		      unsigned int flags,
		      int (*value)(struct tree *tree, const struct node *node,
				   const uint8_t *key, const uint8_t *value,
				   size_t len))
{
	struct tree tree = { .check = check, .db = db, .value = value };
	int r = 0;

	if (db->depth > DEPTH_MAX || (db->depth == 0) != (db->root == NO_PAGE))
		return -EBADMSG;
	if (db->depth > 0)
		r = check_page(&tree, db->root, 1);
	if (r < 0)
		return r;
	return db->flags == flags && tree.found.branches == db->branches &&
			       tree.found.leaves == db->leaves &&
			       tree.found.overflows == db->overflows &&
			       tree.found.entries == db->entries
		       ? 0
		       : -EBADMSG;
}

/* ---- the file ---- */

static int read_meta(const struct check *check, uint64_t off, struct meta *out)
{
	struct page_head head;
	int r = read_at(check, off, sizeof(head), &head);

	if (r == 0)
		r = read_at(check, off + sizeof(head), sizeof(*out), out);
	if (r < 0)
		return r;
	return head.flags == META && out->magic == META_MAGIC &&
			       out->version == META_VERSION
		       ? 0
		       : -EBADMSG;
}

/*
 * Of the two, the one that LMDB will take: that of the later transaction,
 * whose number must be even in the first page and odd in the second.
 */
static int find_meta(struct check *check, struct meta *out)
{
	struct meta other;
	uint32_t page_bytes;
	int r = read_meta(check, 0, out);

	if (r < 0)
		return r;
	page_bytes = out->free_db.pad;
	if (page_bytes < PAGE_BYTES_MIN || page_bytes > PAGE_BYTES_MAX ||
	    page_bytes & (page_bytes - 1))
		return -EBADMSG;
	r = read_meta(check, page_bytes, &other);
	if (r < 0)
		return r;
	if (other.free_db.pad != page_bytes)
		return -EBADMSG;
	check->page_bytes = page_bytes;
	check->txn = u64_max(out->txn, other.txn);
	if ((check->txn & 1) != (other.txn > out->txn))
		return -EBADMSG;
	if (other.txn > out->txn)
		*out = other;
	return 0;
}

static int check_file(struct check *check, uint64_t size)
{
	struct meta meta;
	int r = find_meta(check, &meta);

	if (r < 0)
		return r;
	if (meta.last_page < 1 ||
	    meta.last_page >= INDEX_MAP_BYTES / check->page_bytes)
		return -EBADMSG;
	check->page_count = meta.last_page + 1;
	check->page_end = size / check->page_bytes;
	check->seen = mem_zalloc((size_t)(check->page_count / 8 + 1));
	if (!check->seen)
		return -ENOMEM;
	posix_fadvise(check->fd, 0, WARM_BYTES_MAX, POSIX_FADV_WILLNEED);
	r = check_tree(check, &meta.free_db, FREE_DB_FLAGS, check_free);
	return r < 0 ? r : check_tree(check, &meta.main_db, 0, check_table);
}

int index_check(const char *dir)
{
	auto_free char *file = mem_printf("%s/" DATA_FILE, dir);
	auto_close int fd = -1;
	struct check check = { 0 };
	struct stat st;
	int r;

	/* A later LMDB may have another file; its values are checked still. */
	if (MDB_VERSION_FULL >= MDB_VERINT(0, 10, 0) || sizeof(void *) != 8)
		return 0;
	if (!file)
		return -ENOMEM;
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	if (st.st_size == 0)
		return 0; /* made a moment before a crash */
	check.fd = fd;
	r = check_file(&check, (uint64_t)st.st_size);
	free(check.seen);
	return r;
}

static void remove_at(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, 0) < 0)
		unlinkat(dir_fd, name, AT_REMOVEDIR);
}

/* The two files of an index and their folder, or whatever has its name. */
static void bad_remove(const char *bad)
{
	auto_close int fd = open(bad, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
					      O_CLOEXEC);

	if (fd >= 0) {
		remove_at(fd, DATA_FILE);
		remove_at(fd, LOCK_FILE);
	}
	remove_at(AT_FDCWD, bad);
}

int index_set_aside(const char *dir)
{
	auto_free char *bad = mem_printf("%s.bad", dir);

	if (!bad)
		return -ENOMEM;
	bad_remove(bad);
	if (rename(dir, bad) < 0)
		return -errno;
	log_warn("cache", "the damaged index is kept in %s", bad);
	return mkdir(dir, 0700) < 0 ? -errno : 0;
}
