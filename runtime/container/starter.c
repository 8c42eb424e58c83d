#include "container/starter.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "child/handshake.h"
#include "container/status.h"
#include "container/store.h"

struct starter {
	struct container container; /* its directory, locked; nothing of it was read */
	int fd;			    /* the connection to its first process */
};

int starter_new(const struct brig *brig, const char *id, pid_t pid, struct starter **ret)
{
	AUTO(starter_free) struct starter *starter = calloc(1, sizeof(*starter));
	int rc;

	if (!starter)
		return -ENOMEM;
	starter->fd = -EBADF;
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

int starter_fd(const struct starter *starter)
{
	return starter->fd;
}

static enum starter_answer answer(const struct handshake_message *message, int *passed_fd, int *ret_denials_fd,
				  struct error *err)
{
	if (message->type == HANDSHAKE_LISTENER && *passed_fd >= 0) {
		*ret_denials_fd = steal_fd(passed_fd);
		return STARTER_WAITS;
	}
	if (message->type == HANDSHAKE_WARNING) {
		log_warning("%s", message->error.message);
		return STARTER_WAITS;
	}
	if (message->type == HANDSHAKE_FAILED) {
		*err = message->error;
		return STARTER_FAILED;
	}
	error_set(err, ERROR_INTERNAL, EPROTO, "unexpected message %d from the container", message->type);
	return STARTER_ASTRAY;
}

static enum starter_answer receive(const struct starter *starter, int *ret_denials_fd, struct error *err)
{
	struct handshake_message message;
	AUTO_CLOSE int passed_fd = -EBADF;
	int rc = handshake_receive(starter->fd, &message, &passed_fd, err);

	if (rc == 0)
		return STARTER_RUNS; /* execve has closed its end */
	if (rc > 0)
		return answer(&message, &passed_fd, ret_denials_fd, err);
	return rc == -EAGAIN || rc == -EINTR ? STARTER_WAITS : STARTER_ASTRAY;
}

enum starter_answer starter_answer(struct starter *starter, int *ret_denials_fd, struct error *err)
{
	enum starter_answer result;

	*ret_denials_fd = -EBADF;
	result = receive(starter, ret_denials_fd, err);
	/* Started, or ended in the attempt: it does not wait any more. */
	if (result != STARTER_WAITS)
		unlinkat(starter->container.dir_fd, STORE_START_SOCKET, 0);
	return result;
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
