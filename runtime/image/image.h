/* OCI image layouts (image-spec 1.1): an image found by its tag, its digests checked, unpacked into a folder that is ours alone.
 * Everything in a layout is hostile: see README.md for what is refused and the caps. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "image/pace.h"

/* What the image's configuration says about the process; strings live in the arena passed in. */
struct image_config {
	const char *const *entrypoint, *const *cmd, *const *env; /* NULL-terminated, or NULL */
	const char *working_directory, *user;			 /* or NULL */
};

struct image_limits {
	uint64_t bytes;	  /* of all files unpacked */
	uint64_t entries; /* files, folders and links */
};

struct image_request {
	const char *layout; /* a folder with an oci-layout file, or a tar file of such a folder */
	const char *tag; /* org.opencontainers.image.ref.name of index.json; NULL: the only image that fits this machine */
	struct image_limits limits; /* 0: the defaults */
	struct pace pace;
};

/* Unpacks into root_fd, an empty folder; on failure what was unpacked may be there: the caller removes the folder. As root owners
 * and modes are kept; without privileges everything is the caller's. ERROR_REFUSED: the layout is hostile or damaged, the message
 * names the blob and the entry; ERROR_NOT_FOUND: no such tag, or none for this machine. */
int image_unpack(const struct image_request *request, int root_fd, struct arena *arena, struct image_config *ret,
		 struct error *err);
