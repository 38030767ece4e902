/* SPDX-License-Identifier: MIT */
/*
 * staging/keras/h5_check.h - do a model_config and a weights file belong
 * together, as far as the names of layers tell?  Pure.
 *
 * Keras gives weights to layers by their order, whatever their names.  So a
 * wrong order gives a plausible wrong model; it is found where the two have
 * names in common.
 */
#ifndef STAGING_KERAS_H5_CHECK_H
#define STAGING_KERAS_H5_CHECK_H

#include <stddef.h>

#include "base/annot.h"
#include "staging/refusal.h"
#include "staging/weights/hdf5_attr.h"

/*
 * @layers: the file's, where @slash stands for each "/" ('\0': as they are).
 * -EBADMSG: @model_config is none, it has more layers with weights than the
 * file has layers, or layers of the same names are in another order.
 */
int h5_check_layers(const char *model_config, size_t len,
		    const struct hdf5_names *layers, char slash,
		    struct refusal *why) MUST_CHECK;

#endif
