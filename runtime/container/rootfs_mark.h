/* A root file system that brig itself attached at root.path, for hooks to look at: on record before it is there, so that delete,
 * also after a kill -9, takes it away. A symbolic link beside state.json: one system call, all or nothing. */
#pragma once

#include "base/error.h"
#include "container/store.h"

/* path: absolute. ERROR_SYSTEM, -EEXIST where there is a mark already. */
int rootfs_mark_set(const struct container *container, const char *path, struct error *err);
/* Unmounts what the mark names. No error where there is no mark, or nothing mounted. */
int rootfs_mark_unmount(const struct container *container, struct error *err);
