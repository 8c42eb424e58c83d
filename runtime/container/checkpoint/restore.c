/* A container that CRIU brings back: it waits, stopped, as a created one does on its socket. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/syscalls.h"
#include "container/checkpoint/checkpoint.h"
#include "container/checkpoint/criu.h"
#include "container/record.h"
#include "container/state.h"
#include "parent/cgroup/cgroup.h"
#include "parent/join.h"
#include "plan/plan_checkpoint.h"

#define ARENA_MAX ((size_t)1024 * 1024)
/* In the container's state directory, where nobody else writes. */
#define PID_FILE "criu.pid"
#define WAITS_FILE "brought-back"

static int check(const struct creation *creation, bool waits, struct error *err)
{
	char reason[PLAN_LOST_MAX];

	if (geteuid() != 0 || creation->decision.host.in_user_namespace)
		return error_set(err, ERROR_UNSUPPORTED, EPERM, "CRIU has to run as root, outside of a user namespace");
	if (waits && creation->plan->cgroup.manager == PLAN_CGROUP_DISABLED)
		return error_set(
			err, ERROR_UNSUPPORTED, EOPNOTSUPP,
			"without a cgroup (--cgroup-manager=disabled) nobody could let all of its processes go on");
	if (plan_checkpoint_loses(&creation->decision.policy, creation->plan, reason))
		return error_set(err, ERROR_REFUSED, EPERM, "the container can't be brought back: %s", reason);
	return 0;
}

/* Opened and checked as for any container: *ret_fd is -EBADF where none is joined. */
static int open_network(const struct plan_namespaces *namespaces, int *ret_fd, struct error *err)
{
	struct join join;
	int rc = join_open(namespaces, /* privileged= */ true, &join, err);

	if (rc < 0)
		return rc;
	if (join.n > 0)
		*ret_fd = steal_fd(&join.fds[0]);
	join_done(&join);
	return 0;
}

/* Which process is the container's first. It is our child: nobody else can have got its number by now. */
static int take_process(struct creation *creation, struct error *err)
{
	struct birth *birth = &creation->birth;
	siginfo_t ended = { 0 };
	char text[32];
	int pid = 0;

	if (fd_read_file_at(creation->container.dir_fd, PID_FILE, text, sizeof(text)) < 0 || sscanf(text, "%d", &pid) != 1)
		return error_set(err, ERROR_SYSTEM, EIO, "criu has brought something back, and not said which process");
	if (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) < 0)
		return error_system(err, errno, "criu names process %d, which is no child of ours", pid);
	birth->pid = pid;
	birth->pidfd = sys_pidfd_open(pid, 0);
	if (birth->pidfd < 0)
		return error_system(err, errno, "open process %d", pid);
	unlinkat(creation->container.dir_fd, PID_FILE, 0);
	creation->container.state.pid = pid;
	creation->container.state.pid_start_time = state_process_start_time(pid);
	return 0;
}

static int bring_back(struct creation *creation, bool waits, struct arena *arena, struct error *err)
{
	char pid_file[PATH_MAX];
	struct brig_images images = { 0 };
	struct criu_job job = { .images = &images, .plan = creation->plan, .pid_file = pid_file, .stays_stopped = waits };
	struct criu_place place = { .cgroup = creation->cgroup, .root_mount_fd = creation->root_mount_fd };
	AUTO_CLOSE int criu_fd = -EBADF;
	AUTO_CLOSE int network_fd = -EBADF;
	bool can_skip_lock = false;
	int rc = open_network(&creation->plan->namespaces, &network_fd, err);

	if (rc < 0)
		return rc;
	place.network_fd = network_fd;
	if (snprintf(pid_file, sizeof(pid_file), "%s/%s/" PID_FILE, creation->brig->root, creation->request->id) >=
	    (int)sizeof(pid_file))
		return error_invalid(err, "--root %.200s: too long", creation->brig->root);
	rc = criu_open(&criu_fd, &can_skip_lock, err);
	if (rc >= 0)
		rc = checkpoint_folders(creation->request->images, /* make= */ false, arena, &images, err);
	if (rc >= 0)
		rc = checkpoint_streams_load(images.path, arena, job.streams, err);
	job.locks_network = !can_skip_lock || images.tcp_established;
	if (rc >= 0)
		rc = criu_restore(criu_fd, &job, &place, arena, err);
	log_debug("restore: criu is done");
	return rc < 0 ? rc : take_process(creation, err);
}

static int mark_as_waiting(const struct creation *creation, struct error *err)
{
	AUTO_CLOSE int fd = openat(creation->container.dir_fd, WAITS_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? error_system(err, errno, "make the file " WAITS_FILE " in the container's state") : 0;
}

bool checkpoint_waits(const struct container *container)
{
	return faccessat(container->dir_fd, WAITS_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int checkpoint_go_on(const struct container *container, struct error *err)
{
	AUTO(cgroup_free) struct cgroup *cgroup = NULL;
	int rc = cgroup_open(container->state.cgroup_manager, container->state.cgroup_path, &cgroup, err);

	if (rc >= 0)
		rc = cgroup_signal(cgroup, SIGCONT, err);
	if (rc >= 0)
		unlinkat(container->dir_fd, WAITS_FILE, 0);
	return rc;
}

int checkpoint_restore(struct creation *creation, struct error *err)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX);
	bool waits = creation->role == CHILD_INIT_WAITS;
	int rc = arena ? check(creation, waits, err) : error_memory(err);

	if (rc >= 0 && waits)
		rc = mark_as_waiting(creation, err);
	if (rc >= 0)
		rc = bring_back(creation, waits, arena, err);
	if (rc >= 0)
		rc = record_prepare(creation, err);
	if (rc >= 0 && !waits)
		rc = record_create(creation, err);
	if (rc >= 0 && !waits)
		rc = record_start(creation->brig, &creation->container.state, /* begun_usec= */ 0, err);
	return rc < 0 ? error_prefix(err, "restore from %s", creation->request->images->path) : 0;
}
