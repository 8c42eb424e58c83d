#include "shim/process/holder.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/syscalls.h"
#include "shim/process/holder_process.h"

#define PATIENCE 5000 /* milliseconds for each of its messages */

/* What the shim knows of the process. */
struct holder {
	struct loop *loop;
	void (*ended)(void *context);
	void *context;
	pid_t pid;
	int pidfd;
	int socket_fd; /* its end of life: it waits for this to be closed */
	struct loop_watch watch;
};

/* The processes are ours, and known by pidfd: whoever else reaps children has no part in them. */
static void reap(int pidfd)
{
	siginfo_t info;
	int r;

	do
		r = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | __WALL);
	while (r < 0 && errno == EINTR);
}

/* Killed from outside, as for memory. The holder stays, without its process, until its owner frees it. */
static void handle_end(void *context, uint32_t events)
{
	struct holder *holder = context;

	(void)events;
	loop_unwatch(holder->loop, &holder->watch);
	reap(holder->pidfd);
	holder->ended(holder->context);
}

/* One message, within the time that there is for it. */
static int receive(int socket_fd, struct holder_message *message, int *ret_fd, struct error *err)
{
	struct pollfd poll_fd = { .fd = socket_fd, .events = POLLIN };
	ssize_t n;
	int r;

	do
		r = poll(&poll_fd, 1, PATIENCE);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return error_set(err, ERROR_TIMEOUT, ETIMEDOUT, "no answer within %d seconds", PATIENCE / 1000);
	n = r < 0 ? -errno : fd_receive(socket_fd, message, sizeof(*message), ret_fd);
	if (n < 0)
		return error_system(err, (int)-n, "wait for its answer");
	if ((size_t)n != sizeof(*message))
		return error_set(err, ERROR_INTERNAL, EIO, "it ended before its work was done");
	return 0;
}

/* The texts come from a process that has entered a workload's namespaces: they are ended here. */
static int read_failure(struct holder_message *message, struct error *err)
{
	message->error.message[sizeof(message->error.message) - 1] = '\0';
	if (err)
		*err = message->error;
	return -message->error.code;
}

/* The maker's word, with the holder's pidfd, and the holder's own: in any order. Both are waited for, also where the holder
 * failed, since it has to be reaped; where the maker did, there is none. */
static int receive_both(struct holder *holder, struct error *err)
{
	struct holder_message message;
	int result = 0;

	for (unsigned i = 0; i < 2; i++) {
		int fd = -EBADF, r = receive(holder->socket_fd, &message, &fd, err);

		if (r < 0)
			return r;
		if (message.error.kind != ERROR_NONE)
			result = read_failure(&message, err);
		if (!message.is_of_maker)
			continue;
		holder->pid = message.pid;
		holder->pidfd = fd;
		if (fd < 0 && result == 0)
			result = error_set(err, ERROR_INTERNAL, EIO, "its descriptor did not come along");
		if (fd < 0)
			return result;
	}
	return result;
}

static int make(struct holder *holder, const struct holder_options *options, struct error *err)
{
	int pidfd = -EBADF, pair[2], r;
	struct clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd, .exit_signal = SIGCHLD };
	pid_t maker;

	/* SEQPACKET: messages stay whole, and a closed end is seen. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_system(err, errno, "socketpair");
	holder->socket_fd = pair[0];
	maker = sys_clone3(&args);
	if (maker == 0) {
		holder_process_make(options, pair[1]);
		_exit(0);
	}
	r = maker < 0 ? error_system(err, errno, "clone3") : 0;
	close(pair[1]);
	if (maker < 0)
		return r;
	r = receive_both(holder, err);
	if (r < 0)
		sys_pidfd_send_signal(pidfd, SIGKILL);
	/* One that hangs in the kernel is left to whoever handles SIGCHLD. */
	poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, PATIENCE);
	reap(pidfd);
	close(pidfd);
	return r;
}

int holder_start(const struct holder_options *options, struct holder **ret, struct error *err)
{
	AUTO(holder_free) struct holder *holder = calloc(1, sizeof(*holder));
	int r;

	if (!holder)
		return error_memory(err);
	holder->pidfd = holder->socket_fd = -EBADF;
	holder->loop = options->loop;
	holder->ended = options->ended;
	holder->context = options->context;
	holder->watch = (struct loop_watch){ .ready = handle_end, .context = holder };
	r = make(holder, options, err);
	if (r == 0)
		r = loop_watch(options->loop, &holder->watch, holder->pidfd, EPOLLIN, err);
	if (r < 0)
		return error_prefix(err, "hold the pod's namespaces");
	*ret = steal_ptr(&holder);
	return 0;
}

pid_t holder_pid(const struct holder *holder)
{
	return holder->pid;
}

void holder_free(struct holder *holder)
{
	if (!holder)
		return;
	loop_unwatch(holder->loop, &holder->watch);
	close_and_reset(&holder->socket_fd);
	if (holder->pidfd >= 0) {
		sys_pidfd_send_signal(holder->pidfd, SIGKILL);
		/* As process 1 it waits for all the others of its namespace: nothing to wait for here. What is left then is
		 * reaped by whoever handles SIGCHLD, or goes with the shim. */
		reap(holder->pidfd);
	}
	close_and_reset(&holder->pidfd);
	free(holder);
}
