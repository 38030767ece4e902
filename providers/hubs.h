/* SPDX-License-Identifier: MIT */
/*
 * providers/hubs.h - the makers of hubs, for registry.c.
 *
 * On success the caller frees *@out with provider_free().  @env is copied;
 * what it points to outlives the provider.
 */
#ifndef PROVIDERS_HUBS_H
#define PROVIDERS_HUBS_H

#include "base/annot.h"
#include "providers/provider.h"

/* @endpoint NULL: $HF_ENDPOINT, else https://huggingface.co.  -EINVAL. */
int hub_huggingface_new(const struct provider_env *env, const char *endpoint,
			struct provider **out) MUST_CHECK;

/*
 * The ONNX model zoo and keras.applications.  @endpoint, a URL or a folder,
 * is looked up by origin.h again.  -ENOENT: the catalogue is not installed.
 */
int hub_onnx_new(const struct provider_env *env, const char *endpoint,
		 struct provider **out) MUST_CHECK;
int hub_keras_new(const struct provider_env *env, const char *endpoint,
		  struct provider **out) MUST_CHECK;

/*
 * The hubs of PyTorch: one, which is made of those below, each a
 * directory of it and named so.
 */
int hub_pytorch_new(const struct provider_env *env, const char *endpoint,
		    struct provider **out) MUST_CHECK;
int hub_torchvision_new(const struct provider_env *env, const char *endpoint,
			struct provider **out) MUST_CHECK;
int hub_timm_new(const struct provider_env *env, const char *endpoint,
		 struct provider **out) MUST_CHECK;
int hub_torchserve_new(const struct provider_env *env, const char *endpoint,
		       struct provider **out) MUST_CHECK;
int hub_torchhub_new(const struct provider_env *env, const char *endpoint,
		     struct provider **out) MUST_CHECK;

/*
 * TensorFlow's models on Kaggle, or those of a folder, where @endpoint is
 * one.  Errors likewise; -EINVAL where that of www.kaggle.com is a folder:
 * it cannot be asked what it has.
 */
int hub_tensorflow_new(const struct provider_env *env, const char *endpoint,
		       struct provider **out) MUST_CHECK;

/* The same of @folder: <publisher>/<model>/<variation>/<version>/. */
int hub_tensorflow_folder_new(const char *folder,
			      struct provider **out) MUST_CHECK;

/* The hub of that name in registry.c; for hubs that need another. */
int provider_new_named(const char *name, const struct provider_env *env,
		       struct provider **out) MUST_CHECK;

/*
 * Serves @folder as hub @name (static): models as <org>/<model>/, or in
 * the layout of hf_cache_layout.h.  -ENOENT, -ENOTDIR: no such folder.
 */
int hub_local_new(const char *name, const char *folder,
		  struct provider **out) MUST_CHECK;

#endif
