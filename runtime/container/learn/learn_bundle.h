/* The bundle of a throw-away container over the host's own /usr, read-only: no network, nothing that can be written but /tmp. For
 * `brig learn -- CMD`. */
#pragma once

#include "base/error.h"

#define LEARN_BUNDLE_PATH_MAX 1024

struct learn_place {
	char path[LEARN_BUNDLE_PATH_MAX];
	int fd; /* of it, locked: as long as it is, nobody sweeps the place away */
};

struct learn_bundle {
	const char *const *argv; /* NULL-terminated, not empty */
	const char *const *binds; /* directories of the host's, absolute, to be read at the same path; NULL-terminated, or NULL */
	const char *const *env; /* NAME=VALUE, over what there is; NULL-terminated, or NULL */
	const char *cwd;	/* absolute; NULL: "/" */
};

/* Makes it in a new directory below $TMPDIR or /tmp. Those that were left there by a brig that was killed go: they are ours, and
 * nobody holds their lock. ret is for learn_bundle_remove(). */
int learn_bundle_make(const struct learn_bundle *bundle, struct learn_place *ret, struct error *err);
/* Takes it away again; what can't be taken away is a warning. */
void learn_bundle_remove(struct learn_place *place);
