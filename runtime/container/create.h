/* A container from its bundle to a process: what create and run have in common. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "child/child.h"
#include "container/brig.h"
#include "container/store.h"
#include "parent/birth.h"
#include "plan/plan.h"

struct cgroup;

struct creation {
	const struct brig *brig;
	const struct brig_create *request;
	struct host host;
	struct buffer text; /* config.json as read */
	struct plan *plan;
	struct container container;
	struct cgroup *cgroup;
	struct birth_request birth_request;
	struct birth birth;
	int filter_cache_fd, start_fd, console_fd;
	int master_socket_fd; /* foreground: where the terminal's master arrives */
	bool reserved; /* the state directory is ours to remove */
};

/* Makes the container; with CHILD_INIT_RUNS its program runs afterwards, with CHILD_INIT_WAITS it waits for brig_start.
 * Undoes everything where it fails; otherwise ret is for creation_done(). */
int creation_run(const struct brig *brig, const struct brig_create *request, enum child_role role,
		 struct creation *ret, struct error *err);
/* Ends and removes a container that was made. */
void creation_undo(struct creation *creation);
/* Releases memory and descriptors (the lock among them); the container stays. */
void creation_done(struct creation *creation);

/* Reads the bundle, decides, and logs what the report has to say. *ret_text (may be NULL): config.json as read. */
int creation_plan(const struct brig *brig, const struct brig_create *request, struct host *host, struct plan **ret,
		  struct buffer *ret_text, struct error *err);
/* The socket that a terminal's master is sent to: path connected, or, without one and in the foreground, one end of a pair whose
 * other end is *ret_master_socket_fd. -EBADF where there is no terminal; errors otherwise. */
int creation_open_console(bool terminal, const char *path, bool foreground, int *ret_console_fd, int *ret_master_socket_fd,
			  struct error *err);
/* Where the cgroup of --cgroup-manager and --systemd-cgroup is managed. */
enum plan_cgroup_manager creation_cgroup_manager(const struct brig *brig);
/* Sends the pidfd to --pidfd-socket, writes --pid-file. */
int creation_announce(const char *pid_file, const char *pidfd_socket, const struct birth *birth, struct error *err);
/* Warnings and refusals of a report to the log. */
void creation_log_report(const struct report *report);
