/* SPDX-License-Identifier: MIT */
/*
 * fs/notify.h - what the kernel is told unasked.
 *
 * An inode never changes, so there is one thing to tell: bytes that were
 * shown before their file could be proven were false.  The kernel drops
 * the pages, and the next read is refused by us.
 */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include "base/blob.h"

/*
 * Drops the kernel's pages of every file made of @blob.  @fs is a struct
 * fs.  May wait for reads that are being answered: never on a thread that
 * answers one, never with a lock held.
 */
void notify_spoiled(void *fs, struct blob *blob);

#endif
