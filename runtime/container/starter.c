#include "container/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "child/handshake.h"
#include "container/state.h"
#include "container/status.h"
#include "container/store.h"
#include "parent/await.h"

_Static_assert(STARTER_LOOK_MS == AWAIT_LOOK_MS, "one second for all who wait");

struct starter {
	struct container container; /* its directory, locked; nothing of it was read. Of an exec: none */
	int fd;			    /* the connection to its first process, or to the exec's */
	pid_t pid;		    /* of that one */
	unsigned n_stopped;	    /* await_look */
	bool is_exec, is_ready;
	const char *id;	     /* exec: the container's */
	pid_t container_pid; /* ... and its first process */
};

int starter_new(const struct brig *brig, const char *id, pid_t pid, struct starter **ret)
{
	AUTO(starter_free) struct starter *starter = calloc(1, sizeof(*starter));
	int rc;

	if (!starter)
		return -ENOMEM;
	starter->fd = -EBADF;
	starter->pid = pid;
	rc = store_lock_now(brig, id, &starter->container);
	if (rc < 0)
		return rc;
	starter->fd = status_connect(&starter->container, SOCK_NONBLOCK);
	if (starter->fd < 0)
		return starter->fd;
	rc = handshake_send_go(starter->fd, pid);
	if (rc < 0)
		return rc;
	*ret = steal_ptr(&starter);
	return 0;
}

int starter_new_exec(const char *id, pid_t container_pid, const struct brig_process *made, struct starter **ret)
{
	struct starter *starter = calloc(1, sizeof(*starter));

	if (!starter)
		return -ENOMEM;
	*starter = (struct starter){ .container = { .root_fd = -EBADF, .dir_fd = -EBADF },
				     .fd = made->newborn_fd,
				     .pid = made->pid,
				     .is_exec = true,
				     .id = id,
				     .container_pid = container_pid };
	if (fcntl(made->newborn_fd, F_SETFL, O_NONBLOCK) < 0) {
		int code = errno;

		free(starter);
		return -code;
	}
	*ret = starter;
	return 0;
}

int starter_fd(const struct starter *starter)
{
	return starter->fd;
}

/* Field 22 of its stat, or whether it is about to end: state.h. */
static bool is_ending(pid_t pid)
{
	const struct state state = { .pid = pid, .pid_start_time = state_process_start_time(pid) };

	return state.pid_start_time == 0 || state_process_is_ending(&state);
}

/* As the runtime has it that waits for its own exec (exec.c). */
static enum starter_answer fail(const struct starter *starter, struct error *err)
{
	if (starter->is_exec && err->code == ESRCH && is_ending(starter->container_pid))
		error_set(err, ERROR_NOT_RUNNING, ESRCH,
			  "cannot exec in a stopped container: container not running: %s", starter->id);
	return STARTER_FAILED;
}

static enum starter_answer answer(struct starter *starter, const struct handshake_message *message, int *passed_fd,
				  int *ret_denials_fd, struct error *err)
{
	if (message->type == HANDSHAKE_LISTENER && *passed_fd >= 0) {
		*ret_denials_fd = steal_fd(passed_fd);
		return STARTER_WAITS;
	}
	if (message->type == HANDSHAKE_WARNING) {
		log_warning("%s", message->error.message);
		return STARTER_WAITS;
	}
	if (message->type == HANDSHAKE_READY && starter->is_exec && !starter->is_ready) {
		starter->is_ready = true;
		return STARTER_WAITS;
	}
	if (message->type == HANDSHAKE_FAILED) {
		*err = message->error;
		return fail(starter, err);
	}
	error_set(err, ERROR_INTERNAL, EPROTO, "unexpected message %d from the container", message->type);
	return STARTER_ASTRAY;
}

static enum starter_answer receive(struct starter *starter, int *ret_denials_fd, struct error *err)
{
	struct handshake_message message;
	AUTO_CLOSE int passed_fd = -EBADF;
	int rc = handshake_receive(starter->fd, &message, &passed_fd, err);

	if (rc > 0)
		return answer(starter, &message, &passed_fd, ret_denials_fd, err);
	if (rc == 0 && starter->is_exec && !starter->is_ready) {
		error_set(err, ERROR_SYSTEM, ECHILD, "the exec's process was killed while it was set up");
		return STARTER_FAILED;
	}
	if (rc == 0)
		return STARTER_RUNS; /* execve has closed its end */
	return rc == -EAGAIN || rc == -EINTR ? STARTER_WAITS : STARTER_ASTRAY;
}

enum starter_answer starter_answer(struct starter *starter, int *ret_denials_fd, struct error *err)
{
	bool was_ready = starter->is_ready;
	enum starter_answer result;

	*ret_denials_fd = -EBADF;
	result = receive(starter, ret_denials_fd, err);
	/* What comes next is the end as a rule: execve. */
	if (starter->is_ready != was_ready)
		result = receive(starter, ret_denials_fd, err);
	/* Started, or ended in the attempt: it does not wait any more. */
	if (result != STARTER_WAITS && !starter->is_exec)
		unlinkat(starter->container.dir_fd, STORE_START_SOCKET, 0);
	return result;
}

int starter_look(struct starter *starter, struct error *err)
{
	return await_look(starter->pid, &starter->n_stopped, err);
}

bool starter_has_executed(const struct starter *starter)
{
	bool has = state_process_has_executed(starter->pid);

	/* As starter_answer() does: who has a copy of the channel may have one of the listener, and it would pass for created. */
	if (has && !starter->is_exec)
		unlinkat(starter->container.dir_fd, STORE_START_SOCKET, 0);
	return has;
}

void starter_free(struct starter *starter)
{
	if (!starter)
		return;
	close_and_reset(&starter->fd);
	/* Not by closing alone: for a moment a worker that was forked meanwhile has copies of our descriptors. */
	if (starter->container.dir_fd >= 0)
		store_unlock(&starter->container);
	store_done(&starter->container);
	free(starter);
}
