/* bpf(2) for programs that are attached to a group of the v2 tree. Not for others. */
#pragma once

#include <linux/bpf.h>

/* A descriptor, 0, or a negative errno. */
int cgroup_bpf_call(enum bpf_cmd command, union bpf_attr *attr);
/* The program of that name (how we know ours from systemd's and others') that is attached to the group itself: a descriptor of the
 * caller's, or -ENOENT. */
int cgroup_bpf_find(int cgroup_fd, enum bpf_attach_type type, const char *name);
/* In place of replaced_fd, or, with -EBADF, beside what is there: a group below can add programs, but not get rid of this one. */
int cgroup_bpf_attach(int cgroup_fd, enum bpf_attach_type type, int program_fd, int replaced_fd);
int cgroup_bpf_detach(int cgroup_fd, enum bpf_attach_type type, int program_fd);
