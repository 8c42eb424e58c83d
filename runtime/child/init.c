#include "child/init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "child/handshake.h"
#include "child/init_listen.h"

/* For what stands between clone and execve. */
#define STACK_SIZE 16384
#define EXIT_NOT_EXECUTED 255

static bool attendant_is_gone(int fd)
{
	struct pollfd polled = { .fd = fd };

	return poll(&polled, 1, 0) > 0 && polled.revents & (POLLHUP | POLLERR);
}

static int hand_over(const struct child_attendant *attendant, struct error *err)
{
	AUTO_CLOSE int fd = open(attendant->handed_over, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return error_system(err, errno, "open %s", attendant->handed_over);
	rc = init_listen(attendant, err);
	if (rc < 0)
		return rc;
	rc = handshake_send(attendant->init_fd, HANDSHAKE_READY, NULL, fd);
	if (rc < 0)
		return error_system(err, -rc, "hand %s over", attendant->handed_over);
	return handshake_expect(attendant->init_fd, HANDSHAKE_CONTINUE, NULL, err);
}

int init_begin(struct child *child, struct error *err)
{
	const struct child_attendant *attendant = child->attendant;

	/* After the last change of credentials, which takes it back (prctl(2)). */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_system(err, errno, "make the container's init end with brig");
	/* Its end tells the parent that the container stands; what fails from here on is said to the attendant. */
	close_and_reset(&child->channel_fd);
	child->channel_fd = attendant->init_fd;
	if (attendant_is_gone(attendant->init_fd))
		_exit(EXIT_NOT_EXECUTED);
	return attendant->handed_over ? hand_over(attendant, err) : 0;
}

struct start {
	const struct child *child;
	int failure; /* of execve, a positive errno */
};

/* In the same memory as init, which stands still: vfork(2) by another name. Not instrumented: it has another stack. */
__attribute__((no_sanitize("address"))) static int execute(void *data)
{
	struct start *start = data;
	const struct child *child = start->child;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(child->program, (char *const *)child->plan->process.argv, (char *const *)child->environment);
	start->failure = errno;
	_exit(EXIT_NOT_EXECUTED);
}

static _Noreturn void end(int init_fd, int status, uint64_t began)
{
	(void)handshake_send_ended(init_fd, status, clock_ns() - began);
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static void reap(int init_fd, pid_t program, uint64_t began)
{
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid == program)
			end(init_fd, status, began);
		if (pid <= 0)
			return;
	}
}

/* What somebody outside sends to the container is the program's. What the program sends to pid 1 reaches it as well, since it waits for
 * all signals, and is dropped as pid_namespaces(7) says of an init. Other codes than SI_USER can be made up (rt_sigqueueinfo(2)). */
static bool is_from_outside(const siginfo_t *info)
{
	return info->si_code == SI_USER && info->si_pid == 0;
}

int init_execute(struct child *child)
{
	_Alignas(16) char stack[STACK_SIZE];
	struct start start = { .child = child };
	uint64_t began = clock_ns();
	siginfo_t info;
	sigset_t all;
	pid_t program;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	program = clone(execute, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
	if (program < 0 || start.failure)
		return program < 0 ? -errno : -start.failure;
	for (;;) {
		int number = sigwaitinfo(&all, &info);

		if (number == SIGCHLD)
			reap(child->attendant->init_fd, program, began);
		else if (number > 0 && is_from_outside(&info))
			kill(program, number);
	}
}
