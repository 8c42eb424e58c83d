/* Namespaces that a container is told to join, and the way there and back. */
#pragma once

#include <linux/sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "child/child.h"
#include "plan/plan.h"

#define JOIN_MAX 8 /* kinds of namespaces */

struct namespace_holder;

struct join {
	int fds[JOIN_MAX];	 /* one for each plan_namespace_join, opened and checked */
	bool by_child[JOIN_MAX]; /* joined after the clone: the mount namespace; all, where we lack the privilege */
	size_t n;
	int back_fds[JOIN_MAX]; /* our own, of the kinds that we left */
	int back_flags[JOIN_MAX];
	size_t n_back;
	bool sets_up_network; /* the network namespace that is joined is not our own, and network_set_up() has work to do in it */
	int pid_fd;	      /* one of fds, or -EBADF: where there is a userns_fd the intermediate joins it as well */
	int userns_fd; /* joined between us and the container, by an intermediate process; or -EBADF */
	bool late;     /* the child enters it by itself, when all is mounted: plan_rootfs.locked */
	int made_fd;   /* userns_fd, where we made it; or -EBADF */
	struct namespace_holder *holder; /* of what is new; the caller's, or NULL */
	int container_fd;		 /* exec: pidfd of the container's first process, or -EBADF */
	uint64_t enter;			 /* ... and its namespaces that the intermediate joins */
};

/* Opens what the plan says, checking that each file is a namespace of its kind (ioctl_ns(2)). */
int join_open(const struct plan_namespaces *namespaces, bool privileged, struct join *ret, struct error *err);
/* For a container whose mount namespace is not its user namespace's (plan_rootfs.locked), after join_open: joins what belongs to its new user namespace, as join_enter
 * does. holder: has made them, or is about to; NULL where the plan has no new user namespace. */
int join_owned(struct join *join, struct namespace_holder *holder, struct error *err);
/* Joins what the parent can join: everything owned by the host's user namespace. pid namespaces count for children only. */
int join_enter(struct join *join, const struct plan_namespaces *namespaces, struct error *err);
/* exec: the namespaces of a running container, given by pidfd. An intermediate process will join them, so that the child is never
 * in the container's pid namespace with the host's files in its view: a container that may trace would read them by way of
 * /proc/PID/root (CVE-2016-9962). enter: as in the plan. */
void join_container(struct join *join, int container_fd, uint64_t enter, bool privileged);
/* Back to our own. A failure here leaves brig in foreign namespaces: the caller must give up. */
int join_leave(struct join *join, struct error *err);
void join_done(struct join *join);

/* clone3(2) with args, in the user namespace of join->userns_fd where there is one: then an intermediate process joins it and
 * clones with CLONE_PARENT. The child runs child_main and does not come back. Returns the pid or a negative errno. */
pid_t join_clone(const struct join *join, const struct clone_args *args, struct child *child, struct error *err);
