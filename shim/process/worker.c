#include "shim/process/worker.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/syscalls.h"

#define NS_PER_MS UINT64_C(1000000)
/* After SIGKILL: one that sleeps uninterruptibly must not hold back the answer for ever. */
#define KILL_GRACE (5000 * NS_PER_MS)
#define ERRNO_MAX 4095 /* the kernel's: what lies below -ERRNO_MAX is no error */

struct worker_message {
	int rc;
	struct error error;
	struct brig_process process;
	struct brig_limits limits;
	uint8_t has_output[2]; /* 1: its descriptor comes after the pidfd */
	uint8_t has_newborn;   /* 1: its socket comes next */
	uint8_t has_denials;   /* 1: the listener comes last */
};

struct worker {
	struct worker_options options;
	struct reaper_child child;
	int socket_fd;
	struct loop_watch watch;
	struct loop_timer timer;
	bool timed_out;
};

/* Its handlers the kernel has taken away; the shim ignores no signal (cmd_serve). */
static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_between(unsigned after, unsigned before)
{
	if (before > after + 1)
		sys_close_range(after + 1, before - 1, 0);
}

/* The listening socket, connections, and the streams of other processes: while a copy of one is open, its reader waits for the
 * end of it. */
static void close_others(int socket_fd, int keep_fd)
{
	int kept[] = { socket_fd, keep_fd, log_fd() };
	unsigned last = STDERR_FILENO;

	for (size_t left = ARRAY_SIZE(kept); left > 0; left--) {
		unsigned next = ~0U;

		for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
			if (kept[i] > (int)last && (unsigned)kept[i] < next)
				next = (unsigned)kept[i];
		}
		if (next == ~0U)
			break;
		close_between(last, next);
		last = next;
	}
	sys_close_range(last + 1, ~0U, 0);
}

static int work(const struct worker_options *options, int socket_fd, struct worker_outcome *outcome, struct error *err)
{
	int r = options->enter ? options->enter(options->context, err) : 0;

	if (r < 0)
		return r;
	close_others(socket_fd, options->keep_fd);
	return options->run(options->context, outcome, err);
}

/* The pidfd first, as far as there is one, then the outputs' ends, then the newborn's socket, then the listener. */
static int send_outcome(int socket_fd, struct worker_message *message, const struct worker_outcome *outcome)
{
	int fds[FD_PASSED_MAX + 1]; /* no job has all of them */
	size_t n = 0;

	message->process = outcome->process;
	message->limits = outcome->limits;
	if (outcome->process.pidfd >= 0)
		fds[n++] = outcome->process.pidfd;
	for (size_t i = 0; i < ARRAY_SIZE(outcome->output_fds) && outcome->process.pidfd >= 0; i++) {
		message->has_output[i] = outcome->output_fds[i] >= 0;
		if (message->has_output[i])
			fds[n++] = outcome->output_fds[i];
	}
	message->has_newborn = outcome->process.pidfd >= 0 && outcome->process.newborn_fd >= 0;
	if (message->has_newborn)
		fds[n++] = outcome->process.newborn_fd;
	message->has_denials = outcome->process.denials_fd >= 0;
	if (message->has_denials)
		fds[n++] = outcome->process.denials_fd;
	return fd_send_list(socket_fd, message, sizeof(*message), fds, n);
}

__attribute__((noreturn)) static void run_child(const struct worker_options *options, int socket_fd, pid_t shim)
{
	struct worker_outcome outcome = WORKER_OUTCOME_NONE;
	struct worker_message message = { 0 };

	/* Nobody would know what it made; what it leaves, `delete` removes. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != shim)
		_exit(EXIT_FAILURE);
	/* Whatever it starts ends with it, where we kill it: kill_worker. */
	setpgid(0, 0);
	unblock_signals();
	message.rc = work(options, socket_fd, &outcome, &message.error);
	_exit(send_outcome(socket_fd, &message, &outcome) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* A hook leads a session of its own (child/hooks.c), and ends by itself with the worker, but what it has started does not: those are in its
 * group. Where the kernel does not tell of a process's children (CONFIG_PROC_CHILDREN) they stay. */
static void kill_sessions(pid_t worker)
{
	char path[64], text[1024];
	char *rest = text;
	long child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)worker, (int)worker);
	if (fd_read_file_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return;
	while ((child = strtol(rest, &rest, 10)) > 0) {
		if (getsid((pid_t)child) == child)
			kill((pid_t)-child, SIGKILL);
	}
}

/* By number as well: the group's number is safe as long as the leader is not reaped, and those of a worker's children as long as it is
 * stopped and reaps none. */
static void kill_worker(struct worker *worker)
{
	if (worker->child.pid > 0) {
		kill(worker->child.pid, SIGSTOP);
		kill_sessions(worker->child.pid);
		kill(-worker->child.pid, SIGKILL);
	}
	reaper_signal(&worker->child, SIGKILL);
}

static void release(struct worker *worker)
{
	loop_unwatch(worker->options.loop, &worker->watch);
	loop_clear_timer(worker->options.loop, &worker->timer);
	reaper_forget(worker->options.reaper, &worker->child);
	close_and_reset(&worker->socket_fd);
	free(worker);
}

/* What is left of it: no more than the owner asked for is taken, and a worker that was taken over may send anything. */
static void close_outcome(struct worker_outcome *outcome)
{
	close_and_reset(&outcome->process.pidfd);
	close_and_reset(&outcome->process.newborn_fd);
	close_and_reset(&outcome->process.denials_fd);
	for (size_t i = 0; i < ARRAY_SIZE(outcome->output_fds); i++)
		close_and_reset(&outcome->output_fds[i]);
}

static void finish(struct worker *worker, struct worker_outcome *outcome, const struct error *err)
{
	struct worker_options options = worker->options;

	release(worker);
	options.done(options.owner, outcome, err);
	close_outcome(outcome);
}

static void finish_without_answer(struct worker *worker, const struct error *err)
{
	struct worker_outcome none = WORKER_OUTCOME_NONE;

	finish(worker, &none, err);
}

static void close_list(int fds[static FD_PASSED_MAX])
{
	for (size_t i = 0; i < FD_PASSED_MAX; i++)
		close_and_reset(&fds[i]);
}

/* As a byte: a bool that is neither is none to C (C17 6.2.6.1). */
static bool is_bool(const bool *value)
{
	uint8_t byte;

	memcpy(&byte, value, sizeof(byte));
	return byte <= 1;
}

/* The values by which the shim goes; texts and descriptors are looked at beside. */
static bool makes_sense(const struct worker_message *message)
{
	const bool *const bools[] = {
		&message->process.may_pass_listener, &message->process.is_audited,
		&message->process.starts_simply,     &message->limits.timeout_by_site,
		&message->limits.max_output_by_site,
	};

	for (size_t i = 0; i < ARRAY_SIZE(bools); i++) {
		if (!is_bool(bools[i]))
			return false;
	}
	return message->rc >= -ERRNO_MAX && message->process.pid >= 0 && (unsigned)message->error.kind <= ERROR_PROGRAM &&
	       message->error.code >= 0 && message->error.code <= ERRNO_MAX;
}

/* What a worker says that was taken over by what it parsed is checked as far as it can be. */
static int check_message(struct worker_message *message, ssize_t length, const int fds[static FD_PASSED_MAX],
			 struct error *err)
{
	size_t wanted, n = 0;

	if ((size_t)length != sizeof(*message))
		return error_set(err, ERROR_INTERNAL, EPROTO, "the worker sent %zd bytes in place of %zu", length,
				 sizeof(*message));
	if (!makes_sense(message))
		return error_set(err, ERROR_INTERNAL, EPROTO, "the worker's message makes no sense");
	message->error.message[sizeof(message->error.message) - 1] = '\0';
	message->process.cgroup_path[sizeof(message->process.cgroup_path) - 1] = '\0';
	while (n < FD_PASSED_MAX && fds[n] >= 0)
		n++;
	wanted = message->has_output[0] == 1;
	wanted += message->has_output[1] == 1;
	wanted += message->has_newborn == 1;
	wanted = message->process.pid > 0 ? 1 + wanted : 0;
	wanted += message->has_denials == 1;
	if (message->rc >= 0 && n != wanted)
		return error_set(err, ERROR_INTERNAL, EPROTO,
				 "the worker sent process %d and %zu descriptors in place of %zu",
				 (int)message->process.pid, n, wanted);
	if (message->rc < 0 && message->error.kind == ERROR_NONE)
		return error_set(err, ERROR_INTERNAL, -message->rc, "the worker failed without a reason");
	return 0;
}

static void take_message(struct worker *worker, struct worker_message *message, ssize_t length,
			 int fds[static FD_PASSED_MAX])
{
	struct worker_outcome outcome = WORKER_OUTCOME_NONE;
	struct error err = { 0 };
	size_t n = 0;

	outcome.has_returned = true;
	if (check_message(message, length, fds, &err) < 0) {
		close_list(fds);
		finish_without_answer(worker, &err);
		return;
	}
	if (message->rc < 0) {
		close_list(fds);
		finish(worker, &outcome, &message->error);
		return;
	}
	outcome.process = message->process;
	outcome.limits = message->limits;
	outcome.process.pidfd = outcome.process.pid > 0 ? fds[n++] : -EBADF;
	for (size_t i = 0; i < ARRAY_SIZE(outcome.output_fds) && outcome.process.pid > 0; i++) {
		if (message->has_output[i] == 1)
			outcome.output_fds[i] = fds[n++];
	}
	outcome.process.newborn_fd = message->has_newborn == 1 && outcome.process.pid > 0 ? fds[n++] : -EBADF;
	outcome.process.denials_fd = message->has_denials == 1 ? fds[n++] : -EBADF;
	finish(worker, &outcome, NULL);
}

/* Returns whether a message was there: the worker is freed then. */
static bool receive(struct worker *worker)
{
	struct worker_message message;
	int fds[FD_PASSED_MAX];
	ssize_t length = fd_receive_list(worker->socket_fd, &message, sizeof(message), fds, FD_PASSED_MAX);

	if (length <= 0) {
		close_list(fds);
		return false;
	}
	take_message(worker, &message, length, fds);
	return true;
}

static void handle_socket(void *context, uint32_t events)
{
	struct worker *worker = context;

	(void)events;
	if (!receive(worker))
		loop_unwatch(worker->options.loop, &worker->watch); /* its end comes by the reaper */
}

static void set_end_error(const struct worker *worker, int status, struct error *err)
{
	uint64_t ms = worker->options.timeout / NS_PER_MS;

	if (worker->timed_out)
		error_set(err, ERROR_TIMEOUT, ETIMEDOUT,
			  "the worker was killed: it did not finish within %" PRIu64 ".%03" PRIu64 " s", ms / 1000,
			  ms % 1000);
	else if (status > 128)
		error_set(err, ERROR_INTERNAL, ECHILD, "the worker was killed by signal %d (%s)", status - 128,
			  sigdescr_np(status - 128) ?: "unknown");
	else
		error_set(err, ERROR_INTERNAL, ECHILD, "the worker exited with %d without an answer", status);
}

static void handle_exit(void *context, int status, struct timespec at)
{
	struct worker *worker = context;
	struct error err = { 0 };

	(void)at;
	/* Its message may wait beside the news of its end. */
	if (receive(worker))
		return;
	set_end_error(worker, status, &err);
	finish_without_answer(worker, &err);
}

static void handle_timeout(void *context)
{
	struct worker *worker = context;
	struct error err = { 0 };

	if (worker->timed_out) {
		log_error("worker %d does not end by SIGKILL: given up", (int)worker->child.pid);
		set_end_error(worker, 0, &err);
		finish_without_answer(worker, &err);
		return;
	}
	worker->timed_out = true;
	kill_worker(worker);
	loop_set_timer(worker->options.loop, &worker->timer, loop_now() + KILL_GRACE);
}

static struct worker *make(const struct worker_options *options)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->options = *options;
	worker->socket_fd = -EBADF;
	worker->child = (struct reaper_child){ .exited = handle_exit, .context = worker, .pidfd = -EBADF };
	worker->watch = (struct loop_watch){ .ready = handle_socket, .context = worker };
	worker->timer = (struct loop_timer){ .expired = handle_timeout, .context = worker };
	return worker;
}

/* Not reaped yet, so that the number is still its own; the reaper takes it as an orphan. */
static void give_up(pid_t pid)
{
	kill(pid, SIGKILL);
}

/* Forks: not by fork(3), which knows neither flag. The child does not return. */
static int fork_worker(struct worker *worker, int child_socket, struct error *err)
{
	AUTO_CLOSE int pidfd = -EBADF;
	const struct clone_args args = { .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
					 .pidfd = (uintptr_t)&pidfd,
					 .exit_signal = SIGCHLD };
	pid_t shim = getpid(), pid = sys_clone3(&args);
	int r;

	if (pid < 0)
		return error_system(err, errno, "clone3 of a worker");
	if (pid == 0)
		run_child(&worker->options, child_socket, shim);
	r = reaper_watch(worker->options.reaper, &worker->child, pid, pidfd, err);
	if (r < 0) {
		give_up(pid);
		return r;
	}
	steal_fd(&pidfd);
	return 0;
}

int worker_start(const struct worker_options *options, struct worker **ret, struct error *err)
{
	struct worker *worker = make(options);
	AUTO_CLOSE int child_socket = -EBADF;
	int sockets[2], r;

	if (!worker)
		return error_memory(err);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets) < 0) {
		r = error_system(err, errno, "socketpair for a worker");
		release(worker);
		return r;
	}
	worker->socket_fd = sockets[0];
	child_socket = sockets[1];
	r = loop_watch(options->loop, &worker->watch, worker->socket_fd, EPOLLIN, err);
	if (r >= 0)
		r = fork_worker(worker, child_socket, err);
	if (r < 0) {
		release(worker);
		return r;
	}
	loop_set_timer(options->loop, &worker->timer, loop_now() + options->timeout);
	*ret = worker;
	return 0;
}

void worker_cancel(struct worker *worker)
{
	kill_worker(worker);
	release(worker);
}
