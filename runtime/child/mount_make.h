/* One detached mount made as the plan says: by the parent where that takes the host's view, else by the child. */
#pragma once

#include "base/error.h"
#include "plan/plan.h"

/* A detached mount with its attributes and propagation set: a clone of a host
 * path for a bind (open_tree(2)), a new file system otherwise (fsopen(2), fsconfig(2), fsmount(2)).
 * userns_fd: a user namespace with the maps of an id-mapped mount, or -EBADF. A descriptor or a negative errno. */
int mount_make(const struct plan_mount *mount, int userns_fd, struct error *err);
/* Gives a detached mount the maps of a user namespace (mount_setattr(2), MOUNT_ATTR_IDMAP). flags: AT_RECURSIVE or 0. Returns 0 or a negative
 * errno: -EINVAL where its file system does not support that. */
int mount_make_map_ids(int mount_fd, unsigned flags, int userns_fd);
/* A detached clone of the directory source_fd with the mount's attributes: a cgroup for a container that has no cgroup namespace. */
int mount_make_clone(int source_fd, const struct plan_mount *mount, struct error *err);
/* Attaches a detached mount, by descriptor, to what another descriptor is open at. Returns 0 or a negative errno. */
int mount_make_attach(int mount_fd, int target_fd);
/* A file system without attributes or a plan: the private procfs, the masking tmpfs. options: n pairs. */
int mount_make_filesystem(const char *type, const struct plan_mount_option *options, size_t n, uint64_t attributes,
			  struct error *err);
