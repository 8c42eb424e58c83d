/* An overlay as a detached mount, its layers given by descriptor (overlayfs.rst, fsconfig(2)). */
#pragma once

#include "base/error.h"
#include "plan/plan_root_mount.h"

/* userns_fd: whose maps the lower layers get, with root->maps_upper the upper one as well, or -EBADF. A descriptor or a negative errno;
 * -ENOSYS (ERROR_UNSUPPORTED) where the kernel does not take layers one by one. */
int overlay_make(const struct plan_root_mount *root, int userns_fd, struct error *err);
