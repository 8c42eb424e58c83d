/* A container from its bundle to a process: what create and run have in common. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "child/child.h"
#include "container/brig.h"
#include "container/console_ends.h"
#include "container/creation/creation_ids.h"
#include "container/store.h"
#include "parent/birth.h"
#include "plan/plan.h"
#include "policy/policy.h"

struct cgroup;
struct namespace_holder;

/* All that is found out and decided before anything is done. */
struct decision {
	bool takes_ids; /* set by the caller: what the floor grants is taken, for a state directory that is there */
	struct creation_ids ids;
	struct host host;
	struct policy policy;
	struct spec *spec;
	struct plan *plan;
	struct report report; /* in the plan's memory */
	struct buffer text;   /* config.json as read */
};

/* Reads the bundle and decides. holds: see plan_request. ret is for creation_decision_done(); on failure it has what there is by then. */
int creation_decide(const struct brig *brig, const struct brig_create *request, unsigned holds, struct decision *ret,
		    struct error *err);
void creation_decision_done(struct decision *decision);

struct creation {
	const struct brig *brig;
	const struct brig_create *request;
	enum child_role role;
	struct decision decision;
	const struct plan *plan; /* the decision's */
	struct container container;
	struct cgroup *cgroup;
	struct namespace_holder *holder; /* of the namespaces that are new, until the birth; or NULL */
	bool is_unlimited;		 /* the cgroup is, until the first process is there: see limit_late() */
	struct birth_request birth_request;
	struct child_attendant attendant;
	struct birth birth;
	struct console_ends console;
	int filter_cache_fd, start_fd;
	int root_mount_fd;   /* creation_root_make's, or -EBADF: the root file system is at the plan's path */
	bool root_is_mapped; /* creation_root_make has seen to the plan's rootfs.idmap */
	bool reserved;	     /* the state directory is ours to remove */
	uint64_t begun_usec; /* as clock_us has it */
	bool is_recorded;    /* in the audit trail: record_create */
};

/* Makes the container; with CHILD_INIT_RUNS its program runs afterwards, with CHILD_INIT_WAITS it waits for brig_start.
 * Undoes everything where it fails; otherwise ret is for creation_done(). */
int creation_run(const struct brig *brig, const struct brig_create *request, enum child_role role, struct creation *ret,
		 struct error *err);
/* Ends and removes a container that was made. failure: why; for the audit trail. */
void creation_undo(struct creation *creation, const struct error *failure);
/* Releases memory and descriptors (the lock among them); the container stays. */
void creation_done(struct creation *creation);

/* Where the cgroup of --cgroup-manager and --systemd-cgroup is managed. */
enum plan_cgroup_manager creation_cgroup_manager(const struct brig *brig);
/* Are descriptors 3 to 3 + preserve_fds - 1 the caller's? */
int creation_check_fds(unsigned preserve_fds, struct error *err);
/* Sends the pidfd to --pidfd-socket, writes --pid-file. */
int creation_announce(const char *pid_file, const char *pidfd_socket, const struct birth *birth, struct error *err);
/* For the supervisor: the process, with birth's pidfd. */
int creation_hand_over(const struct state *state, struct birth *birth, struct brig_process *ret, struct error *err);
/* Warnings and refusals of a report to the log. */
void creation_log_report(const struct report *report);
