#include "container/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/syscalls.h"
#include "child/handshake.h"
#include "child/hooks.h"
#include "container/brig.h"
#include "container/checkpoint/checkpoint.h"
#include "container/record.h"
#include "container/status.h"
#include "container/store.h"
#include "container/stored_plan.h"
#include "parent/birth.h"
#include "parent/listener.h"

#define END_TIMEOUT_MS 5000

/* Whoever is told that the start failed deletes the container next, without --force: it has to have ended by then. */
static void wait_for_end(int pidfd)
{
	struct pollfd polled = { .fd = pidfd, .events = POLLIN };

	while (poll(&polled, 1, END_TIMEOUT_MS) < 0 && errno == EINTR)
		;
}

int start_run_hooks(const struct plan *plan, pid_t pid, int pidfd, struct error *err)
{
	int rc = hooks_run(plan, PLAN_HOOK_POSTSTART, pid, "running", err);

	if (rc >= 0)
		return rc;
	sys_pidfd_send_signal(pidfd, SIGKILL);
	wait_for_end(pidfd);
	return rc;
}

struct waiting { /* the container's first process */
	int pidfd;
	int fd;		     /* connection to it, or -EBADF */
	int denials_fd;	     /* brig_start_supervised's */
	uint64_t begun_usec; /* when the start was asked for: clock_us */
};

/* The connection by which the status was found out is used again where there is one: it was made without blocking, and is to
 * block now. */
static int connect_to(const struct container *container, struct waiting *waiting, struct error *err)
{
	if (waiting->fd < 0)
		waiting->fd = status_connect(container, 0);
	if (waiting->fd < 0)
		return error_system(err, -waiting->fd, "connect to the container that waits for start");
	if (fcntl(waiting->fd, F_SETFL, 0) < 0)
		return error_system(err, errno, "fcntl of the connection to the container");
	return 0;
}

static int continue_restored(const struct brig *brig, const struct container *container, const struct waiting *waiting,
			     struct error *err)
{
	int rc = record_start(brig, &container->state, waiting->begun_usec, err);

	return rc < 0 ? rc : checkpoint_go_on(container, err);
}

/* The record first: from handshake_send_go() on the program may run, and what runs is to be in the trail. An agent for the
 * listener is connected to before as well, since afterwards nothing could be taken back. */
static int let_go(const struct brig *brig, const struct container *container, const struct plan *plan,
		  struct waiting *waiting, struct error *err)
{
	struct birth_waiting birth = { .plan = plan, .pid = container->state.pid };
	AUTO_CLOSE int agent_fd = -EBADF;
	int rc = connect_to(container, waiting, err);

	if (rc >= 0 && plan)
		rc = listener_connect(plan, &agent_fd, err);
	if (rc >= 0)
		rc = record_start(brig, &container->state, waiting->begun_usec, err);
	if (rc < 0)
		return rc;
	birth.channel_fd = waiting->fd;
	birth.agent_fd = agent_fd;
	rc = handshake_send_go(waiting->fd, container->state.pid);
	if (rc < 0)
		return error_system(err, -rc, "tell the container to start");
	rc = birth_finish_start(&birth, &waiting->denials_fd, err);
	/* Started, or ended in the attempt: it does not wait any more. */
	unlinkat(container->dir_fd, STORE_START_SOCKET, 0);
	/* Stopped by somebody, who could let it go on when we have said that it did not start. */
	if (rc == -ECANCELED)
		sys_pidfd_send_signal(waiting->pidfd, SIGKILL);
	if (rc < 0) {
		record_exit(brig, &container->state,
			    &(struct record_exit){ .pid = container->state.pid, .error = err->message });
		wait_for_end(waiting->pidfd);
	}
	if (rc < 0 || !plan)
		return rc;
	return start_run_hooks(plan, container->state.pid, waiting->pidfd, err);
}

/* Under the lock: of two starts one finds the container running. */
static int start_locked(const struct brig *brig, const struct container *container, struct waiting *waiting,
			struct error *err)
{
	AUTO(plan_free) struct plan *plan = NULL;
	enum brig_status status = status_and_connection(container, &waiting->pidfd, &waiting->fd);
	int rc = 0;

	if (status == BRIG_STOPPED)
		return error_set(err, ERROR_NOT_RUNNING, ESRCH,
				 "cannot start container %s that is stopped: container not running", container->state.id);
	if (status == BRIG_PAUSED)
		return error_set(err, ERROR_STATE, EBUSY,
				 "cannot start container %s that is not created but paused: resume it first (brig resume, "
				 "or whatever froze its control group)",
				 container->state.id);
	if (status != BRIG_CREATED)
		return error_set(err, ERROR_STATE, EBUSY, "cannot start container %s that is not created but %s",
				 container->state.id, brig_status_name(status));
	if (container->state.late_work)
		rc = stored_plan_load(brig, container, &plan, err);
	if (rc < 0)
		return rc;
	return checkpoint_waits(container) ? continue_restored(brig, container, waiting, err)
					   : let_go(brig, container, plan, waiting, err);
}

int brig_start_supervised(const struct brig *brig, const char *id, int *ret_denials_fd, struct error *err)
{
	struct waiting waiting = { .pidfd = -EBADF, .fd = -EBADF, .denials_fd = -EBADF, .begun_usec = clock_us() };
	struct container container;
	int rc = store_open(brig, id, STORE_LOCKED, &container, err);

	if (rc < 0)
		return rc;
	rc = start_locked(brig, &container, &waiting, err);
	close_and_reset(&waiting.fd);
	close_and_reset(&waiting.pidfd);
	store_done(&container);
	if (rc >= 0)
		*ret_denials_fd = steal_fd(&waiting.denials_fd);
	close_and_reset(&waiting.denials_fd);
	return rc;
}

int brig_start(const struct brig *brig, const char *id, struct error *err)
{
	AUTO_CLOSE int denials_fd = -EBADF;

	/* Nobody counts: what is refused fails with ENOSYS then. */
	return brig_start_supervised(brig, id, &denials_fd, err);
}
