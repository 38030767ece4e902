/* SPDX-License-Identifier: MIT */
#include "staging/weights/torch_zip.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/mem.h"
#include "staging/weights/pickle.h"
#include "staging/weights/torch_tensor.h"

#define PICKLE_NAME "data.pkl"

/* "<root>/data.pkl" with one folder above it, and only one such. */
static bool is_pickle(const struct zip_entry *entry)
{
	const char *slash = strchr(entry->name, '/');

	return slash && slash > entry->name &&
	       strcmp(slash + 1, PICKLE_NAME) == 0;
}

/* The entry "<root>/<folder><name>"; NULL: there is none. */
static struct zip_entry *find_beside(const struct torch_zip *zip,
				     const char *folder, const char *name,
				     size_t name_len)
{
	size_t folder_len = strlen(folder), at = zip->root_len;
	char path[PATH_BYTES_MAX];

	if (at + folder_len + name_len > sizeof(path))
		return NULL;
	memcpy(path, zip->pickle->name, at);
	memcpy(path + at, folder, folder_len);
	at += folder_len;
	memcpy(path + at, name, name_len);
	return map_get_bytes(&zip->directory->by_name, path, at + name_len);
}

int torch_zip_find(struct zip_directory *directory, struct torch_zip *out,
		   struct refusal *why)
{
	struct torch_zip zip = { .directory = directory };

	for (size_t i = 0; i < directory->count; i++) {
		struct zip_entry *entry = &directory->entries[i];

		if (!is_pickle(entry))
			continue;
		if (zip.pickle)
			return refuse(why, "torch-zip", entry->name,
				      "the checkpoint holds two pickles");
		zip.pickle = entry;
	}
	if (!zip.pickle)
		return refuse(why, "torch-zip", NULL,
			      "the zip is not a PyTorch checkpoint");
	zip.root_len = zip.pickle->name_len - strlen(PICKLE_NAME);
	if (find_beside(&zip, "", "constants.pkl", strlen("constants.pkl")))
		return refuse(why, "torchscript", NULL,
			      "the file is a TorchScript program, not a "
			      "checkpoint of weights");
	zip.byteorder = find_beside(&zip, "", "byteorder", strlen("byteorder"));
	*out = zip;
	return 0;
}

static bool is_key(const char *key, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(key[i] >= '0' && key[i] <= '9') &&
		    !(key[i] >= 'a' && key[i] <= 'z') &&
		    !(key[i] >= 'A' && key[i] <= 'Z') && key[i] != '_')
			return false;
	return len > 0 && len <= NAME_BYTES_MAX;
}

struct zip_entry *torch_zip_storage(const struct torch_zip *zip,
				    const char *key, size_t key_len)
{
	if (!is_key(key, key_len))
		return NULL;
	return find_beside(zip, "data/", key, key_len);
}

/* Where the bytes of @view lie in the file. */
static int place(const struct torch_zip *zip, const struct torch_view *view,
		 struct tensor *tensor, struct refusal *why)
{
	const struct zip_entry *entry = torch_zip_storage(zip, view->key,
							  view->key_len);

	if (!entry || entry->size != view->storage_bytes)
		return refuse(why, "torch-storage", tensor->name,
			      "the checkpoint lacks the storage of a tensor, "
			      "or it has another size");
	if (!entry->proven)
		return refuse(why, "torch-storage", tensor->name,
			      "a storage's place in the file is unknown");
	tensor->off += entry->payload;
	return 0;
}

static int add_tensor(struct weights *weights, unsigned int file,
		      const struct torch_zip *zip,
		      const struct pickle_node *key,
		      const struct pickle_node *value, struct refusal *why)
{
	struct torch_view view;
	struct tensor tensor = { .file = file };
	auto_free char *name = NULL;
	int r;

	if (!torch_is_tensor(value))
		return 0;
	if (key->kind != PICKLE_STRING)
		return refuse(why, "torch-zip", NULL,
			      "a tensor of the checkpoint has no name");
	name = mem_strndup(key->bytes, key->count);
	if (!name)
		return -ENOMEM;
	tensor.name = name;
	r = torch_view_read(value, &view, &tensor, why);
	if (r == 0)
		r = place(zip, &view, &tensor, why);
	if (r == 0)
		r = weights_add(weights, &tensor);
	if (r == -EBADMSG || r == -EFBIG)
		return refuse(why, "torch-zip", name,
			      "a tensor of the checkpoint is malformed");
	return r;
}

static bool holds_tensors(const struct pickle_node *dict)
{
	for (size_t i = 1; i < dict->count; i += 2)
		if (torch_is_tensor(dict->items[i]))
			return true;
	return false;
}

/* The dict of tensors: the root, or what it has as "state_dict". */
static const struct pickle_node *state_of(const struct pickle_node *root)
{
	const struct pickle_node *inner;

	if (root->kind != PICKLE_DICT)
		return NULL;
	if (holds_tensors(root))
		return root;
	inner = pickle_get(root, "state_dict");
	if (inner && inner->kind == PICKLE_DICT && holds_tensors(inner))
		return inner;
	return NULL;
}

int torch_zip_read(struct weights *weights, unsigned int file,
		   const struct torch_zip *zip, const void *bytes, size_t len,
		   struct refusal *why)
{
	auto_pickle struct pickle *pickle = NULL;
	const struct pickle_node *state;
	int r = pickle_parse(bytes, len, torch_globals, &pickle, why);

	if (r < 0)
		return r;
	state = state_of(pickle_root(pickle));
	if (!state)
		return refuse(why, "torch-zip", NULL,
			      "the checkpoint is not a dictionary of tensors");
	for (size_t i = 0; r == 0 && i < state->count; i += 2)
		r = add_tensor(weights, file, zip, state->items[i],
			       state->items[i + 1], why);
	return r;
}
