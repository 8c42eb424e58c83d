#include "proxy/proxy.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/reap.h"
#include "proxy/confine.h"

/* For a process that has nothing left to do but to say a line for each of SERVE_CLIENTS_MAX requests. */
#define LAST_WORDS_MS 5000

/* ---- in the child ---- */

/* What is in brig's memory and not the sandbox's own matter is the environment of who called: whoever took this process over would find
 * tokens there. */
static void forget_environment(void)
{
	for (char **variable = environ; variable && *variable; variable++)
		explicit_bzero(*variable, strlen(*variable));
	environ = NULL;
}

static _Noreturn void live(const struct reach_settings *settings, const int *given_fds, size_t n, int control_fd,
			   pid_t parent_pid)
{
	int kept_fds[SERVE_LISTENERS_MAX + 1], listen_fds[SERVE_LISTENERS_MAX];
	struct error err = { 0 };
	int rc;

	for (size_t i = 0; i < n; i++)
		kept_fds[i] = listen_fds[i] = given_fds[i];
	kept_fds[n] = control_fd;
	forget_environment();
	rc = confine(parent_pid, kept_fds, n + 1, &err);
	/* Whether it stands, and if not why. */
	if (send(control_fd, &err, sizeof(err), MSG_NOSIGNAL) == sizeof(err) && rc >= 0)
		rc = serve_run(settings, listen_fds, n, control_fd);
	_exit(rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* ---- on our side ---- */

static int wait_until_confined(struct proxy *proxy, struct error *err)
{
	struct error said = { 0 };
	ssize_t n;

	do {
		n = recv(proxy->control_fd, &said, sizeof(said), 0);
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(said))
		return error_set(err, ERROR_SYSTEM, ECHILD, "it ended at once");
	if (said.kind == ERROR_NONE)
		return 0;
	said.message[sizeof(said.message) - 1] = '\0';
	return error_set(err, ERROR_SYSTEM, said.code > 0 ? said.code : EIO, "%s", said.message);
}

int proxy_start(const struct reach_settings *settings, const int *listen_fds, size_t n_listeners, struct proxy *ret,
		struct error *err)
{
	struct proxy proxy = proxy_none();
	pid_t parent_pid = getpid();
	int ends[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_system(err, errno, "start the egress proxy: socketpair");
	proxy.pid = fork();
	if (proxy.pid == 0)
		live(settings, listen_fds, n_listeners, ends[1], parent_pid);
	proxy.control_fd = ends[0];
	close(ends[1]);
	rc = proxy.pid < 0 ? error_system(err, errno, "fork") : wait_until_confined(&proxy, err);
	if (rc < 0) {
		proxy_stop(&proxy);
		return error_prefix(err, "start the egress proxy");
	}
	*ret = proxy;
	return 0;
}

int proxy_hear(struct proxy *proxy, struct outcome_report *ret)
{
	struct outcome_report report;
	ssize_t n = recv(proxy->control_fd, &report, sizeof(report), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* The last one says that there were too many. */
	if (n != sizeof(report) || !outcome_report_is_good(&report) || proxy->n_reports++ > SERVE_REQUESTS_MAX) {
		proxy_stop(proxy);
		return -1;
	}
	*ret = report;
	return 1;
}

void proxy_close(struct proxy *proxy)
{
	if (proxy->control_fd >= 0)
		shutdown(proxy->control_fd, SHUT_WR);
	proxy->silent_by = clock_ms() + LAST_WORDS_MS;
}

int proxy_hear_last(struct proxy *proxy, struct outcome_report *ret)
{
	struct pollfd polled = { .fd = proxy->control_fd, .events = POLLIN };
	int rc = 0;

	while (rc == 0 && proxy->control_fd >= 0) {
		int64_t left = proxy->silent_by - clock_ms();

		rc = left > 0 && poll(&polled, 1, (int)left) > 0 ? proxy_hear(proxy, ret) : -1;
	}
	if (rc <= 0)
		proxy_stop(proxy);
	return rc > 0 ? 1 : -1;
}

void proxy_stop(struct proxy *proxy)
{
	if (proxy->pid > 0) {
		kill(proxy->pid, SIGKILL);
		reap_child(proxy->pid);
	}
	close_and_reset(&proxy->control_fd);
	proxy->pid = -1;
}
