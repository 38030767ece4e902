/* SPDX-License-Identifier: MIT */
/*
 * base/share.h - where the program's own data files are.
 *
 * The folder is $OMNIHUB_SHARE; else share/omnihub beside the running
 * program (as built); else ../share/omnihub (as installed in bin/).
 */
#ifndef BASE_SHARE_H
#define BASE_SHARE_H

#include "base/annot.h"

/*
 * The path of @relative ("catalogues/keras.tsv") in that folder; caller
 * frees *@out.  It need not be there.  -ENOMEM; -errno: this program's own
 * place cannot be learnt.
 */
int share_path(const char *relative, char **out) MUST_CHECK;

#endif
