/* The container's root file system as a detached mount: nobody on the host ever sees it, and it goes with the container. */
#pragma once

#include "base/error.h"
#include "plan/plan_root_mount.h"

/* Makes it, layers opened and id-mapped by descriptor. A descriptor or a negative errno; -ENOSYS (ERROR_UNSUPPORTED): this kernel
 * can't make it detached, and root_mount_attach_old may. */
int root_mount_make(const struct plan_root_mount *root, struct error *err);
/* Attaches a detached one at path, for hooks that look at the root file system there. */
int root_mount_attach(int mount_fd, const char *path, struct error *err);
/* Kernels before 6.8, whose overlay takes its layers as one string alone: mount(2) at path. ERROR_UNSUPPORTED for id-mapped layers. */
int root_mount_attach_old(const struct plan_root_mount *root, const char *path, struct error *err);
/* The data of that mount(2), to be freed; NULL: no memory. Pure. */
char *root_mount_old_data(const struct plan_root_mount *root);
/* Nothing may be mounted at path yet: what we attach there is what is taken away later. */
int root_mount_check_place(const char *path, struct error *err);
