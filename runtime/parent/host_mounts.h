/* The mounts of our own mount namespace, as /proc/self/mountinfo tells them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct host_mount {
	uint64_t id;	    /* as statx(2) has it in stx_mnt_id */
	const char *device; /* "8:1" */
	const char *root;   /* what of the file system is shown: "/" is all of it */
	const char *point;  /* where */
	const char *type;
};

struct host_mounts {
	const struct host_mount *list; /* older ones first */
	size_t n;
};

/* ret: in the arena. -EFBIG: there are more than 16 MiB of text about them. Errors are those of open(2) and read(2), or -ENOMEM,
 * with err set. */
int host_mounts_read(struct arena *arena, struct host_mounts *ret, struct error *err);
/* The same for a text of that form, which is changed. Lines that make no sense are left out. */
int host_mounts_parse(char *text, struct arena *arena, struct host_mounts *ret, struct error *err);
/* path: absolute, without symbolic links, on the mount with that id. Where it is a bind of a part of a file system that another
 * mount shows more of, from a shorter path: what path is called there. NULL: there is none, or no memory. */
const char *host_mounts_alias(const struct host_mounts *mounts, uint64_t id, const char *path, struct arena *arena);
/* Where below the directory path one of the kernel's own file systems (procfs, sysfs, devtmpfs...) is mounted, or NULL. */
const char *host_mounts_kernel_below(const struct host_mounts *mounts, const char *path);
