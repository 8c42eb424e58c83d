/* The root file system of a sandbox: a small tree of our own, read-only, with the directories of the host's (or of --rootfs) bound into
 * it. What is bound is never written to, not even to make a mount's target. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "image/image.h"
#include "sandbox/sandbox.h"

struct sandbox_folder;

struct sandbox_root {
	const char *path; /* absolute */
	const struct sandbox_bind *parts;
	size_t n_parts;
	struct image_config image; /* of an image's process; else NULLs */
	int lock_fd;		   /* keeps a shared tree from being taken away; or -EBADF */
};

/* Makes what request asks for: an image (--oci) unpacked or the tree for a directory of the host's (--rootfs), in the sandbox's own folder;
 * else the tree that goes with the host's /usr, which sandboxes share. The memory is arena's; the caller closes lock_fd. */
int sandbox_root_make(const struct sandbox_folder *folder, const struct sandbox_request *request, struct arena *arena,
		      struct sandbox_root *ret, struct error *err);
