/* Device nodes and links of the container's /dev. */
#pragma once

#include "base/error.h"
#include "child/child.h"
#include "plan/plan.h"

/* Whose numbers uids and gids are: the parent, outside the container's user namespace, has to map them. */
enum devices_view { DEVICES_OF_CONTAINER, DEVICES_OF_HOST };

/* Of a child, which may be outside of the container's user namespace still. */
static inline enum devices_view devices_view(const struct child *child)
{
	return child->userns_fd >= 0 ? DEVICES_OF_HOST : DEVICES_OF_CONTAINER;
}

/* Makes the plan's devices that lie below /dev, and the usual links, in dev_fd: a directory or a detached tmpfs. */
int devices_fill(const struct plan *plan, int dev_fd, enum devices_view view, struct error *err);
