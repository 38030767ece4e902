/* SPDX-License-Identifier: MIT */
/* Nodes: one for an identity, gone with the last reference. */
#include <string.h>

#include "base/clock.h"
#include "fs/node.h"
#include "tests/unit/unit.h"

static struct node *make(struct tree *tree, const char *identity)
{
	struct node_spec spec = { .kind = NODE_FILE, .size = 7 };
	struct node *node = NULL;

	assert_int_equal(node_get(tree, identity, &spec, &node), 0);
	return node;
}

static void one_identity_is_one_node(void **state)
{
	struct tree tree;
	struct node *a;
	struct node *b;

	(void)state;
	assert_int_equal(tree_init(&tree), 0);
	a = make(&tree, "hub:a/b@c/repo/x");
	b = make(&tree, "hub:a/b@c/repo/x");
	assert_ptr_equal(a, b);
	assert_int_equal(tree.node_count, 2);
	node_unref(a);
	node_unref(b);
	assert_int_equal(tree.node_count, 1);
	tree_release(&tree);
}

static void ids_are_the_same_in_every_tree(void **state)
{
	struct tree one;
	struct tree two;
	struct node *a;
	struct node *b;

	(void)state;
	assert_int_equal(tree_init(&one), 0);
	assert_int_equal(tree_init(&two), 0);
	assert_int_equal(one.root->id, 1);
	node_unref(make(&one, "first"));
	a = make(&one, "hub:x");
	b = make(&two, "hub:x");
	assert_true(a->id == b->id);
	node_unref(a);
	node_unref(b);
	tree_release(&one);
	tree_release(&two);
}

static void a_node_lives_as_long_as_the_kernel_knows_it(void **state)
{
	struct tree tree;
	struct node *node;
	uint64_t id;

	(void)state;
	assert_int_equal(tree_init(&tree), 0);
	node = make(&tree, "hub:x");
	id = node->id;
	node_looked_up(node);
	node_looked_up(node);
	node_unref(node);
	node_forget(&tree, id, 1);
	node = node_by_id(&tree, id);
	assert_non_null(node);
	node_unref(node);
	node_forget(&tree, id, 1);
	assert_null(node_by_id(&tree, id));
	tree_release(&tree);
}

static void a_wrong_forget_is_ignored(void **state)
{
	struct tree tree;
	struct node *node;

	(void)state;
	assert_int_equal(tree_init(&tree), 0);
	node = make(&tree, "hub:x");
	node_looked_up(node);
	node_forget(&tree, node->id, 5);
	node_forget(&tree, 4711, 1);
	assert_int_equal(node->lookups, 1);
	node_forget(&tree, node->id, 1);
	node_unref(node);
	tree_release(&tree);
}

static void a_listing_sorts_and_keeps_the_first_of_equals(void **state)
{
	struct tree tree;
	struct listing *listing;

	(void)state;
	assert_int_equal(tree_init(&tree), 0);
	assert_int_equal(listing_new(CLOCK_NEVER, &listing), 0);
	assert_int_equal(listing_add(listing, "b", make(&tree, "b"), NODE_FILE),
			 0);
	assert_int_equal(listing_add(listing, "a", make(&tree, "a"), NODE_FILE),
			 0);
	assert_int_equal(listing_add(listing, "b", NULL, NODE_HUB), 0);
	listing_sort(listing);
	assert_int_equal(listing->count, 2);
	assert_string_equal(listing->entries[0].name, "a");
	assert_non_null(listing_find(listing, "b"));
	assert_null(listing_find(listing, "c"));
	listing_unref(listing);
	assert_int_equal(tree.node_count, 1);
	tree_release(&tree);
}

static void listings_and_known_names_expire(void **state)
{
	struct tree tree;
	struct listing *listing;
	struct node *child;

	(void)state;
	clock_set(1000 * NS_PER_S, 1000);
	assert_int_equal(tree_init(&tree), 0);
	child = make(&tree, "child");
	assert_int_equal(listing_new(clock_after_ns(NS_PER_S), &listing), 0);
	node_set_listing(tree.root, listing, node_expiries(tree.root));
	node_set_known(tree.root, "child", child, clock_after_ns(NS_PER_S));
	listing_unref(listing);
	listing = node_listing(tree.root);
	assert_non_null(listing);
	listing_unref(listing);
	node_unref(child);
	child = node_known(tree.root, "child");
	assert_non_null(child);
	node_unref(child);
	clock_set(1002 * NS_PER_S, 1002);
	assert_null(node_listing(tree.root));
	assert_null(node_known(tree.root, "child"));
	clock_set(0, 0);
	tree_release(&tree);
}

/* What was begun before an expiry may be of before: it is not kept. */
static void a_listing_of_before_an_expiry_is_not_kept(void **state)
{
	struct tree tree;
	struct listing *listing;
	uint64_t before;

	(void)state;
	assert_int_equal(tree_init(&tree), 0);
	before = node_expiries(tree.root);
	assert_int_equal(listing_new(CLOCK_NEVER, &listing), 0);
	node_expire(tree.root);
	assert_false(node_set_listing(tree.root, listing, before));
	assert_null(node_listing(tree.root));
	node_set_listing(tree.root, listing, node_expiries(tree.root));
	listing_unref(listing);
	listing = node_listing(tree.root);
	assert_non_null(listing);
	listing_unref(listing);
	tree_release(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_identity_is_one_node),
		cmocka_unit_test(ids_are_the_same_in_every_tree),
		cmocka_unit_test(a_node_lives_as_long_as_the_kernel_knows_it),
		cmocka_unit_test(a_wrong_forget_is_ignored),
		cmocka_unit_test(a_listing_sorts_and_keeps_the_first_of_equals),
		cmocka_unit_test(listings_and_known_names_expire),
		cmocka_unit_test(a_listing_of_before_an_expiry_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
