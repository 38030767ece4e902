/* SPDX-License-Identifier: MIT */
#include "staging/weights/torch_zip.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "staging/weights/pickle.h"
#include "staging/weights/torch_state.h"

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

struct zip_storages {
	struct torch_storages base;
	const struct torch_zip *zip;
};

static int place(const struct torch_storages *storages,
		 const struct torch_view *view, const char *name, uint64_t *off,
		 struct refusal *why)
{
	const struct torch_zip *zip =
		container_of(storages, const struct zip_storages, base)->zip;
	const struct zip_entry *entry = torch_zip_storage(zip, view->key,
							  view->key_len);

	if (view->old || !entry || entry->size != view->storage_bytes)
		return refuse(why, "torch-storage", name,
			      "the checkpoint lacks the storage of a tensor, "
			      "or it has another size");
	if (!entry->proven)
		return refuse(why, "torch-storage", name,
			      "a storage's place in the file is unknown");
	*off = entry->payload;
	return 0;
}

int torch_zip_read(struct weights *weights, unsigned int file,
		   const struct torch_zip *zip, const void *bytes, size_t len,
		   struct refusal *why)
{
	const struct zip_storages storages = { { place }, zip };
	auto_pickle struct pickle *pickle = NULL;
	int r = pickle_parse(bytes, len, torch_globals, &pickle, why);

	if (r < 0)
		return r;
	return torch_state_read(weights, file, pickle_root(pickle),
				&storages.base, why);
}
