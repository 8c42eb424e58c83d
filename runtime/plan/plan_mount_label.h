/* linux.mountLabel: which of the file systems that are made for a container get the label of SELinux, and how. */
#pragma once

#include "plan/plan_builder.h"

/* Keeps linux.mountLabel for the mounts and masks; where the host has no SELinux the rule `selinux-missing` says what becomes of it. Before the
 * mounts are built. Returns 0 or a negative errno with err set. */
int plan_mount_label_build(struct plan_builder *builder, struct error *err);
/* mount: a new file system, its options parsed. Gives it the label as the option context=, or, where the kernel takes none, to be set on its
 * root. A bind mount keeps the labels that its files have, and what the kernel itself labels (proc, sysfs, cgroups) is left alone.
 * Returns 0 or a negative errno with err set. */
int plan_mount_label_give(const struct plan_builder *builder, struct plan_mount *mount, struct error *err);
/* Is it an option that SELinux takes, with a label as its value? */
bool plan_mount_label_is_option(const char *key);
