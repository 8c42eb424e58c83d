/* Which ids the site gives to users: newuidmap(1) and newgidmap(1) hand them out, and the kubelet has its own there (subuid(5), subgid(5)). A
 * container maps the same numbers for users and groups, so both files count for both. Ids that come by nsswitch.conf are not seen. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "policy/policy.h"

#define SUBORDINATE_IDS_UNIT 65536u /* ids */
#define SUBORDINATE_IDS_FILE_MAX ((size_t)4 * 1024 * 1024)

/* /etc/subuid and /etc/subgid; ended by NULL. */
extern const char *const subordinate_ids_files[];

struct subordinate_ids {
	uint64_t units[(UINT32_MAX / SUBORDINATE_IDS_UNIT + 1) / 64]; /* a bit each: some of its ids are given to somebody */
	char line[128]; /* the first that gives away some of those that were asked about: "/etc/subuid: me:1900000000:65536" */
};

/* Which of these ids are given away by these files (NULL: none). One that is not there gives nothing; a line that makes no sense neither, as
 * with newuidmap. Whoever owns the file is believed, as there. EFBIG: larger than SUBORDINATE_IDS_FILE_MAX. */
int subordinate_ids_read(const char *const *files, const struct policy_ids *asked, struct subordinate_ids *ret,
			 struct error *err);
/* Is one of the units that hold these ids given to somebody? count: not 0. */
bool subordinate_ids_has(const struct subordinate_ids *ids, uint32_t first, uint32_t count);
