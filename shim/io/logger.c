#include "shim/io/logger.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/syscalls.h"
#include "shim/loop/loop.h"

#define NS_PER_MS UINT64_C(1000000)
#define FIRST_FD 3 /* out, err, ready */
#define SAFE_FD 10 /* above what is put into place */

/* What a child that was not executed leaves in the ready pipe, in one write(2). */
struct failure {
	char mark[8];
	struct error err;
};
static const char failure_mark[8] = "exec(2)";
_Static_assert(sizeof(struct failure) <= PIPE_BUF, "a pipe takes it whole");

struct launch {
	const struct logger_options *options;
	int program_fd, fds[3];
	char *argv[LOGGER_ARGUMENTS_MAX + 2], *environment[3];
	int failure_fd;
};

static int open_program(const char *path, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_SYSTEM, errno, "open logger %.500s: %s",
				 path, strerror(errno));
	if (fstat(fd, &status) < 0)
		return error_system(err, errno, "stat logger %.500s", path);
	if (!S_ISREG(status.st_mode) || !(status.st_mode & 0111))
		return error_invalid(err, "logger %.500s is not an executable file", path);
	if ((status.st_uid != 0 && status.st_uid != geteuid()) || status.st_mode & 022)
		return error_set(
			err, ERROR_REFUSED, EPERM,
			"logger %.500s can be changed by others than root (owner %u, mode %04o): give it to root, mode 0755",
			path, status.st_uid, status.st_mode & 07777);
	return steal_fd(&fd);
}

/* In the order of the query, as containerd's own shim hands them on. */
static int take_arguments(struct uri *uri, struct launch *launch, struct error *err)
{
	size_t n = 0;
	char *key, *value;

	launch->argv[n++] = uri->path;
	while (uri_next_pair(&uri->query, &key, &value)) {
		if (n + 2 > LOGGER_ARGUMENTS_MAX)
			return error_invalid(err, "logger %.500s: more than %d arguments", uri->path,
					     LOGGER_ARGUMENTS_MAX);
		launch->argv[n++] = key;
		launch->argv[n++] = value;
	}
	if (uri->query)
		return error_invalid(err, "logger %.500s: a malformed percent sign in argument %.200s", uri->path,
				     uri->query);
	return 0;
}

static void tell(const struct launch *launch, const struct error *err)
{
	struct failure failure = { .err = *err };
	ssize_t ignored;

	memcpy(failure.mark, failure_mark, sizeof(failure.mark));
	ignored = write(launch->failure_fd, &failure, sizeof(failure));
	(void)ignored;
	_exit(127);
}

static void fail(const struct launch *launch)
{
	struct error err = { 0 };
	int code = errno;

	error_set(&err, ERROR_PROGRAM, code, "execute logger %.500s: %s", launch->argv[0], strerror(code));
	tell(launch, &err);
}

static void reset_signals(void)
{
	sigset_t none;

	/* What is ignored or blocked stays so across execve, and a logger counts on SIGPIPE. */
	for (int number = 1; number < NSIG; number++)
		sys_default_signal(number);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child; does not return. */
static void launch_program(struct launch *launch)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), fds[ARRAY_SIZE(launch->fds)];
	const struct logger_options *options = launch->options;
	struct error err = { 0 };

	setpgid(0, 0);
	launch->failure_fd = launch->fds[2];
	/* Here, since what looks at the policy is not to grow the shim. */
	if (options->check && options->check(options->context, launch->argv, &err) < 0)
		tell(launch, &err);
	reset_signals();
	/* First out of each other's way, then into place. */
	launch->program_fd = fcntl(launch->program_fd, F_DUPFD_CLOEXEC, SAFE_FD);
	launch->failure_fd = fcntl(launch->fds[2], F_DUPFD_CLOEXEC, SAFE_FD);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = fcntl(launch->fds[i], F_DUPFD_CLOEXEC, SAFE_FD);
	for (int fd = 0; fd < FIRST_FD; fd++) {
		if (null_fd < 0 || dup2(null_fd, fd) < 0)
			fail(launch);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] < 0 || dup2(fds[i], FIRST_FD + (int)i) < 0)
			fail(launch);
	}
	if (sys_close_range(FIRST_FD + ARRAY_SIZE(fds), ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		fail(launch);
	execveat(launch->program_fd, "", launch->argv, launch->environment, AT_EMPTY_PATH);
	/* A script's interpreter has to open it: that works where it is not closed on the way. */
	if (errno == ENOENT && fcntl(launch->program_fd, F_SETFD, 0) == 0)
		execveat(launch->program_fd, "", launch->argv, launch->environment, AT_EMPTY_PATH);
	fail(launch);
}

/* A pipe whose kept read end is a description of its own: the logger's has to stay a blocking one. */
static int make_pipe(struct endpoint *ret, int *ret_child_fd, struct error *err)
{
	int rc = endpoint_pipe(ret, err), fd;

	if (rc < 0)
		return rc;
	fd = endpoint_reopen(ret->read_fd, O_RDONLY);
	if (fd < 0)
		return error_system(err, -fd, "open a pipe again");
	*ret_child_fd = fd;
	return 0;
}

static int spawn(struct launch *launch, struct logger *logger, struct error *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return error_system(err, errno, "fork");
	if (pid == 0)
		launch_program(launch);
	/* The child can't be reaped before we are back in the loop: the number is still its. */
	logger->pidfd = sys_pidfd_open(pid, 0);
	if (logger->pidfd < 0) {
		int code = errno;

		kill(pid, SIGKILL);
		return error_system(err, code, "pidfd_open");
	}
	/* Here as well: it may be killed before it comes to that. */
	setpgid(pid, pid);
	logger->pid = pid;
	return 0;
}

static int start(const struct logger_options *options, struct launch *launch, struct logger *logger, struct error *err)
{
	AUTO_CLOSE int program_fd = open_program(options->uri->path, err), out_fd = -EBADF, err_fd = -EBADF,
		       ready_fd = -EBADF;
	int ready[2], rc;

	if (program_fd < 0)
		return program_fd;
	rc = take_arguments(options->uri, launch, err);
	if (rc == 0)
		rc = make_pipe(&logger->out, &out_fd, err);
	if (rc == 0)
		rc = make_pipe(&logger->err, &err_fd, err);
	if (rc < 0)
		return rc;
	if (pipe2(ready, O_CLOEXEC) < 0)
		return error_system(err, errno, "make a pipe");
	logger->ready_fd = ready[0];
	ready_fd = ready[1];
	launch->program_fd = program_fd;
	launch->fds[0] = out_fd;
	launch->fds[1] = err_fd;
	launch->fds[2] = ready_fd;
	return spawn(launch, logger, err);
}

int logger_start(const struct logger_options *options, struct logger *ret, struct error *err)
{
	AUTO(logger_done) struct logger logger = LOGGER_NONE;
	AUTO_FREE char *id = NULL, *namespace = NULL;
	struct launch launch = { .options = options, .program_fd = -EBADF };
	int rc;

	logger.path = strdup(options->uri->path);
	if (!logger.path || asprintf(&id, "CONTAINER_ID=%s", options->container_id) < 0 ||
	    asprintf(&namespace, "CONTAINER_NAMESPACE=%s", options->namespace) < 0)
		return error_memory(err);
	launch.environment[0] = id;
	launch.environment[1] = namespace;
	rc = start(options, &launch, &logger, err);
	if (rc < 0)
		return error_prefix(err, "start the logger");
	*ret = logger;
	logger = LOGGER_NONE;
	return 0;
}

/* Without reaping it: that is the reaper's. */
static bool has_ended(const struct logger *logger)
{
	struct pollfd polled = { .fd = logger->pidfd, .events = POLLIN };

	return poll(&polled, 1, 0) > 0;
}

/* Closing descriptor 5 is what counts as ready; a byte in it does as well. */
static int read_answer(const struct logger *logger, struct error *err)
{
	struct failure failure = { 0 };
	ssize_t n = read(logger->ready_fd, &failure, sizeof(failure));

	if (n < 0)
		return error_system(err, errno, "wait for logger %.500s", logger->path);
	if (n == sizeof(failure) && memcmp(failure.mark, failure_mark, sizeof(failure.mark)) == 0) {
		if (err)
			*err = failure.err;
		return -failure.err.code;
	}
	if (n == 0 && has_ended(logger))
		return error_set(err, ERROR_PROGRAM, EPIPE, "logger %.500s ended before it was ready", logger->path);
	return 0;
}

int logger_wait_ready(const struct logger *logger, int timeout, struct error *err)
{
	struct pollfd polled = { .fd = logger->ready_fd, .events = POLLIN };
	uint64_t deadline = loop_now() + (uint64_t)timeout * NS_PER_MS, now;
	int n;

	do {
		now = loop_now();
		n = poll(&polled, 1, now < deadline ? (int)((deadline - now - 1) / NS_PER_MS + 1) : 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_system(err, errno, "wait for logger %.500s", logger->path);
	if (n == 0)
		return error_set(err, ERROR_TIMEOUT, ETIMEDOUT,
				 "logger %.500s did not say within %d ms that it is ready: it has to close descriptor 5",
				 logger->path, timeout);
	return read_answer(logger, err);
}

void logger_kill(struct logger *logger)
{
	if (logger->pidfd < 0)
		return;
	/* On older kernels by number, which is the group's for sure as long as its leader has not been reaped. */
	if (sys_pidfd_signal_group(logger->pidfd, SIGKILL) < 0 && sys_pidfd_send_signal(logger->pidfd, SIGKILL) == 0)
		kill(-logger->pid, SIGKILL);
}

void logger_done(struct logger *logger)
{
	endpoint_done(&logger->out);
	endpoint_done(&logger->err);
	close_and_reset(&logger->ready_fd);
	close_and_reset(&logger->pidfd);
	free(logger->path);
	logger->path = NULL;
}
