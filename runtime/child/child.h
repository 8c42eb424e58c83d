/* From clone to execve: the list of steps that the container's first process (or an exec's) takes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/plan.h"

struct seccomp_program;

/* Which list of steps the process takes. */
enum child_role {
	CHILD_INIT_WAITS, /* create: waits for start before it executes */
	CHILD_INIT_RUNS,  /* run */
	CHILD_EXEC,	  /* joins a container that is there */
};

/* Where it waits for the parent's word that all which only the parent can do is done. */
enum child_wait {
	CHILD_WAITS_NOT,
	CHILD_WAITS_FIRST, /* before it does anything: its ids, say, are the parent's to map */
	CHILD_WAITS_LATE, /* before it does anything that is not ours: limits, records and descriptors of the program's */
};

/* One controller's directory of a host with cgroups v1, to be shown below the container's cgroup mount. */
struct child_view {
	const char *name;
	int fd;	      /* detached mount */
	size_t mount; /* index in rootfs.mounts of the one below which it goes */
};

#define CHILD_VIEWS_MAX 13 /* of one mount */

/* A v1 cgroup to be in. */
struct child_cgroup {
	const char *name; /* of the controller */
	int tasks_fd;	  /* its file "tasks", open for writing */
};

#define CHILD_CGROUPS_MAX 12

/* Of a container that brig attends to (init.h). */
struct child_attendant {
	int stdio[3];		 /* the program's standard streams */
	int init_fd;		 /* to the attendant */
	const char *handed_over; /* a directory in the container, or NULL */
	uint16_t listen_port;	 /* with it: of 127.0.0.1, and the path of a unix socket; 0, NULL: none */
	const char *listen_path;
};

/* What the parent hands over, and what the steps pass to each other. The memory came with the clone. */
struct child {
	enum child_role role;
	const struct plan *plan;
	const struct seccomp_program *filter; /* or NULL */
	int channel_fd;			      /* to the parent; after a start by way of start_fd: to `brig start` */
	int start_fd;			      /* the listening socket of a created container */
	int console_fd;			      /* connected console socket: the pty's master goes there */
	int root_fd;	/* detached clone of the root file system; -EBADF: made from its path by the child */
	int *mount_fds; /* one for each mount of the plan: detached mounts, -EBADF where the child makes it */
	const struct child_view *views; /* they go below mounts of kind PLAN_MOUNT_CGROUP, then each a tmpfs */
	size_t n_views;
	struct child_cgroup cgroups[CHILD_CGROUPS_MAX];
	size_t n_cgroups;
	int *join_fds;	  /* one for each namespace to join in the child, -EBADF where that is done */
	int container_fd; /* exec: pidfd of the container's first process */
	const struct child_attendant *attendant; /* or NULL */
	int log_fd;
	int userns_fd; /* of the container, to be entered when all is mounted (plan_rootfs.locked); or -EBADF */
	int cgroup_fd; /* for the clone alone: whoever is born by it has no use for it */
	enum child_wait waits;
	bool has_loopback;	   /* who made the network namespace brings it up, before the parent's word */
	bool has_default_signals;  /* nothing is ignored or handled */
	bool in_user_namespace;	   /* not the host's: its ids have to be taken on */
	bool joins_user_namespace; /* exec: by setns, after the clone */
	uint64_t late_namespaces;  /* CLONE_NEWCGROUP, CLONE_NEWTIME: those that clone3 could not make */

	/* made on the way */
	int host_pid;	 /* our pid as the host counts it */
	int proc_fd;	 /* a procfs of our own (never attached), while the plan needs one; exec: made by the parent */
	int label_fd;	 /* proc_fd's self/attr/...: opened before pivot_root, written at the end */
	int key_fd;	 /* the same for the label of keyrings, until ours is made */
	int landlock_fd; /* the ruleset, until the process is restricted by it */
	int pts_fd;	 /* the container's devpts, where it was mounted by us */
	bool is_in_cwd;	 /* entered before the change to the user */
	char *program;	 /* what execve gets */
	const char **environment;
};

struct step {
	const char *name; /* "attach the mounts": the prefix of its errors */
	int (*run)(struct child *child, struct error *err);
};

/* Never returns: executes the program or reports on the channel and exits with status 255. */
_Noreturn void child_main(struct child *child);
/* A warning on its way to the parent's log. */
void child_warn(struct child *child, const char *format, ...) __attribute__((format(printf, 2, 3)));
