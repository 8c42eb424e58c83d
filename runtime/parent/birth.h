/* The parent's side of a birth: from a plan to a process, with everything undone where it fails. For the process of a new
 * container and for an exec's alike. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "child/child.h"
#include "plan/plan.h"

struct cgroup;
struct namespace_holder;
struct net_devices;

struct birth_request {
	const struct plan *plan;
	enum child_role role;
	bool privileged;       /* CAP_SYS_ADMIN over the host's namespaces */
	bool hybrid;	       /* v1 controllers may hold the group: the cgroup namespace is made after the moves */
	struct cgroup *cgroup; /* or NULL */
	struct namespace_holder *holder; /* of a new user namespace, where the plan's rootfs is locked, or NULL. Stays the caller's, for birth_finish() */
	int filter_cache_fd; /* directory of compiled filters, or -EBADF */
	bool is_awaited; /* the caller has something to do between birth_begin and birth_go: nothing of the container's runs before that */
	bool root_is_mapped; /* its layers have been, as the plan's rootfs.idmap says */
	int root_mount_fd; /* the root file system, in place of what is at the plan's path; or -EBADF. Stays the caller's */
	int start_fd;	   /* CHILD_INIT_WAITS: listening socket, else -EBADF */
	int console_fd;	     /* connected console socket, or -EBADF */
	int container_fd;    /* CHILD_EXEC: pidfd of the container's first process */
	pid_t container_pid; /* ... and its number */
	bool container_has_userns;
	bool has_own_group;	  /* CHILD_EXEC: cgroup is for it alone, and whoever outlives us ends it by that */
	bool has_default_signals; /* no signal is ignored or has a handler: the child need not see to it */
	const struct child_attendant *attendant; /* or NULL */
	/* Serves birth.listener_fd while the child is waited for: where each call is asked about (plan_seccomp.records), execve itself is.
	 * Returns 1, or what ends the birth. NULL: nobody needs it before the end. */
	int (*on_call)(void *context, int listener_fd);
	void *on_call_context;
};

struct birth {
	pid_t pid;
	int pidfd, channel_fd;
	enum child_wait waits;		 /* the child does, for birth_go */
	struct namespace_holder *holder; /* the request's */
	struct net_devices *net_devices; /* that were moved for it, and go back with birth_abort; or NULL */
	int agent_fd;			 /* to the plan's seccomp.listener_path, perhaps after hooks; or -EBADF */
	int listener_fd;		 /* of the floor's filter (floor_notifies), by birth_finish; or -EBADF */
	bool stays;			 /* birth_abort could not end it; also where birth_begin failed */
};

/* None yet. */
#define BIRTH_NONE                                                                                          \
	{                                                                                                   \
		.pid = -1, .pidfd = -EBADF, .channel_fd = -EBADF, .agent_fd = -EBADF, .listener_fd = -EBADF \
	}

/* Up to the moment in which the child can go its own way: maps and oom_score_adj are set, and it is in its cgroups, whose limits may be the
 * caller's to set before birth_go (birth_request.is_awaited). It may mount by then, in namespaces of its own. */
int birth_begin(const struct birth_request *request, struct birth *ret, struct error *err);
/* Lets it go on to its program. Until then it ends by itself where we end. */
int birth_go(const struct birth *birth, struct error *err);
/* Serves the child until it waits for start (CHILD_INIT_WAITS) or executes its program. */
int birth_finish(const struct birth_request *request, struct birth *birth, struct error *err);

struct birth_waiting {
	int channel_fd;		 /* connection to the process that waits for start, which has been told to go on */
	const struct plan *plan; /* or NULL, where no hooks and no listenerPath need it */
	pid_t pid;
	int agent_fd; /* as in struct birth */
};

/* The same for the connection of a later start. ret_listener_fd: as birth.listener_fd, set by the caller to -EBADF; also in case of
 * failure the caller's to close. */
int birth_finish_start(const struct birth_waiting *waiting, int *ret_listener_fd, struct error *err);
/* Kills and reaps what begin made, within some seconds: see birth.stays. */
void birth_abort(struct birth *birth);
void birth_done(struct birth *birth);
