/* What a container's group is called where systemd makes it: the scope, its slice, and where the kernel has it. Pure, but for
 * the question which systemd is asked: the machine's, or the one of an ordinary user's session. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/unit_request.h"
#include "parent/cgroup/cgroup_internal.h"
#include "parent/cgroup/cgroup_settings.h"

struct cgroup_unit {
	char scope[UNIT_REQUEST_NAME_MAX + 1], slice[UNIT_REQUEST_NAME_MAX + 1];
	char path[CGROUP_PATH_MAX]; /* below the root of the tree, as cgroup_path has it */
	bool user;		    /* of a user's systemd */
};

/* Who asks: an ordinary user, or root of a user namespace whose root is one, has a systemd of its own. */
struct cgroup_unit_owner {
	bool user;
	uid_t uid; /* on the host; where user is set */
};

/* Of the calling process, by its effective uid and /proc/self/uid_map; where that can't be read, by its uid alone. */
struct cgroup_unit_owner cgroup_unit_owner_now(void);
/* "a-b.slice:prefix:name" -> prefix-name.scope in a.slice/a-b.slice (systemd.slice(5)). Without a slice it is system.slice, of a user's
 * systemd user.slice; "-.slice" is the root. ERROR_INVALID: not of that form, or no name that systemd takes. */
int cgroup_unit_of(const char *path, const struct cgroup_unit_owner *owner, struct cgroup_unit *ret, struct error *err);

/* Appends the lines `property ...` that say to systemd what the settings say to the kernel, so that it does not put back other values
 * when it is told to read its units again. What systemd has no property for is left out: it does not touch those files. */
void cgroup_unit_properties(const struct cgroup_settings *settings, struct buffer *request);
