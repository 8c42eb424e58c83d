/* An overlay as a detached mount, its layers given by descriptor (overlayfs.rst, fsconfig(2)). */
#pragma once

#include "base/error.h"
#include "plan/plan_root_mount.h"

/* userns_fd: whose maps the lower layers get, with root->maps_upper the upper one as well, or -EBADF. A descriptor or a negative errno;
 * -ENOSYS (ERROR_UNSUPPORTED) where the kernel does not take layers one by one. */
int overlay_make(const struct plan_root_mount *root, int userns_fd, struct error *err);

enum overlay_next { OVERLAY_BY_PATH, OVERLAY_AT_ONCE, OVERLAY_FAILS };
/* What to try where the kernel says this, an errno, to a layer by a descriptor that is good: by path at EBADF (Linux 6.5 to 6.14 take none
 * of O_PATH there) and EINVAL (an overlay that takes none at all); all layers in one string at EOPNOTSUPP (to 6.4, whose overlay has
 * mount(2)'s options alone, and takes any word for one until it is created). Source: fs/fsopen.c. Pure. */
enum overlay_next overlay_next(int code);
