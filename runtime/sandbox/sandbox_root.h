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

/* The tree that goes with the host's /usr: made once, kept for the sandboxes to come, and made anew where the host's /etc has changed. The
 * memory is arena's; the caller closes lock_fd. */
int sandbox_root_of_host(const struct sandbox_folder *folder, struct arena *arena, struct sandbox_root *ret,
			 struct error *err);
/* The same for one sandbox alone, in its own folder: mounts are to be made where it has nothing. */
int sandbox_root_of_host_alone(const struct sandbox_folder *folder, struct arena *arena, struct sandbox_root *ret,
			       struct error *err);
/* The tree for rootfs, a directory of the host's: in the sandbox's own folder. */
int sandbox_root_of_directory(const struct sandbox_folder *folder, const char *rootfs, struct arena *arena,
			      struct sandbox_root *ret, struct error *err);
/* An image unpacked into the sandbox's own folder. */
int sandbox_root_of_image(const struct sandbox_folder *folder, const struct sandbox_request *request,
			  struct arena *arena, struct sandbox_root *ret, struct error *err);
