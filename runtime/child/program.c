/* The last part: the program is found while we still may look everywhere, start is waited for, and execve(2) is the end of us. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "child/handshake.h"
#include "child/home.h"
#include "child/init.h"
#include "child/interpreter.h"
#include "child/steps.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *environment(const struct plan_process *process, const char *name)
{
	size_t length = strlen(name);

	for (const char *const *entry = process->envp; *entry; entry++) {
		if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
			return *entry + length + 1;
	}
	return NULL;
}

/* 0 if path can be executed by someone; a negative errno otherwise. */
static int check_program(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	return S_ISREG(status.st_mode) && (status.st_mode & 0111) ? 0 : -EACCES;
}

/* What callers match on: see the strings of the command line's contract. The end of a long name is lost, not the reason. */
static int program_error(const char *name, int code, struct error *err)
{
	if (code == ENOENT && !strchr(name, '/'))
		return error_set(err, ERROR_PROGRAM, code, "exec: \"%.512s\": executable file not found in $PATH", name);
	if (code == ENOENT)
		return error_set(err, ERROR_PROGRAM, code,
				 "exec: \"%.512s\": executable file not found in $PATH: no such file or directory", name);
	if (code == EACCES)
		return error_set(err, ERROR_PROGRAM, code, "exec: \"%.512s\": permission denied", name);
	/* docker and podman know the latter words, and have 126 for them. */
	if (code == EISDIR)
		return error_set(err, ERROR_PROGRAM, code, "exec: \"%.512s\": is a directory: permission denied", name);
	if (code == ENOTDIR)
		return error_set(err, ERROR_PROGRAM, code, "exec: \"%.512s\": not a directory", name);
	return error_set(err, ERROR_PROGRAM, code, "exec: \"%.512s\": %s", name, strerrordesc_np(code));
}

static int search(const char *name, const char *path, char *found, size_t size)
{
	int rc, result = -ENOENT;
	size_t length;

	for (;; path += length + 1) {
		length = strcspn(path, ":");
		/* An element that isn't absolute means another place now than after the change to the working directory. */
		if (path[0] == '/' && snprintf(found, size, "%.*s/%s", (int)length, path, name) < (int)size) {
			rc = check_program(found);
			if (rc == 0)
				return 0;
			if (rc == -EACCES || rc == -EISDIR)
				result = -EACCES;
		}
		if (!path[length])
			return result;
	}
}

int program_find(struct child *child, struct error *err)
{
	const struct plan_process *process = &child->plan->process;
	char found[PATH_MAX];
	const char *name;
	int rc;

	if (!child->plan->has_process)
		return 0;
	name = process->argv[0];
	if (strlen(name) >= sizeof(found))
		return program_error(name, ENAMETOOLONG, err);
	/* A relative path is relative to the working directory, which is entered later, as the user. */
	if (name[0] != '/' && strchr(name, '/')) {
		snprintf(found, sizeof(found), "%s", name);
		rc = 0;
	} else if (name[0] == '/') {
		snprintf(found, sizeof(found), "%s", name);
		rc = check_program(found);
	} else {
		rc = name[0] ? search(name, environment(process, "PATH") ?: DEFAULT_PATH, found, sizeof(found)) : -ENOENT;
	}
	if (rc < 0)
		return program_error(name, -rc, err);
	child->program = strdup(found);
	return child->program ? 0 : error_memory(err);
}

/* The plan's environment, and what only the container's inside can tell: HOME of the user.
 * Before the filter: execve alone comes after it. */
int program_make_environment(struct child *child, struct error *err)
{
	const struct plan_process *process = &child->plan->process;
	char home[PATH_MAX];
	const char **envp;
	size_t n = 0;

	if (!child->plan->has_process)
		return 0;
	while (process->envp[n])
		n++;
	envp = calloc(n + 2, sizeof(*envp));
	if (!envp)
		return error_memory(err);
	child->environment = envp;
	memcpy(envp, process->envp, n * sizeof(*envp));
	if (!environment(process, "HOME")) {
		strcpy(home, "HOME=");
		home_of_user(process->uid, home + 5, sizeof(home) - 5);
		envp[n] = strdup(home);
		if (!envp[n])
			return error_memory(err);
	}
	return 0;
}

/* Only who can reach the socket in the root-only state directory can connect; only one that says GO starts. */
static int wait_for_start(struct child *child, struct error *err)
{
	struct error ignored;
	int fd;

	close_and_reset(&child->channel_fd);
	for (;;) {
		fd = accept4(child->start_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return error_system(err, errno, "accept");
		if (handshake_expect(fd, HANDSHAKE_GO, &child->host_pid, &ignored) == 0)
			break;
		close(fd);
	}
	child->channel_fd = fd;
	close_and_reset(&child->start_fd);
	if (!child->plan->has_process)
		return error_set(err, ERROR_INVALID, EINVAL, "config.json has no process: there is nothing to start");
	return 0;
}

static void end_by_signal(int number)
{
	_exit(128 + number);
}

/* The kernel drops for an init without a handler what would end any other process (pid_namespaces(7)); engines stop with SIGTERM what
 * they never started, and wait for its end. */
static void handle_ends(void (*handler)(int))
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		signal(numbers[i], handler);
}

static int report_and_wait(struct child *child, struct error *err)
{
	bool waits = child->role == CHILD_INIT_WAITS;
	int rc;

	if (waits)
		handle_ends(end_by_signal);
	rc = handshake_send(child->channel_fd, HANDSHAKE_READY, NULL, -EBADF);
	if (rc < 0)
		return error_system(err, -rc, "tell the runtime that all is set up");
	rc = waits ? wait_for_start(child, err) : 0;
	if (waits)
		handle_ends(SIG_DFL);
	return rc;
}

/* A filter that goes in while there are capabilities (no_new_privs is not set) might not let us wait any more. */
static bool waits_early(const struct child *child)
{
	return !child->plan->has_process || (child->filter && !child->plan->process.no_new_privileges);
}

int program_wait_before_filter(struct child *child, struct error *err)
{
	return waits_early(child) ? report_and_wait(child, err) : 0;
}

/* The better place: what waits has no privilege left, and a user or a capability that can't be set fails create, not start. */
int program_wait_unprivileged(struct child *child, struct error *err)
{
	return waits_early(child) ? 0 : report_and_wait(child, err);
}

/* execve(2) has one number for several reasons. To tell them takes a look at the file, which the container's filter lets nearly
 * all programs have; where it ends who looks, the program could not have been run either. */
static int execute_error(const struct child *child, int code, struct error *err)
{
	const char *name = child->plan->process.argv[0];
	char text[INTERPRETER_TEXT_MAX];

	if (code == EACCES && check_program(child->program) == -EISDIR)
		return program_error(name, EISDIR, err);
	if (code == ENOENT && interpreter_missing(child->program, text))
		return error_set(err, ERROR_PROGRAM, code, "exec: \"%.400s\": %s: no such file or directory", name, text);
	return program_error(name, code, err);
}

int program_execute(struct child *child, struct error *err)
{
	const struct plan_process *process = &child->plan->process;
	int rc;

	if (child->attendant) {
		rc = init_begin(child, err);
		return rc < 0 ? rc : execute_error(child, -init_execute(child), err);
	}
	execve(child->program, (char *const *)process->argv, (char *const *)child->environment);
	return execute_error(child, errno, err);
}
