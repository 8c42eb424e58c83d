/* The kernel's log as a second witness of out-of-memory kills. systemd removes a scope, and the count with it, as soon as the last process
 * has left, which may be before anybody could read it; an open file of a removed group says ENODEV. What the kernel logs of a kill is
 * there before the process ends, and stays. It logs ten in five seconds at most: who can still read the count does not ask here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The log from now on; the caller closes it. -EBADF where we may not read it. */
int cgroup_oom_log_open(void);
/* How many kills of processes of the group /path, and below it, there are in what log_fd has not told yet. */
uint64_t cgroup_oom_log_count(int log_fd, const char *path);
/* Is the record (as /dev/kmsg has it: "6,1234,5678,-;oom-kill:...,task_memcg=/a/b,task=...") the kernel's word that it killed a process of
 * the group /path or below it? */
bool cgroup_oom_log_names(const char *record, const char *path);
