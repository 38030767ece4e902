/* SPDX-License-Identifier: MIT */
#include "staging/skeletons/skeleton_store.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/atomic_file.h"
#include "base/hash.h"
#include "tests/unit/staging/skeleton_make.h"

/* A folder of the program's and one of a user's; gone after the test. */
struct place {
	char root[64];
	struct skeleton_dirs dirs;
	char *share, *user, *set; /* owned */
};

static void place_init(struct place *place)
{
	*place = (struct place){ .root = "/tmp/omnihub-skeletons-XXXXXX" };
	assert_non_null(mkdtemp(place->root));
	place->share = mem_printf("%s/share", place->root);
	place->user = mem_printf("%s/user", place->root);
	place->set = mem_printf("%s/share/set", place->root);
	assert_int_equal(folders_make(place->set), 0);
	assert_int_equal(folders_make(place->user), 0);
	place->dirs = (struct skeleton_dirs){ place->share, place->user };
}

static int remove_one(const char *path, const struct stat *stat, int kind,
		      struct FTW *walk)
{
	(void)stat;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void place_release(struct place *place)
{
	nftw(place->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(place->share);
	free(place->user);
	free(place->set);
	skeleton_store_clear();
}
DEFINE_AUTO(place, struct place, place_release)

static void put(const char *dir, const char *name, const void *bytes,
		size_t len)
{
	auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY);

	assert_true(fd >= 0);
	assert_int_equal(atomic_file_write(fd, name, bytes, len), 0);
}

static void put_packed(const char *dir, const char *name, const void *bytes,
		       size_t len)
{
	z_stream stream = { 0 };
	uint8_t packed[4096];

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 9,
				      Z_DEFAULT_STRATEGY),
			 Z_OK);
	stream.next_in = (uint8_t *)bytes;
	stream.avail_in = (unsigned int)len;
	stream.next_out = packed;
	stream.avail_out = sizeof(packed);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	put(dir, name, packed, stream.total_out);
	assert_int_equal(deflateEnd(&stream), Z_OK);
}

/* The classifier, which says it is of @source. */
static void make(struct made *made, const char *source)
{
	made_classifier(made);
	str_clear(&made->model);
	made_head(made);
	made_metadata(made, "omnihub.source", source);
	made_finish(made);
}

static void put_manifest(const struct place *place, const char *format,
			 const struct str *model)
{
	uint8_t sha[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	auto_str struct str text;

	str_init(&text, 4096);
	assert_int_equal(sha256(model->bytes, model->len, sha), 0);
	hex_encode(sha, sizeof(sha), hex);
	assert_int_equal(
		str_printf(&text,
			   "{\"format\": %s, \"libraries\": {}, \"models\": {"
			   "\"net\": {\"plain\": \"%s\", \"nodes\": 2, "
			   "\"dl4j\": {\"refused\": \"it has an Einsum\"}},"
			   "\"gone\": {\"plain\": \"%s\"},"
			   "\"odd\": {\"plain\": \"abc\"},"
			   "\"big\": {\"refused\": \"it has a loop\"}}}",
			   format, hex, hex),
		0);
	put(place->set, "manifest.json", text.bytes, text.len);
}

static const struct {
	const char *what, *set, *name;
	enum stage_form form;
	const char *code, *reason; /* NULL: it is there */
} asked[] = {
	{ "one that is there", "set", "net", STAGE_FORM_PLAIN, NULL, NULL },
	{ "the same again", "set", "net", STAGE_FORM_PLAIN, NULL, NULL },
	{ "its other form", "set", "net", STAGE_FORM_DL4J,
	  "unsupported-construct", "it has an Einsum" },
	{ "one that is refused", "set", "big", STAGE_FORM_PLAIN,
	  "unsupported-architecture", "it has a loop" },
	{ "the other form of that", "set", "big", STAGE_FORM_DL4J,
	  "unsupported-architecture", "it has a loop" },
	{ "one whose file is not there", "set", "gone", STAGE_FORM_PLAIN,
	  "skeleton", "damaged" },
	{ "one without a sound digest", "set", "odd", STAGE_FORM_PLAIN,
	  "skeleton", "malformed" },
	{ "one that nobody has", "set", "other", STAGE_FORM_PLAIN,
	  "no-skeleton", "other of set" },
	{ "one of another set", "sets", "net", STAGE_FORM_PLAIN, "no-skeleton",
	  "net of sets" },
	{ "a path", "set", "../set/net", STAGE_FORM_PLAIN, "no-skeleton",
	  "not known" },
	{ "a hidden file", "set", ".net", STAGE_FORM_PLAIN, "no-skeleton",
	  "not known" },
	{ "no name", "set", "", STAGE_FORM_PLAIN, "no-skeleton", "not known" },
};

static void the_programs_are_found_by_name(void **state)
{
	auto_of(place) struct place place;
	auto_of(made) struct made made;

	(void)state;
	place_init(&place);
	make(&made, "ours");
	put_manifest(&place, "1", &made.model);
	put_packed(place.set, "net.onnx.gz", made.model.bytes, made.model.len);
	put(place.user, ".net.onnx", made.model.bytes, made.model.len);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		auto_skeleton struct skeleton *skeleton = NULL;
		auto_refusal struct refusal why = { 0 };
		int r = skeleton_open(&place.dirs, asked[i].set, asked[i].name,
				      asked[i].form, &skeleton, &why);

		print_message("%s\n", asked[i].what);
		assert_int_equal(r, asked[i].code ? -EBADMSG : 0);
		if (!asked[i].code) {
			assert_string_equal(skeleton->source, "ours");
			continue;
		}
		assert_string_equal(why.code, asked[i].code);
		assert_non_null(strstr(why.reason, asked[i].reason));
	}
}

/* The source of what "net" is found as; or the refusal's code. */
static void assert_net(const struct place *place, enum stage_form form,
		       const char *source)
{
	auto_skeleton struct skeleton *skeleton = NULL;
	auto_refusal struct refusal why = { 0 };
	int r = skeleton_open(&place->dirs, "set", "net", form, &skeleton,
			      &why);

	assert_string_equal(r == 0 ? skeleton->source : why.code, source);
}

static void a_users_come_first(void **state)
{
	auto_of(place) struct place place;
	auto_of(made) struct made ours, theirs;

	(void)state;
	place_init(&place);
	make(&ours, "ours");
	make(&theirs, "theirs");
	put_manifest(&place, "1", &ours.model);
	put_packed(place.set, "net.onnx.gz", ours.model.bytes, ours.model.len);
	put_packed(place.user, "net.onnx.gz", theirs.model.bytes,
		   theirs.model.len);
	assert_net(&place, STAGE_FORM_PLAIN, "theirs");
	assert_net(&place, STAGE_FORM_DL4J, "unsupported-construct");
	put(place.user, "net.dl4j.onnx", ours.model.bytes, ours.model.len);
	assert_net(&place, STAGE_FORM_DL4J, "ours");
	put(place.user, "net.onnx", "abc", 3);
	assert_net(&place, STAGE_FORM_PLAIN, "skeleton");
	place.dirs.user = NULL;
	assert_net(&place, STAGE_FORM_PLAIN, "ours");
	place.dirs.share = NULL;
	assert_net(&place, STAGE_FORM_PLAIN, "no-skeleton");
}

static void what_the_manifest_does_not_prove_is_refused(void **state)
{
	auto_of(place) struct place place;
	auto_of(made) struct made ours, theirs;

	(void)state;
	place_init(&place);
	make(&ours, "ours");
	make(&theirs, "theirs");
	assert_net(&place, STAGE_FORM_PLAIN, "no-skeleton");
	put_manifest(&place, "1", &ours.model);
	put_packed(place.set, "net.onnx.gz", theirs.model.bytes,
		   theirs.model.len);
	assert_net(&place, STAGE_FORM_PLAIN, "skeleton");
	put(place.set, "net.onnx.gz", ours.model.bytes, ours.model.len);
	assert_net(&place, STAGE_FORM_PLAIN, "skeleton");
	put_manifest(&place, "2", &ours.model);
	assert_net(&place, STAGE_FORM_PLAIN, "skeleton");
}

/* An upgrade of the program below a running one. */
static void a_new_manifest_is_seen(void **state)
{
	auto_of(place) struct place place;
	auto_of(made) struct made first, second;

	(void)state;
	place_init(&place);
	make(&first, "first");
	make(&second, "second");
	put_manifest(&place, "1", &first.model);
	put_packed(place.set, "net.onnx.gz", first.model.bytes,
		   first.model.len);
	assert_net(&place, STAGE_FORM_PLAIN, "first");
	put_manifest(&place, "1", &second.model);
	put_packed(place.set, "net.onnx.gz", second.model.bytes,
		   second.model.len);
	assert_net(&place, STAGE_FORM_PLAIN, "second");
}

static void *ask_often(void *arg)
{
	for (int i = 0; i < 50; i++)
		assert_net(arg, STAGE_FORM_PLAIN, "ours");
	return NULL;
}

static void threads_may_ask_at_once(void **state)
{
	auto_of(place) struct place place;
	auto_of(made) struct made made;
	pthread_t threads[4];

	(void)state;
	place_init(&place);
	make(&made, "ours");
	put_manifest(&place, "1", &made.model);
	put_packed(place.set, "net.onnx.gz", made.model.bytes, made.model.len);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often,
						&place),
				 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_programs_are_found_by_name),
		cmocka_unit_test(a_users_come_first),
		cmocka_unit_test(what_the_manifest_does_not_prove_is_refused),
		cmocka_unit_test(a_new_manifest_is_seen),
		cmocka_unit_test(threads_may_ask_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
