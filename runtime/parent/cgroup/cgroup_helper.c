#include "parent/cgroup/cgroup_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reap.h"
#include "base/syscalls.h"
#include "brig-places.h"

#define END_TIMEOUT_MS 1000

/* Root executes what root alone can change; an ordinary user also what is their own. */
static int open_helper(struct error *err)
{
	AUTO_CLOSE int fd = -EBADF;
	struct stat status;

	if (!BRIG_SYSTEMD_HELPER[0])
		return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
				 "--systemd-cgroup: systemd is asked by way of brig-systemd, which this build does not have; "
				 "leave the option out (cgroupfs)");
	fd = open(BRIG_SYSTEMD_HELPER, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &status) < 0)
		return error_set(err, ERROR_UNSUPPORTED, errno,
				 "--systemd-cgroup: open " BRIG_SYSTEMD_HELPER
				 ": %s; install brig-systemd there, or leave the "
				 "option out (cgroupfs)",
				 strerrordesc_np(errno));
	if (!S_ISREG(status.st_mode) || (status.st_uid != 0 && status.st_uid != geteuid()) || status.st_mode & 022)
		return error_set(err, ERROR_REFUSED, EPERM,
				 "--systemd-cgroup: " BRIG_SYSTEMD_HELPER
				 " belongs to uid %u with mode %04o: it has to be a file "
				 "of root's that nobody else can write to (chown root, chmod 755)",
				 status.st_uid, status.st_mode & 07777);
	return steal_fd(&fd);
}

static _Noreturn void helper_process(int helper_fd, int socket_fd, bool user, pid_t runtime)
{
	static const char *const passed[] = { "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS" };
	char *const argv[] = { (char *)"brig-systemd", NULL };
	char variables[ARRAY_SIZE(passed)][512];
	char *environment[ARRAY_SIZE(passed) + 1] = { NULL };
	size_t n = 0;
	sigset_t none;

	/* Nobody but the runtime knows of it: it ends with a runtime that is killed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != runtime)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* Root's bus is the one at its fixed address, whatever the environment says. */
	for (size_t i = 0; user && i < ARRAY_SIZE(passed); i++) {
		const char *value = getenv(passed[i]);

		if (value && snprintf(variables[n], sizeof(variables[n]), "%s=%s", passed[i], value) <
				     (int)sizeof(variables[n])) {
			environment[n] = variables[n];
			n++;
		}
	}
	if (dup2(socket_fd, 0) < 0 || dup3(helper_fd, 3, O_CLOEXEC) < 0)
		_exit(127);
	sys_close_range(4, ~0U, 0);
	syscall(SYS_execveat, 3, "", argv, environment, AT_EMPTY_PATH);
	_exit(127);
}

static int start_helper(bool user, struct cgroup_helper *ret, struct error *err)
{
	AUTO_CLOSE int helper_fd = open_helper(err), other_fd = -EBADF, safe_fd = -EBADF;
	pid_t runtime = getpid(), pid;
	int fds[2];

	if (helper_fd < 0)
		return helper_fd;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return error_system(err, errno, "make a socket to brig-systemd");
	ret->fd = fds[0];
	other_fd = fds[1];
	/* Above those that the child puts in their places. */
	safe_fd = fcntl(helper_fd, F_DUPFD_CLOEXEC, 4);
	pid = safe_fd < 0 ? -1 : fork();
	if (pid == 0)
		helper_process(safe_fd, other_fd, user, runtime);
	if (pid < 0) {
		error_system(err, errno, "start brig-systemd");
		close_and_reset(&ret->fd);
		return -err->code;
	}
	ret->pid = pid;
	return 0;
}

void cgroup_helper_end(struct cgroup_helper *helper)
{
	AUTO_CLOSE int pidfd = -EBADF;
	struct pollfd ended = { .events = POLLIN };

	close_and_reset(&helper->fd);
	if (helper->pid <= 0)
		return;
	pidfd = ended.fd = sys_pidfd_open(helper->pid, 0);
	if (pidfd < 0 || poll(&ended, 1, END_TIMEOUT_MS) <= 0)
		kill(helper->pid, SIGKILL);
	reap_child(helper->pid);
	helper->pid = 0;
}

/* One packet; a helper that was killed closes the socket, which is no answer either. */
static int receive(const struct cgroup_helper *helper, int timeout_ms, char answer[static UNIT_REQUEST_ANSWER_MAX],
		   struct error *err)
{
	int64_t deadline = clock_ms() + timeout_ms, left = timeout_ms;
	struct pollfd readable = { .fd = helper->fd, .events = POLLIN };
	ssize_t n;

	while (poll(&readable, 1, (int)left) <= 0) {
		left = deadline - clock_ms();
		if (left <= 0)
			return error_set(err, ERROR_TIMEOUT, ETIMEDOUT,
					 "systemd has not answered within %d seconds; look whether it and its bus are well "
					 "(systemctl status)",
					 timeout_ms / 1000);
	}
	n = recv(helper->fd, answer, UNIT_REQUEST_ANSWER_MAX - 1, 0);
	if (n <= 0)
		return error_set(err, ERROR_SYSTEM, n < 0 ? errno : EPIPE,
				 BRIG_SYSTEMD_HELPER " has ended without an answer; execute it by hand to see why");
	answer[n] = '\0';
	return 0;
}

/* "ok TEXT" or "error ERRNO TEXT" */
static int read_answer(char answer[static UNIT_REQUEST_ANSWER_MAX], struct error *err)
{
	char *end;
	long code;

	if (strncmp(answer, "ok", 2) == 0) {
		memmove(answer, answer + 2 + (answer[2] == ' '), strlen(answer + 2 + (answer[2] == ' ')) + 1);
		return 0;
	}
	code = strncmp(answer, "error ", 6) == 0 ? strtol(answer + 6, &end, 10) : 0;
	if (code <= 0 || code > 4095 || *end != ' ')
		return error_set(err, ERROR_INTERNAL, EPROTO,
				 "brig-systemd has sent \"%.100s\": is it of another version?", answer);
	return error_set(err,
			 code == EEXIST	     ? ERROR_EXISTS
			 : code == ETIMEDOUT ? ERROR_TIMEOUT
					     : ERROR_SYSTEM,
			 (int)code, "%s", end + 1);
}

int cgroup_helper_ask(const struct cgroup_helper_question *question, char answer[static UNIT_REQUEST_ANSWER_MAX],
		      struct cgroup_helper *ret, struct error *err)
{
	const struct buffer *request = question->request;
	struct cgroup_helper helper = { .fd = -EBADF };
	int rc = request->failed ? error_memory(err) : 0;

	if (rc == 0 && request->length > UNIT_REQUEST_MAX)
		rc = error_invalid(err, "linux.resources: more than %d bytes of properties for systemd",
				   UNIT_REQUEST_MAX);
	if (rc == 0)
		rc = start_helper(question->user, &helper, err);
	if (rc == 0 && send(helper.fd, request->data, request->length, MSG_NOSIGNAL) < 0)
		rc = error_system(err, errno, "send to brig-systemd");
	if (rc == 0)
		rc = receive(&helper, question->timeout_ms, answer, err);
	if (rc == 0)
		rc = read_answer(answer, err);
	/* Who has not answered does not get time to end either. */
	if (rc < 0 && helper.pid > 0)
		kill(helper.pid, SIGKILL);
	if (rc == 0 && ret)
		*ret = helper;
	else
		cgroup_helper_end(&helper);
	return rc;
}
