#include "child/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/reap.h"
#include "base/syscalls.h"
#include "child/state_json.h"

#define OUTPUT_KEPT 512
#define PIPE_SIZE ((size_t)64 * 1024) /* pipe(7) */

static _Noreturn void hook_process(const struct plan_hook *hook, int in_fd, int out_fd, pid_t runtime)
{
	sigset_t none;

	/* Nobody but the runtime knows of the hook: it ends with a runtime that is killed, or nothing would ever end it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != runtime)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	/* A session of its own: what it starts can be ended with it. */
	setsid();
	if (dup2(in_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(out_fd, 2) < 0)
		_exit(127);
	sys_close_range(3, ~0U, 0);
	execve(hook->path, (char *const *)hook->argv, (char *const *)hook->envp);
	dprintf(2, "execute %s: %s", hook->path, strerrordesc_np(errno));
	_exit(127);
}

struct run {
	pid_t pid;
	int pidfd, output_fd;
	char output[OUTPUT_KEPT + 1];
	size_t n_output;
};

/* The last bytes are the ones that say why. */
static void keep_output(struct run *run)
{
	char text[OUTPUT_KEPT];
	ssize_t n = read(run->output_fd, text, sizeof(text));
	size_t excess;

	if (n <= 0) {
		close_and_reset(&run->output_fd);
		return;
	}
	excess = run->n_output + (size_t)n > OUTPUT_KEPT ? run->n_output + (size_t)n - OUTPUT_KEPT : 0;
	memmove(run->output, run->output + excess, run->n_output - excess);
	run->n_output -= excess;
	memcpy(run->output + run->n_output, text, (size_t)n);
	run->n_output += (size_t)n;
}

/* What is in the pipe already, and no more: whom the hook left behind may write forever. */
static void drain_output(struct run *run)
{
	struct pollfd polled = { .fd = run->output_fd, .events = POLLIN };

	for (size_t n = 0; n < PIPE_SIZE && run->output_fd >= 0 && poll(&polled, 1, 0) > 0; n += OUTPUT_KEPT)
		keep_output(run);
}

/* Until the process ends; true if the time is over first. Its children may keep the output open: that is not waited for. */
static bool wait_for_end(struct run *run, int timeout)
{
	int64_t deadline = timeout > 0 ? clock_ms() + timeout * INT64_C(1000) : INT64_MAX, left = -1;
	struct pollfd polled[2];

	for (;;) {
		polled[0] = (struct pollfd){ .fd = run->pidfd, .events = POLLIN };
		polled[1] = (struct pollfd){ .fd = run->output_fd, .events = POLLIN };
		if (timeout > 0) {
			left = deadline - clock_ms();
			if (left <= 0)
				return true;
		}
		if (poll(polled, 2, left > INT_MAX ? INT_MAX : (int)left) < 0) {
			if (errno != EINTR)
				return true;
			continue;
		}
		if (polled[0].revents) {
			drain_output(run);
			return false;
		}
		if (polled[1].revents)
			keep_output(run);
	}
}

/* First the session, then the process by itself: it may be killed before it has made one. */
static int check_end(struct run *run, const struct plan_hook *hook, bool late, struct error *err)
{
	siginfo_t info = { 0 };

	if (late)
		kill(-run->pid, SIGKILL);
	if (late)
		kill(run->pid, SIGKILL);
	while (waitid(P_PID, (id_t)run->pid, &info, WEXITED) < 0 && errno == EINTR)
		;
	run->output[run->n_output] = '\0';
	if (late)
		return error_set(err, ERROR_TIMEOUT, ETIMEDOUT, "%s: %s did not end within its %d seconds", hook->where,
				 hook->path, hook->timeout);
	if (info.si_code == CLD_EXITED && info.si_status == 0)
		return 0;
	return error_set(err, ERROR_SYSTEM, ECHILD, "%s: %s ended with %s %d%s%s", hook->where, hook->path,
			 info.si_code == CLD_EXITED ? "status" : "signal", info.si_status, run->n_output ? ": " : "",
			 run->output);
}

static int start(struct run *run, const struct plan_hook *hook, const struct buffer *state, struct error *err)
{
	AUTO_CLOSE int in_fd = memfd_create("state", MFD_CLOEXEC), write_fd = -EBADF;
	pid_t runtime = getpid();
	int pipe_fds[2];

	/* A file, not a pipe: a hook that never reads must not block us. */
	if (in_fd < 0 || fd_write_all(in_fd, state->data, state->length) < 0 || lseek(in_fd, 0, SEEK_SET) < 0)
		return error_system(err, errno, "%s: prepare its stdin", hook->where);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_system(err, errno, "%s: pipe", hook->where);
	run->output_fd = pipe_fds[0];
	write_fd = pipe_fds[1];
	run->pid = fork();
	if (run->pid == 0)
		hook_process(hook, in_fd, write_fd, runtime);
	if (run->pid < 0)
		return error_system(err, errno, "%s: fork", hook->where);
	run->pidfd = sys_pidfd_open(run->pid, 0);
	if (run->pidfd >= 0)
		return 0;
	error_system(err, errno, "%s: pidfd_open", hook->where);
	kill(run->pid, SIGKILL);
	reap_child(run->pid);
	return -err->code;
}

static int run_one(const struct plan_hook *hook, const struct buffer *state, struct error *err)
{
	struct run run = { .pid = -1, .pidfd = -EBADF, .output_fd = -EBADF };
	int rc = start(&run, hook, state, err);

	if (rc >= 0)
		rc = check_end(&run, hook, wait_for_end(&run, hook->timeout), err);
	close_and_reset(&run.pidfd);
	close_and_reset(&run.output_fd);
	return rc;
}

int hooks_run(const struct plan *plan, enum plan_hook_kind kind, int pid, const char *status, struct error *err)
{
	__attribute__((cleanup(buffer_done_cleanup))) struct buffer state = { 0 };
	const struct plan_hooks *hooks = &plan->hooks[kind];
	struct json_writer writer;
	int rc = 0;

	if (hooks->n == 0)
		return 0;
	writer = json_writer_on(&state, /* indent= */ 0);
	state_json_write(&writer, plan, pid, status);
	if (state.failed)
		return error_memory(err);
	for (size_t i = 0; rc >= 0 && i < hooks->n; i++) {
		rc = run_one(&hooks->list[i], &state, err);
		/* There is nothing to take back any more: the others clean up all the same (runtime.md "Lifecycle"). */
		if (rc < 0 && kind == PLAN_HOOK_POSTSTOP) {
			log_warning("poststop: %s", err->message);
			rc = 0;
		}
	}
	return rc;
}

bool hooks_precede_agent(const struct plan *plan)
{
	const struct plan_hooks *hooks = plan->hooks;

	return plan->seccomp.listener_path &&
	       hooks[PLAN_HOOK_PRESTART].n + hooks[PLAN_HOOK_CREATE_RUNTIME].n + hooks[PLAN_HOOK_CREATE_CONTAINER].n > 0;
}
