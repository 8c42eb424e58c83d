/* What a container is doing, found out by looking: nothing on disk can be stale. */
#pragma once

#include "container/brig.h"
#include "container/store.h"

struct cgroup;

/* ret_pidfd (may be NULL): of its first process, -EBADF where that is gone. */
enum brig_status status_of(const struct container *container, int *ret_pidfd);
/* The same; where it waits for start, ret_start_fd (may be NULL) is the connection by which that was found out, with O_NONBLOCK, and the
 * caller's; it stays as it is otherwise, and where nobody has time for one. */
enum brig_status status_and_connection(const struct container *container, int *ret_pidfd, int *ret_start_fd);
/* status_of, with the control group in which it was looked up whether it is frozen: the caller's; NULL where it was not looked at,
 * or can't be opened. */
enum brig_status status_and_group(const struct container *container, int *ret_pidfd, struct cgroup **ret_cgroup);
/* A connection to the first process of a created container, which waits on it for start. flags: SOCK_NONBLOCK or 0. A descriptor or
 * a negative errno: ECONNREFUSED where it does not wait any more. */
int status_connect(const struct container *container, int flags);
/* An error unless the container's process is there: "container not running". */
int status_open_running(const struct container *container, int *ret_pidfd, struct error *err);
