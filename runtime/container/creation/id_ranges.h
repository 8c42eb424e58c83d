/* Which ranges of the host's ids are taken, by which containers: one directory for all of the host, so that containers of different
 * --root directories never share one.
 *
 * In units of 65536 ids: DIRECTORY/UNIT/HOLDER, a symbolic link to the holder's state directory. The directory of a unit makes it
 * taken, each link in it is one container of a pod. A link whose state directory is not there any more counts for nothing: whatever
 * a killed brig leaves is found again. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "container/creation/subordinate_ids.h"
#include "policy/policy.h"

#define ID_RANGES_DIRECTORY "/run/brig-ids"

struct id_ranges {
	const char *directory;	       /* made where it is missing: 0700, of root */
	struct policy_ids ids;	       /* what the policy gives to containers */
	const char *const *given_away; /* subordinate_ids_files: nobody is given what they give to users; or NULL */
};

/* The first id of the range that the holder would be given first. Looks at nothing. */
uint32_t id_ranges_guess(const struct id_ranges *ranges, const char *holder);
/* How many of the policy's ranges have no id of these. */
uint32_t id_ranges_left(const struct id_ranges *ranges, const struct subordinate_ids *given);
/* Takes a range of ids.size that nobody has. holder: the absolute path of the container's state directory, which is there. Its first id.
 * ERROR_SYSTEM: ENOSPC, all of them are taken; ERROR_REFUSED: the directory is not ours alone; ERROR_TIMEOUT. */
int id_ranges_take(const struct id_ranges *ranges, const char *holder, uint32_t *ret_first, struct error *err);
/* The range from `first` on has one more holder: another container of the same pod. */
int id_ranges_share(const struct id_ranges *ranges, uint32_t first, const char *holder, struct error *err);
/* Both are no error where there is nothing to release. */
int id_ranges_release(const struct id_ranges *ranges, uint32_t first, const char *holder, struct error *err);
/* All that the holder may have, where nobody knows which: a brig was killed over it. */
int id_ranges_release_all(const char *directory, const char *holder, struct error *err);
