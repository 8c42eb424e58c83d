/* The steps that child.c puts in order. Each does one thing that the plan asks for; those that the plan does not need return
 * at once without a system call. */
#pragma once

#include "child/child.h"

/* descriptors.c */
int descriptors_close(struct child *child, struct error *err);
int descriptors_release(struct child *child, struct error *err);
int descriptors_hide(struct child *child, struct error *err);
/* identity.c */
int identity_become_root(struct child *child, struct error *err);
int identity_enter_user_namespace(struct child *child, struct error *err);
int identity_set_user(struct child *child, struct error *err);
/* namespaces.c */
int namespaces_enter(struct child *child, struct error *err);
int namespaces_unshare_late(struct child *child, struct error *err);
int namespaces_name_host(struct child *child, struct error *err);
int namespaces_raise_loopback(struct child *child, struct error *err);
int namespaces_enter_container(struct child *child, struct error *err);
/* rootfs.c */
int rootfs_attach(struct child *child, struct error *err);
int rootfs_pivot(struct child *child, struct error *err);
int rootfs_finish(struct child *child, struct error *err);
/* mounts.c */
int mounts_attach(struct child *child, struct error *err);
int mounts_make_readonly(struct child *child, struct error *err);
/* devices.c */
int devices_make(struct child *child, struct error *err);
/* guarded.c */
int guarded_mask(struct child *child, struct error *err);
int guarded_make_readonly(struct child *child, struct error *err);
/* private_proc.c */
int private_proc_open(struct child *child, struct error *err);
int private_proc_write_sysctls(struct child *child, struct error *err);
int private_proc_set_labels(struct child *child, struct error *err);
/* Keyrings that are made from here on, until execve(2), get SELinux's label of the process: brig's own is one under which a policy lets the
 * container not even search them. */
void private_proc_label_keys(struct child *child);
/* console.c */
int console_make(struct child *child, struct error *err);
/* hooks_child.c */
int hooks_child_wait_for_runtime(struct child *child, struct error *err);
int hooks_child_run_create_container(struct child *child, struct error *err);
int hooks_child_run_start_container(struct child *child, struct error *err);
/* process.c */
int process_join_cgroups(struct child *child, struct error *err);
int process_new_session(struct child *child, struct error *err);
int process_make_cwd(struct child *child, struct error *err);
int process_set_limits(struct child *child, struct error *err);
int process_set_scheduling(struct child *child, struct error *err);
int process_new_keyring(struct child *child, struct error *err);
int process_enter_cwd_as_root(struct child *child, struct error *err);
int process_enter_cwd(struct child *child, struct error *err);
int process_no_new_privileges(struct child *child, struct error *err);
/* placement.c */
int placement_apply(struct child *child, struct error *err);
/* capabilities.c */
int capabilities_bound(struct child *child, struct error *err);
int capabilities_apply(struct child *child, struct error *err);
/* landlock.c */
int landlock_make(struct child *child, struct error *err);
int landlock_restrict(struct child *child, struct error *err);
/* filter.c */
int filter_install_privileged(struct child *child, struct error *err);
int filter_install(struct child *child, struct error *err);
/* program.c */
int program_find(struct child *child, struct error *err);
int program_make_environment(struct child *child, struct error *err);
int program_wait_before_filter(struct child *child, struct error *err);
int program_wait_unprivileged(struct child *child, struct error *err);
int program_execute(struct child *child, struct error *err);
