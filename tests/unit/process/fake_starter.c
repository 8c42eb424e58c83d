/* Stands in for container/starter.h: what the first process says is told by the test. */
#include "container/starter.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/syscalls.h"
#include "fake_runtime.h"

struct starter {
	int fd;
	bool is_exec;
};

int starter_new(const struct brig *brig, const char *id, pid_t pid, struct starter **ret)
{
	int sockets[2];

	(void)brig;
	(void)id;
	if (pid != fake_pid(""))
		abort();
	if (fake->starter_is_refused)
		return -EWOULDBLOCK;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets) < 0)
		return -errno;
	*ret = calloc(1, sizeof(**ret));
	(*ret)->fd = sockets[0];
	fake->starter_peer_fd = sockets[1];
	fake->n_starters++;
	fake->n_starters_open++;
	return 0;
}

int starter_new_exec(const char *id, pid_t container_pid, const struct brig_process *made, struct starter **ret)
{
	(void)id;
	if (container_pid != fake_pid(""))
		abort();
	*ret = calloc(1, sizeof(**ret));
	(*ret)->fd = made->newborn_fd;
	(*ret)->is_exec = true;
	fake->n_starters++;
	fake->n_starters_open++;
	return 0;
}

int starter_fd(const struct starter *starter)
{
	return starter->fd;
}

enum starter_answer starter_answer(struct starter *starter, int *ret_denials_fd, struct error *err)
{
	uint8_t word;
	ssize_t n;

	*ret_denials_fd = -EBADF;
	n = read(starter->fd, &word, 1);
	if (n < 0)
		return STARTER_WAITS;
	if (n == 0 && !starter->is_exec)
		return STARTER_RUNS;
	if (n == 1 && word == FAKE_RUNS)
		return STARTER_RUNS;
	if (n == 0) {
		error_set(err, ERROR_SYSTEM, ECHILD, "killed while it was set up");
		return STARTER_FAILED;
	}
	if (word == FAKE_GIVES_LISTENER) {
		fake->listener_fd = *ret_denials_fd = eventfd(0, EFD_CLOEXEC);
		return STARTER_WAITS;
	}
	if (word == FAKE_WARNS)
		return STARTER_WAITS;
	error_set(err, ERROR_PROGRAM, ENOENT, "exec: no such program");
	return word == FAKE_HAS_FAILED ? STARTER_FAILED : STARTER_ASTRAY;
}

int starter_look(struct starter *starter, struct error *err)
{
	(void)starter;
	return fake->starter_is_stopped ? error_set(err, ERROR_SYSTEM, ECANCELED, "stopped by a signal") : 0;
}

bool starter_has_executed(const struct starter *starter)
{
	(void)starter;
	return fake->starter_has_executed;
}

void starter_free(struct starter *starter)
{
	if (!starter)
		return;
	close(starter->fd);
	free(starter);
	fake->n_starters_open--;
}

void fake_starter_says(enum fake_word word)
{
	uint8_t byte = (uint8_t)word;

	if (word == FAKE_RUNS && !fake->hands_over)
		close(fake->starter_peer_fd);
	else if (write(fake->starter_peer_fd, &byte, 1) != 1)
		abort();
}

int fake_make_newborn(const char *exec_id)
{
	int sockets[] = { -EBADF, -EBADF };

	if (fake->hands_over && exec_id[0] &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets) < 0)
		abort();
	fake->newborn_fd = sockets[1];
	return sockets[0];
}

void fake_take_newborn(const char *exec_id)
{
	int pidfd = sys_pidfd_open(fake_pid(exec_id), 0);

	fake->starter_peer_fd = (int)syscall(SYS_pidfd_getfd, pidfd, fake->newborn_fd, 0);
	if (fake->starter_peer_fd < 0)
		abort();
	close(pidfd);
}
