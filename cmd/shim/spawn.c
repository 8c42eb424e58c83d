#include "cmd/shim/spawn.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/reap.h"
#include "base/syscalls.h"
#include "cmd/shim/cmd.h"
#include "cmd/shim/pod_socket.h"
#include "cmd/shim/shim_cgroup.h"
#include "container/brig.h"

#define ABOVE 10 /* the descriptors that are set up */
#define OOM_SCORE_ADJ_MAX 1000
#define VARIABLE_MAX 256
#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Under memory pressure the shim goes before containerd. The caller's own score, which we have from it, may be one that only it may set. */
static void adjust_oom_score(void)
{
	char text[16];
	int score;

	if (fd_read_file_at(AT_FDCWD, "/proc/self/oom_score_adj", text, sizeof(text)) <= 0)
		return;
	score = (int)strtol(text, NULL, 10);
	if (score >= OOM_SCORE_ADJ_MAX)
		return;
	snprintf(text, sizeof(text), "%d", score + 1);
	(void)fd_write_file_at(AT_FDCWD, "/proc/self/oom_score_adj", text);
}

/* The caller waits for the end of our output. */
static int leave_streams(struct error *err)
{
	AUTO_CLOSE int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd < 0)
		return error_system(err, errno, "open /dev/null");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (dup2(null_fd, fd) < 0)
			return error_system(err, errno, "make descriptor %d /dev/null", fd);
	}
	return 0;
}

/* Beside 0 to 2 the listening socket, which is 3. */
static int set_descriptors(int socket_fd, struct error *err)
{
	int listen_fd = fcntl(socket_fd, F_DUPFD_CLOEXEC, ABOVE);

	if (listen_fd < 0)
		return error_system(err, errno, "duplicate the listening socket");
	if (dup2(listen_fd, CMD_LISTEN_FD) < 0)
		return error_system(err, errno, "duplicate the listening socket");
	if (sys_close_range(CMD_LISTEN_FD + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0)
		return error_system(err, errno, "close_range");
	return 0;
}

/* containerd asks for it: no other pod's threads on the sibling of a core that one of ours is on. */
static int isolate_core(struct error *err)
{
	const char *wanted = getenv("SCHED_CORE");

	if (!wanted || !*wanted)
		return 0;
	if (prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, PR_SCHED_CORE_SCOPE_THREAD_GROUP, 0) < 0)
		return error_system(err, errno, "core scheduling, as SCHED_CORE asks for (prctl PR_SCHED_CORE)");
	return 0;
}

/* With an environment of its own: containerd's has what is no business of a process that lives with the workload. */
static int execute(const struct spawn *spawn, struct error *err)
{
	const struct arguments *given = spawn->arguments;
	const char *argv[] = { spawn->program,
			       "-namespace",
			       given->namespace,
			       "-id",
			       given->id,
			       "-address",
			       given->address,
			       "-publish-binary",
			       given->publish_binary,
			       "-bundle",
			       spawn->bundle,
			       "-socket",
			       spawn->socket_path,
			       given->debug ? "-debug" : NULL,
			       NULL };
	AUTO_FREE char *ttrpc = NULL, *path = NULL;
	const char *search = getenv("PATH");
	const struct brig brig = { .policy = spawn->policy };
	char level[VARIABLE_MAX], refuses[sizeof(CMD_REFUSES_VARIABLE "=") + BRIG_POLICY_NAME_MAX];
	char *envp[5] = { 0 };

	snprintf(level, sizeof(level), CMD_LOG_LEVEL_VARIABLE "=%d", (int)spawn->log_level);
	if (asprintf(&ttrpc, "TTRPC_ADDRESS=%s", spawn->ttrpc_address) < 0 ||
	    asprintf(&path, "%s%s", search ? "PATH=" : PATH_DEFAULT, search ?: "") < 0)
		return error_memory(err);
	envp[0] = level;
	envp[1] = ttrpc;
	envp[2] = path;
	/* Found out here, where the policy may be parsed: what stays in memory is to be small. */
	strcpy(refuses, CMD_REFUSES_VARIABLE "=");
	brig_refuses_the_hosts(&brig, refuses + strlen(refuses), BRIG_POLICY_NAME_MAX);
	envp[3] = refuses;
	return brig_execute_protected((char *const *)argv, envp, err);
}

/* The cgroup first, so that all that follows is counted there; a session of its own, so that no ctrl-C at containerd's terminal ends pods. */
static int leave_caller(const struct spawn *spawn, struct error *err)
{
	int r = spawn->shim_cgroup ? shim_cgroup_join(spawn->shim_cgroup, err) : 0;

	if (r == 0 && setsid() < 0)
		r = error_system(err, errno, "setsid");
	if (r == 0)
		r = isolate_core(err);
	if (r < 0)
		return r;
	adjust_oom_score();
	if (chdir("/") < 0)
		return error_system(err, errno, "chdir /");
	return leave_streams(err);
}

/* A report without an error: all that is left is to execute. */
static int serve_at(const struct spawn *spawn, int socket_fd, int report_fd, struct error *err)
{
	static const struct error none;
	int r = set_descriptors(socket_fd, err);

	if (r == 0 && fd_write_all(report_fd, &none, sizeof(none)) < 0)
		r = error_system(err, errno, "report to the caller");
	return r < 0 ? r : execute(spawn, err);
}

/* The socket is made here: containerd kills `start` where its own caller goes away, at any moment, and never hears of a shim or a socket of
 * it. One that serves ends by itself once its bundle is gone, and takes its socket along. Out of the caller's reach before that: nobody
 * waits for us, or ends us, who waits for his turn at the folder of the sockets. */
static int become_serve(const struct spawn *spawn, int report_fd, struct error *err)
{
	int socket_fd, r = leave_caller(spawn, err);

	if (r == 0)
		r = pod_socket_claim(spawn->socket_path, &socket_fd, err);
	if (r < 0)
		return r;
	if (socket_fd < 0)
		return error_set(err, ERROR_EXISTS, EEXIST, "a shim listens at %.120s already", spawn->socket_path);
	r = serve_at(spawn, socket_fd, report_fd, err);
	unlink(spawn->socket_path);
	return r;
}

static ssize_t read_report(int report_fd, struct error *report)
{
	ssize_t n;

	do
		n = read(report_fd, report, sizeof(*report));
	while (n < 0 && errno == EINTR);
	return n;
}

/* Once the child has said that it will, the pipe ends when it executes. */
static int wait_for_execution(int report_fd, pid_t pid, struct error *err)
{
	struct error report;
	ssize_t n = read_report(report_fd, &report);

	if (n == (ssize_t)sizeof(report) && !report.kind) {
		n = read_report(report_fd, &report);
		if (n == 0)
			return 0;
	}
	reap_child(pid);
	if (n == 0)
		return error_set(err, ERROR_INTERNAL, ECHILD,
				 "the new shim was killed while it was set up; start it again");
	if (n != (ssize_t)sizeof(report))
		return error_set(err, ERROR_INTERNAL, EPROTO, "the new shim's report is cut short");
	*err = report;
	return error_prefix(err, "start the shim");
}

/* A fork, and no clone with shared memory: between it and execve the child does a good deal. */
int spawn_serve(const struct spawn *spawn, pid_t *ret_pid, struct error *err)
{
	AUTO_CLOSE int report_fd = -EBADF, child_fd = -EBADF;
	int ends[2];
	pid_t pid;
	int r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_system(err, errno, "pipe");
	report_fd = ends[0];
	child_fd = ends[1];
	pid = fork();
	if (pid < 0)
		return error_system(err, errno, "fork");
	if (pid == 0) {
		struct error failure = { 0 };
		int moved = fcntl(child_fd, F_DUPFD_CLOEXEC, ABOVE);

		/* Whose caller is gone serves nobody: it is told by this pipe. Executed, it has its signals anew. */
		close_and_reset(&report_fd);
		signal(SIGPIPE, SIG_IGN);
		(void)become_serve(spawn, moved, &failure);
		(void)fd_write_all(moved, &failure, sizeof(failure));
		_exit(1);
	}
	close_and_reset(&child_fd);
	r = wait_for_execution(report_fd, pid, err);
	if (r == 0)
		*ret_pid = pid;
	return r;
}
