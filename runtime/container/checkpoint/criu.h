/* CRIU, run as a program of its own: what it links, and what it reads from images, stays out of ours. */
#pragma once

#include "base/error.h"
#include "container/checkpoint/criu_arguments.h"

struct cgroup;

/* Finds the program and says whether it can leave the network unlocked (3.18). ERROR_UNSUPPORTED: there is none. ret_fd: the caller's. */
int criu_open(int *ret_fd, bool *ret_can_skip_lock, struct error *err);
/* Saves job->pid and all below it, and ends them unless they are to go on. CRIU's own reason, and where its log is, in err. */
int criu_dump(int criu_fd, const struct criu_job *job, struct arena *arena, struct error *err);
/* What is brought back has descriptors 0 to 2 of ours where job->streams names them, and is our child, in that cgroup.
 * root_mount_fd: the root file system, or -EBADF: it is at the plan's path. */
struct criu_place {
	struct cgroup *cgroup;
	int root_mount_fd;
	int network_fd; /* of the namespace to join, or -EBADF */
};
/* Brings the container back from job->images, and waits until CRIU has. Errors: ERROR_UNSUPPORTED with CRIU's own
 * reason and the place of its log, ERROR_SYSTEM where it could not be started. */
int criu_restore(int criu_fd, const struct criu_job *job, const struct criu_place *place, struct arena *arena,
		 struct error *err);
